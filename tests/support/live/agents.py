"""Agents of tests on real sockets: they answer with reports that the test makes."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn, UnixStreamServer

Answer = Callable[[], bytes]
"""Makes the body of an answer."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Agent"

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        body = self.server.answer()
        self.send_response(self.server.status if self.path == "/api/v1/report" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "test"

    def log_message(self, format: str, *arguments: object) -> None: ...


class Agent(ThreadingMixIn, TCPServer):
    """An agent on a port of this machine; `answer` and `status` may be set at any time."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: object, answer: Answer) -> None:
        super().__init__(address, _Handler)  # type: ignore[arg-type]  # a path, of a Unix socket
        self.answer = answer
        self.status = 200
        self.asked: list[tuple[str, str | None]] = []
        self.connections = 0
        self._open: list[socket.socket] = []

    @property
    def url(self) -> str:
        """Return its URL."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def process_request(self, request: object, client_address: object) -> None:
        self.connections += 1
        self._open.append(request)  # type: ignore[arg-type]
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def hang_up(self) -> None:
        """Close all connections, as an agent that ends does."""
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def handle_error(self, request: object, client_address: object) -> None: ...


class UnixAgent(Agent):
    """An agent on a Unix socket."""

    address_family = socket.AF_UNIX
    server_bind = UnixStreamServer.server_bind


@contextmanager
def running(answer: Answer, path: Path | None = None) -> Iterator[Agent]:
    """Run an agent on a port of its own, or on a Unix socket."""
    agent = Agent(("127.0.0.1", 0), answer) if path is None else UnixAgent(str(path), answer)
    thread = threading.Thread(target=agent.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield agent
    finally:
        agent.shutdown()
        agent.hang_up()
        agent.server_close()
        thread.join()
