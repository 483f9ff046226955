"""Calls xds:///... through gRPC's C-core and counts who answered: caller.py TARGET METHOD CALLS."""
import collections
import json
import sys
import threading

import grpc

target, method, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
answers = collections.Counter()
lock = threading.Lock()
room = threading.Semaphore(100)


def done(future):
    error = future.exception()
    with lock:
        answers[str(error.code()) + " " + error.details() if error else future.result()[2:].decode()] += 1
    room.release()


with grpc.insecure_channel(target) as channel:
    say = channel.unary_unary(method)
    say(b"", timeout=30, wait_for_ready=True)
    for _ in range(calls):
        room.acquire()
        say.future(b"", timeout=60).add_done_callback(done)
    for _ in range(100):
        room.acquire()
    print(json.dumps(answers), flush=True)
    sys.stdin.read()  # stays connected until the test has looked at the control plane
