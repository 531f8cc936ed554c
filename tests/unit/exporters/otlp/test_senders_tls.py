"""Certificates of receivers are checked, and ours are shown to those that ask for one."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from exporters.otlp.overgrpc import GrpcSender
from exporters.otlp.overhttp import HttpSender
from exporters.otlp.sending import Answer, Sender
from exporters.otlp.targets import Target
from tests.support.certificates import make_certificate
from xenprof.service.exporter import OtlpProtocol


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


class Silent(http.server.HTTPServer):
    def handle_error(self, request, client_address) -> None: ...


@contextmanager
def https_receiver(folder: Path) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    context.load_verify_locations(folder / "cert.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server = Silent(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _AnyMethod(grpc.GenericRpcHandler):  # type: ignore[misc]
    def service(self, call):
        return grpc.unary_unary_rpc_method_handler(lambda body, context: b"")


@contextmanager
def secure_grpc_receiver(folder: Path) -> Iterator[str]:
    key, certificate = (folder / "key.pem").read_bytes(), (folder / "cert.pem").read_bytes()
    credentials = grpc.ssl_server_credentials(
        [(key, certificate)], root_certificates=certificate, require_client_auth=True
    )
    with ThreadPoolExecutor(2) as threads:
        server = grpc.server(threads, handlers=(_AnyMethod(),))
        port = server.add_secure_port("127.0.0.1:0", credentials)
        server.start()
        try:
            yield f"https://127.0.0.1:{port}"
        finally:
            server.stop(None).wait(10)


@contextmanager
def receiver(protocol: OtlpProtocol, folder: Path) -> Iterator[str]:
    opened = secure_grpc_receiver if protocol == "grpc" else https_receiver
    with opened(folder) as url:
        yield url


def answer(protocol: OtlpProtocol, url: str, **files: Path) -> Answer:
    target = Target(url, protocol, is_secure=True, **files)  # type: ignore[arg-type]
    sender: Sender
    if protocol == "grpc":
        sender = GrpcSender(target, "logs", "xenprof/1")
    else:
        sender = HttpSender(target, "xenprof/1")
    try:
        return sender.send(b"request", 5)
    finally:
        sender.close()


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_receiver_with_its_own_authority_is_trusted_and_gets_our_certificate(protocol, folder):
    with receiver(protocol, folder) as url:
        given = answer(
            protocol,
            url,
            certificate=folder / "cert.pem",
            client_key=folder / "key.pem",
            client_certificate=folder / "cert.pem",
        )
    assert given == Answer()


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_receiver_with_an_unknown_certificate_gets_nothing(protocol, folder):
    with receiver(protocol, folder) as url:
        assert answer(protocol, url).error


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_receiver_that_asks_for_a_certificate_refuses_us_without_one(protocol, folder):
    with receiver(protocol, folder) as url:
        assert answer(protocol, url, certificate=folder / "cert.pem").error
