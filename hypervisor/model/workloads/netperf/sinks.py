"""netserver: the program that reads a stream, in a domain or outside of the host."""

from collections.abc import Callable
from typing import Any, Final

from hypervisor.model.codebook.work import Work
from hypervisor.model.network.lot import Lot
from hypervisor.model.network.tcp import Connection
from hypervisor.model.workloads.base import Site, working_set_kib

NETSERVER: Final = "/usr/bin/netserver"


class Sink:
    """The receiving socket and its program in a domain. It is the `Reader` of its connection."""

    def __init__(self, site: Site, message_bytes: int, memory_mib: int | None = None) -> None:
        self._site = site
        self._guest = site.guest
        self._message_bytes = message_bytes
        memory_kib = working_set_kib("netserver", memory_mib)
        self._task = site.guest.spawn(NETSERVER, working_set_kib=memory_kib)[0]
        self._carry_bytes = 0
        self.bytes = 0
        self.messages = 0
        self._connection: Connection | None = None
        self._is_closed = False

    def connect(self, connection: Connection) -> None:
        """Read from this connection."""
        self._connection = connection

    def close(self) -> None:
        """End the program, as its peer is gone; what still arrives is dropped."""
        self._is_closed = True
        self._guest.end(self._task.tgid)

    def arrived(self, lot: Lot) -> None:
        """Take a lot from the stack, which the program reads, acknowledges and counts."""
        connection = self._connection
        if self._is_closed or connection is None:
            return
        payload = lot.payload_bytes
        size_bytes = self._carry_bytes + payload
        messages = size_bytes // self._message_bytes
        self._carry_bytes = size_bytes % self._message_bytes
        self.messages += messages
        calls = max(messages, 1)
        costs = [
            ("socket_receive_message", calls),
            ("copy_to_user_kib", -(-payload // 1024)),
            ("netserver_message", calls),
        ]
        acks = connection.acknowledgement(lot)
        if acks is not None:
            costs += connection.sending(acks)
        work = self._guest.work(costs, self._read, (payload, acks), task=self._task)
        self._guest.run(work)

    def _read(self, work: Work[tuple[int, Lot | None]]) -> None:
        payload, acks = work.arg
        self.bytes += payload
        if acks is not None:
            acks.source.send(acks, self._task.vcpu)

    def results(self, elapsed_ns: int) -> dict[str, Any]:
        """Return bytes, messages and the mean rate."""
        return stream_results(self.bytes, self.messages, elapsed_ns)


class OutsideSink:
    """A program outside that reads what comes at once. It is the `Reader` of its connection."""

    def __init__(self, count: Callable[[int], object]) -> None:
        """`count(bytes)` is called with what has been read."""
        self._count = count
        self._connection: Connection | None = None

    def connect(self, connection: Connection) -> None:
        """Read from this connection."""
        self._connection = connection

    def arrived(self, lot: Lot) -> None:
        """Read a lot and acknowledge it."""
        connection = self._connection
        if connection is None:
            return
        self._count(lot.payload_bytes)
        acks = connection.acknowledgement(lot)
        if acks is not None:
            acks.source.send(acks, 0)


def stream_results(size_bytes: int, messages: int, elapsed_ns: int) -> dict[str, Any]:
    """Return the results of a program that sends or reads a stream."""
    return {
        "kind": "netperf",
        "bytes": size_bytes,
        "bits_per_second": size_bytes * 8e9 / elapsed_ns if elapsed_ns else 0.0,
        "messages": messages,
    }
