"""A gRPC server whose port is guarded by xDS, and callers of it: guarded_server.py ADDRESS CA SERVER_NAME.

Each line of input is a call, METHOD [CERTIFICATE KEY], in clear text without a certificate; the answer is its status code."""
import sys
from concurrent import futures

import grpc

address, authority, name = sys.argv[1:4]


class Everything(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: request)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def call(method, certificate=None, key=None):
    if certificate is None:
        channel = grpc.insecure_channel(address)
    else:
        credentials = grpc.ssl_channel_credentials(read(authority), read(key), read(certificate))
        channel = grpc.secure_channel(address, credentials, options=(("grpc.ssl_target_name_override", name),))
    with channel:
        try:
            channel.unary_unary(method)(b"", timeout=30, wait_for_ready=certificate is not None)
            return "OK"
        except grpc.RpcError as error:
            return error.code().name


server = grpc.server(futures.ThreadPoolExecutor(4), handlers=(Everything(),), xds=True)
server.add_secure_port(address, grpc.xds_server_credentials(grpc.insecure_server_credentials()))
server.start()
print("started", flush=True)
for line in sys.stdin:
    print(call(*line.split()), flush=True)
server.stop(None)
