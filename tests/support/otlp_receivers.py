"""Receivers of OTLP on the loopback that record requests, and answer as the test wishes."""

import http.server
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)

from exporters.otlp.overgrpc import METHODS

PROTOBUF = "application/x-protobuf"


def partial(rejected: int, message: str) -> bytes:
    """Return a response that refuses some points."""
    part = ExportMetricsPartialSuccess(rejected_data_points=rejected, error_message=message)
    return bytes(ExportMetricsServiceResponse(partial_success=part).SerializeToString())


def refusal(message: str) -> bytes:
    """Return the body of an error over HTTP."""
    return bytes(Status(code=3, message=message).SerializeToString())


def retry_details(seconds: float) -> bytes:
    """Return the details of an error over gRPC that asks for a pause."""
    delay = Duration()
    delay.FromNanoseconds(round(seconds * 1e9))
    info = AnyMessage()
    info.Pack(RetryInfo(retry_delay=delay))
    return bytes(Status(code=8, details=[info]).SerializeToString())


@dataclass(frozen=True)
class Reply:
    """An answer: an HTTP status or the name of a gRPC code, and what goes with it."""

    status: int | str = 200
    body: bytes = b""
    headers: Mapping[str, str | bytes] = field(default_factory=dict)  # or trailing metadata
    message: str = ""


@dataclass(frozen=True)
class Got:
    """A request: its path or method, its headers by names in small letters, and its body."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """What a receiver has got, and answers: `replies` one after the other, then success.

    While `hold` is not set it does not answer.
    """

    url: str = ""
    replies: list[Reply] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, got: Got) -> Reply:
        with self.changed:
            self.got.append(got)
            self.changed.notify_all()
            reply = self.replies.pop(0) if self.replies else Reply()
        self.hold.wait(60)
        return reply

    def wait_for(self, count: int) -> Sequence[Got]:
        """Return the requests once there are `count` of them."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.got) >= count, 30)
            return list(self.got)


@contextmanager
def http_receiver(*replies: Reply, answers: bool = True) -> Iterator[Receiver]:
    receiver = Receiver(replies=list(replies))
    if answers:
        receiver.hold.set()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = receiver.take(Got(self.path, headers, body))
            self.send_response(int(reply.status))
            for name, value in {"Content-Type": PROTOBUF, **reply.headers}.items():
                self.send_header(name, str(value))
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *args: object) -> None: ...

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:  # the client has gone
                self.close_connection = True

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Methods(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Takes every method of OTLP, with bytes as messages."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def service(self, call: Any) -> Any:
        if call.method not in METHODS.values():
            return None
        headers = dict(call.invocation_metadata)

        def export(body: bytes, context: Any) -> bytes:
            reply = self._receiver.take(Got(call.method, headers, body))
            if isinstance(reply.status, str):
                context.set_trailing_metadata(tuple(reply.headers.items()))
                context.abort(grpc.StatusCode[reply.status], reply.message)
            return reply.body

        return grpc.unary_unary_rpc_method_handler(export)


@contextmanager
def grpc_receiver(*replies: Reply, answers: bool = True) -> Iterator[Receiver]:
    receiver = Receiver(replies=list(replies))
    if answers:
        receiver.hold.set()
    with ThreadPoolExecutor(4) as threads:
        server = grpc.server(threads, handlers=(_Methods(receiver),))
        port = server.add_insecure_port("127.0.0.1:0")
        receiver.url = f"http://127.0.0.1:{port}"
        server.start()
        try:
            yield receiver
        finally:
            receiver.hold.set()
            server.stop(None).wait(10)
