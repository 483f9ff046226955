"""Calls xds:///... through gRPC's C-core as it is told, a line of JSON at a time, and counts who answered: steered_caller.py TARGET METHOD.

A line: {"calls": 100, "concurrent": 10, "metadata": [["x-user", "jason"]]}. The answer: {"v1": 90, "StatusCode.UNAVAILABLE": 10}.
With "tell": 7 there is a line before it, as soon as seven have been answered: 7.
"""
import collections
import json
import sys
import threading

import grpc

target, method = sys.argv[1], sys.argv[2]


def run(say, order):
    answers = collections.Counter()
    lock = threading.Lock()
    room = threading.Semaphore(order.get("concurrent", 1))

    def done(future):
        error = future.exception()
        with lock:
            answers[str(error.code()) if error else future.result()[2:].decode()] += 1
            if sum(answers.values()) == order.get("tell"):
                print(order["tell"], flush=True)
        room.release()

    for _ in range(order["calls"]):
        room.acquire()
        say.future(b"", timeout=60, wait_for_ready=order.get("wait", False), metadata=[tuple(m) for m in order.get("metadata", [])]).add_done_callback(done)
    for _ in range(order.get("concurrent", 1)):
        room.acquire()
    return answers


with grpc.insecure_channel(target) as channel:
    say = channel.unary_unary(method)
    for line in sys.stdin:
        print(json.dumps(run(say, json.loads(line))), flush=True)
