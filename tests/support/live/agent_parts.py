"""Parts of an agent for tests: readings of a report, and a server on real sockets."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

from hypervisor.live.agent.polling.readings import Cost, Reading
from hypervisor.live.agent.report.fields import HostReport
from hypervisor.live.agent.web.connection import Door
from hypervisor.live.agent.web.httphead import Answer, Request
from hypervisor.live.agent.web.serving import Server

SECOND_NS = 1_000_000_000
COST = Cost(
    started_unix_ns=1_790_000_000 * SECOND_NS,
    cpu_ns=SECOND_NS // 2,
    polls=3,
    failed_polls=1,
    polling_ns=SECOND_NS // 4,
    hypercalls=42,
    resident_bytes=17 << 20,
)
PATIENCE_SECONDS = 20.0


def bare_report(**fields: Any) -> HostReport:
    """Return a report that knows next to nothing, with these fields."""
    bare = HostReport(1, 1, "boot", SECOND_NS, 1_790_000_000 * SECOND_NS, 1000, 500, 14, "xen1")
    return bare._replace(**fields)


def reading(report: HostReport | None = None, *, is_fresh: bool = True) -> Reading:
    report = bare_report() if report is None else report
    return Reading(report, report, is_fresh, COST)


@contextlib.contextmanager
def serving(
    door: Door, answer: Callable[[Request], Answer], most_connections: int = 4
) -> Iterator[list[str]]:
    """Serve at a door inside the block; yield the lines that are logged."""
    told: list[str] = []
    server = Server([door], answer, told.append, most_connections)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield told
    finally:
        server.stop()
        thread.join(PATIENCE_SECONDS)


def listener() -> socket.socket:
    """Return a socket that listens on a port of the loopback interface."""
    return socket.create_server(("127.0.0.1", 0))


def connected(to: socket.socket) -> socket.socket:
    """Return a client of a listener."""
    client = socket.create_connection(to.getsockname()[:2], PATIENCE_SECONDS)
    client.settimeout(PATIENCE_SECONDS)
    return client


def everything(client: socket.socket) -> bytes:
    """Return what comes until the server ends the connection."""
    return b"".join(iter(lambda: client.recv(65536), b""))


def request(*lines: str) -> bytes:
    """Return the head of a request of these lines."""
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1")
