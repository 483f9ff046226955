"""Asks a certificate authority over gRPC's C-core, with messages written by hand: target, roots, request, token or '-', certificate and key or '-'."""
import json
import sys

import grpc


def field(number, data):
    size = len(data)
    length = b""
    while size > 0x7F:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


def strings(data):
    found, at = [], 0
    while at < len(data):
        assert data[at] == 1 << 3 | 2, data[at]
        at, size, shift = at + 1, 0, 0
        while True:
            byte = data[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        found.append(data[at:at + size].decode())
        at += size
    return found


def read(path):
    with open(path, "rb") as file:
        return file.read()


target, roots, request, token, certificate, key = sys.argv[1:7]
credentials = grpc.ssl_channel_credentials(
    read(roots), None if key == "-" else read(key), None if certificate == "-" else read(certificate))
with grpc.secure_channel(target, credentials) as channel:
    create = channel.unary_unary("/istio.v1.auth.IstioCertificateService/CreateCertificate")
    metadata = [] if token == "-" else [("authorization", "Bearer " + token)]
    try:
        print(json.dumps({"chain": strings(create(field(1, read(request)), metadata=metadata, timeout=60))}), flush=True)
    except grpc.RpcError as error:
        print(json.dumps({"code": error.code().name, "details": error.details()}), flush=True)
