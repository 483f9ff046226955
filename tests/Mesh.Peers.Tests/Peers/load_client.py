"""Reports load over gRPC's C-core as envoy.service.load_stats.v3 says, with messages written by hand: target, node id, cluster."""
import json
import queue
import sys

import grpc

import wire

target, node, cluster = sys.argv[1:4]
outgoing = queue.Queue()

with grpc.insecure_channel(target) as channel:
    stream = channel.stream_stream("/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats")
    answers = stream(iter(outgoing.get, None), timeout=120)

    # LoadStatsRequest.node: id = 1, client_features = 10.
    outgoing.put(wire.message(1, wire.text(1, node), wire.text(10, "envoy.lrs.supports_send_all_clusters")))
    asked = next(answers)
    interval = wire.one_of(asked, 2, b"")
    print(json.dumps({
        "all": wire.one_of(asked, 4, 0),
        "clusters": [name.decode() for name in wire.all_of(asked, 1)],
        "seconds": wire.one_of(interval, 1, 0),
        "endpoints": wire.one_of(asked, 3, 0),
    }), flush=True)

    for line in sys.stdin:
        succeeded, failed, dropped = (int(word) for word in line.split())
        locality = wire.message(1, wire.text(1, "eu"), wire.text(2, "a"))
        address = wire.message(1, wire.message(1, wire.text(2, "10.0.0.2"), wire.number(3, 9080)))
        endpoint = wire.message(7, address, wire.number(2, succeeded), wire.number(4, failed), wire.number(7, succeeded + failed))
        named = wire.message(5, wire.text(1, "named_metrics.queue"), wire.number(2, 2), wire.double(3, 7.0))
        stats = wire.message(
            2, locality, wire.number(2, succeeded), wire.number(3, 1), wire.number(4, failed), wire.number(8, succeeded + failed), named, endpoint)
        drops = wire.message(5, wire.text(1, "throttle"), wire.number(2, dropped))
        outgoing.put(wire.message(2, wire.text(1, cluster), stats, wire.number(3, dropped), drops, wire.message(4, wire.number(1, 10))))
        print("sent", flush=True)

    outgoing.put(None)
    print(json.dumps({"left": [answer.hex() for answer in answers], "code": answers.code().name}), flush=True)
