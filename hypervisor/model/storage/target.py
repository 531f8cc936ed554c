"""A target at the other end of a link: an FC or iSCSI LUN, a GNBD export, a file on an NFS server.

A command crosses the link, is served by the array or the server behind it, and its answer comes
back; data occupy the link for as long as they take. The two directions are independent.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hypervisor.model.storage.array import Array
from hypervisor.model.storage.request import BlockRequest, Finished
from hypervisor.model.timing.clock import Clock

_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class TargetKind:
    """What is usual for a kind of target: rates are the usable parts of the link's."""

    link_mbit: int
    read_per_mille: int  # of the link's bits that carry data
    write_per_mille: int
    latency_ns: int  # of the way to the target and back, with the work at both ends
    depth: int
    at_a_time: int  # commands that the server works on; the others wait there
    max_kib: int
    is_write_back: bool
    cached_read_ns: int
    cached_write_ns: int


# A rate is below what the framing leaves of a link: 1448 of 1538 bytes for TCP on Ethernet, 8 of 10
# bits for FC. Latencies, and what servers and caches make of them, are the middles of the ranges
# given here (judgement).
TARGETS: Final[Mapping[str, TargetKind]] = {
    # 2 Gb FC: 190 to 200 MB/s; 0.05 to 0.1 ms; an array with battery: cached reads 0.2 to 0.5 ms,
    # cached writes 0.3 to 0.6 ms; 32 commands a LUN (drivers/scsi/qla2xxx).
    "fc": TargetKind(2000, 780, 780, 75_000, 32, 32, 512, True, 350_000, 450_000),
    # 1 GbE: read 105 to 115, write 95 to 112 MB/s; 0.15 to 0.3 ms; 32 commands a LUN (open-iscsi).
    "iscsi": TargetKind(1000, 880, 830, 220_000, 32, 32, 512, True, 350_000, 450_000),
    # 70 to 110 MB/s; 0.2 to 0.4 ms; one thread for each device at the server, no cache for writes.
    "gnbd": TargetKind(1000, 800, 800, 300_000, 32, 1, 512, False, 100_000, 100_000),
    # Read 90 to 110 MB/s, write 40 to 90: the export is synchronous; 0.3 to 0.5 ms; 16 requests of
    # 32 KiB (net/sunrpc/xprtsock.c: RPC_DEF_SLOT_TABLE).
    "nfs": TargetKind(1000, 800, 800, 400_000, 16, 8, 32, False, 100_000, 100_000),
}


class _Exchange:
    """A command and its answer."""

    __slots__ = ("finished", "request", "target")

    def __init__(self, target: "Target", request: BlockRequest, finished: Finished) -> None:
        self.target = target
        self.request = request
        self.finished = finished

    def served(self) -> None:
        """Send the answer, as the array has served the command."""
        self.target.served(self)


class Target:
    """Serves block requests through a link."""

    def __init__(
        self,
        clock: Clock,
        kind: TargetKind,
        array: Array,
        *,
        link_mbit: int | None = None,
        depth: int | None = None,
    ) -> None:
        """`link_mbit` and `depth` are the kind's own if not given."""
        self._clock = clock
        self._kind = kind
        self._array = array
        self.depth = kind.depth if depth is None else depth
        bits = 1_000_000 * (kind.link_mbit if link_mbit is None else link_mbit)
        self.read_rate = bits // 8 * kind.read_per_mille // 1000  # bytes per second
        self.write_rate = bits // 8 * kind.write_per_mille // 1000
        self._out_free_ns = self._in_free_ns = 0  # when each direction of the link is free
        self._serving = 0
        self._waiting: deque[_Exchange] = deque()

    @property
    def sectors(self) -> int:
        """Return the size of the target."""
        return self._array.sectors

    def start(self, request: BlockRequest, finished: Finished) -> None:
        """Send a command, and call `finished(request)` when its answer is here."""
        now = self._clock.now
        if request.is_write:
            begin_ns = max(now, self._out_free_ns)
            self._out_free_ns = begin_ns + request.bytes * _NS // self.write_rate
            now = self._out_free_ns
        arrives_ns = now + self._kind.latency_ns // 2
        self._clock.schedule(arrives_ns, self._arrived, _Exchange(self, request, finished))

    def _arrived(self, exchange: _Exchange) -> None:
        if self._serving >= self._kind.at_a_time:
            self._waiting.append(exchange)
        else:
            self._serve(exchange)

    def _serve(self, exchange: _Exchange) -> None:
        self._serving += 1
        request = exchange.request
        start, end = request.start, request.end
        self._array.transfer(start, end, is_write=request.is_write, done=exchange.served)

    def served(self, exchange: _Exchange) -> None:
        """Send an answer back, and serve the next command."""
        self._serving -= 1
        if self._waiting:
            self._serve(self._waiting.popleft())
        request = exchange.request
        at_ns = self._clock.now
        if not request.is_write:
            begin_ns = max(at_ns, self._in_free_ns)
            self._in_free_ns = begin_ns + request.bytes * _NS // self.read_rate
            at_ns = self._in_free_ns
        self._clock.schedule(at_ns + self._kind.latency_ns // 2, self._answered, exchange)

    def _answered(self, exchange: _Exchange) -> None:
        exchange.finished(exchange.request)
