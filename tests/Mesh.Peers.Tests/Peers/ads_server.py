"""An ADS server on gRPC's C-core that says what it is told to: raw messages in base64, one command a line.

in:  send STREAM BASE64 | close STREAM CODE TEXT
out: port PORT | open STREAM PATH | recv STREAM BASE64 | end STREAM
"""
import base64
import itertools
import queue
import sys
import threading
from concurrent import futures

import grpc

streams = {}
numbers = itertools.count(1)
lock = threading.Lock()


def tell(*words):
    with lock:
        print(*words, flush=True)


def serve(path, requests, context):
    number, responses = str(next(numbers)), queue.Queue()
    streams[number] = responses
    tell("open", number, path)

    def read():
        try:
            for request in requests:
                tell("recv", number, base64.b64encode(request).decode())
        except Exception:
            pass
        tell("end", number)
        responses.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        item = responses.get()
        if item is None:
            return
        if isinstance(item, tuple):
            context.abort(item[0], item[1])
        yield item


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.stream_stream_rpc_method_handler(lambda requests, context: serve(details.method, requests, context))


server = grpc.server(futures.ThreadPoolExecutor(16), handlers=(Handler(),))
tell("port", server.add_insecure_port("127.0.0.1:0"))
server.start()
codes = {code.value[0]: code for code in grpc.StatusCode}
for line in sys.stdin:
    words = line.rstrip("\n").split(" ", 3)
    if words[0] == "send":
        streams[words[1]].put(base64.b64decode(words[2]))
    elif words[0] == "close":
        streams[words[1]].put((codes[int(words[2])], words[3]))
server.stop(None)
