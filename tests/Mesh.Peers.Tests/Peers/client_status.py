"""Asks for the status of xDS clients over gRPC's C-core, as grpcdebug does: target, "fetch" or "stream", and a prefix of node ids or "-"."""
import json
import sys

import grpc

import wire

target, method, prefix = sys.argv[1:4]
CLIENT = ["UNKNOWN", "REQUESTED", "DOES_NOT_EXIST", "ACKED", "NACKED", "RECEIVED_ERROR", "TIMEOUT"]
CONFIG = ["UNKNOWN", "SYNCED", "NOT_SENT", "STALE", "ERROR"]


def resource(data):
    packed, error = wire.one_of(data, 4), wire.one_of(data, 8)
    return {
        "type": wire.text_of(data, 1),
        "name": wire.text_of(data, 2),
        "version": wire.text_of(data, 3),
        "packed": wire.text_of(packed, 1) if packed else None,
        "content": wire.one_of(packed, 2, b"").decode("latin-1") if packed else None,
        "updated": wire.one_of(wire.one_of(data, 5, b""), 1, 0),
        "config": CONFIG[wire.one_of(data, 6, 0)],
        "client": CLIENT[wire.one_of(data, 7, 0)],
        "error": None if error is None else {"details": wire.text_of(error, 3), "version": wire.text_of(error, 4), "content": wire.one_of(error, 1) is not None},
    }


def config(data):
    return {"node": wire.text_of(wire.one_of(data, 1, b""), 1), "resources": [resource(r) for r in wire.all_of(data, 3)]}


# ClientStatusRequest.node_matchers = 1: NodeMatcher.node_id = 1: StringMatcher.prefix = 2.
request = b"" if prefix == "-" else wire.message(1, wire.message(1, wire.text(2, prefix)))
service = "/envoy.service.status.v3.ClientStatusDiscoveryService/"
with grpc.insecure_channel(target) as channel:
    try:
        if method == "fetch":
            responses = [channel.unary_unary(service + "FetchClientStatus")(request, timeout=60)]
        else:
            responses = list(channel.stream_stream(service + "StreamClientStatus")(iter([request, request]), timeout=60))
        print(json.dumps([[config(c) for c in wire.all_of(response, 1)] for response in responses]), flush=True)
    except grpc.RpcError as error:
        print(json.dumps({"code": error.code().name, "details": error.details()}), flush=True)
