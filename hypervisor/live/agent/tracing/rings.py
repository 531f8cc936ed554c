"""Reads the rings that the hypervisor writes its trace records to, one for each pcpu.

A ring begins with two counters of bytes, how far it is read and how far it is written. They run
to twice the size of the data that follows, so that a full ring differs from an empty one.
Source: xen/include/public/trace.h (struct t_info, struct t_buf), tools/xentrace/xentrace.c.
"""

from typing import List, NamedTuple, Sequence

from hypervisor.live.agent.errors import AgentError
from hypervisor.live.agent.xen.privcmd import PAGE, Memory, Privcmd
from hypervisor.live.agent.xen.records import TraceInfo

XEN_DOMID = 0x7FF2
"""The domain that the hypervisor's own pages belong to, where they are mapped."""

_HEAD_BYTES = 8
_OFFSETS_AT = 2  # in struct t_info, after the number of pages


class RingsBroken(AgentError):
    """Says that the trace rings are not as they should be, and are not read on."""


class RingsShared(AgentError):
    """Says that another program uses the trace rings, which serve one at a time."""

    def __init__(self, what: str) -> None:
        super().__init__(
            "the trace buffers: another program %s; end it (xentrace, xenbaked, xenprof-agent "
            "--trace, xenprof serve --host xen), or wait" % what
        )


class Position(NamedTuple):
    """How far a ring is read and written."""

    read_to: int
    written_to: int


class Window(NamedTuple):
    """Whole records, read from the ring of one pcpu at one time."""

    pcpu: int
    data: bytes


class Ring:
    """The ring of one pcpu. This process alone reads it."""

    def __init__(self, pcpu: int, memory: Memory) -> None:
        self.pcpu = pcpu
        self._bytes = memoryview(memory.data)
        # The hypervisor reads and writes these at any time, so both sides must move whole words:
        # `struct` with a byte order moves single bytes.
        self._counters = self._bytes[:_HEAD_BYTES].cast("I")
        self._size = len(self._bytes) - _HEAD_BYTES
        self._read_to = self._counters[0]

    def position(self) -> Position:
        """Return how far it is read and written now."""
        return Position(self._counters[0], self._counters[1])

    @property
    def pages(self) -> int:
        """The pages that it has."""
        return len(self._bytes) // PAGE

    def skip(self) -> None:
        """Leave out what is in it."""
        self._read_to = self._counters[0] = self._counters[1]

    def take(self) -> bytes:
        """Return the records that were written since the last time.

        Raises:
            RingsShared: Another program has read some meanwhile.
            RingsBroken: The counters cannot be right.
        """
        read_to, written_to = self.position()
        if read_to != self._read_to:
            raise RingsShared("reads them too")
        length = written_to - read_to
        if length < 0:
            length += 2 * self._size
        if not 0 <= length <= self._size or (read_to | written_to) & 3:
            raise RingsBroken(
                "the trace ring of pcpu %d: its counters are 0x%x and 0x%x in %d bytes"
                % (self.pcpu, read_to, written_to, self._size)
            )
        begin = _HEAD_BYTES + read_to % self._size
        end = begin + length
        data = bytes(self._bytes[begin:end])
        data += bytes(self._bytes[_HEAD_BYTES : _HEAD_BYTES + length - len(data)])
        self._read_to = self._counters[0] = written_to
        return data


def map_rings(privcmd: Privcmd, info: TraceInfo, pcpus: int) -> List[Ring]:
    """Map the rings of the first `pcpus` pcpus; one that is offline has none.

    Raises:
        RingsBroken: The hypervisor's table of them makes no sense.
        HypercallFailed: They cannot be mapped.
    """
    frames = range(info.frame, info.frame + -(-info.size // PAGE))
    table = privcmd.map_frames(XEN_DOMID, frames, False)
    halves = memoryview(table.data).cast("H")
    words = memoryview(table.data).cast("I")
    pages = halves[0]
    rings = []
    for pcpu in range(min(pcpus, len(halves) - 1)):
        first = halves[_OFFSETS_AT // 2 + pcpu]
        if first:
            rings.append(Ring(pcpu, _mapped(privcmd, words[first : first + pages], pages)))
    if not rings:
        raise RingsBroken("the trace buffers: their table names no ring")
    return rings


def _mapped(privcmd: Privcmd, frames: Sequence[int], pages: int) -> Memory:
    if not pages or len(frames) < pages:
        raise RingsBroken("the trace buffers: their table is cut off")
    return privcmd.map_frames(XEN_DOMID, list(frames), True)
