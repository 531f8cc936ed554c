"""Trace rings in the memory of a fake hypervisor, written as Xen's trace.c writes them."""

import struct

from hypervisor.trace_events import is_selected
from tests.support.live.fake_privcmd import TRACE_FRAME, FakePrivcmd

PAGE = 4096
_OFFSETS = 256  # pcpus that the table has room for
_TIMED = 1 << 31
LOST, WRAP, RUNSTATE = 0x1F001, 0x1F002, 0x21001


def record(event: int, words: tuple[int, ...] = (), tsc: int | None = None) -> bytes:
    head = event | len(words) << 28 | (_TIMED if tsc is not None else 0)
    times = () if tsc is None else (tsc & 0xFFFFFFFF, tsc >> 32)
    return struct.pack(f"<{1 + len(times) + len(words)}I", head, *times, *words)


def change(tsc: int, domid: int, vcpu: int, old: int, new: int) -> bytes:
    """Return the record of a vcpu that goes from one runstate to another."""
    return record(RUNSTATE | old << 8 | new << 4, (domid << 16 | vcpu,), tsc)


class FakeRings:
    """The rings of a machine's pcpus; they are there from the first `pages` on."""

    def __init__(self, privcmd: FakePrivcmd, pcpus: int = 2, pages: int = 1) -> None:
        self.size = pages * PAGE - 8
        table = bytearray(PAGE)
        struct.pack_into("<H", table, 0, pages)
        first = (2 + 2 * _OFFSETS) // 4 + 1
        self.rings = []
        for pcpu in range(pcpus):
            offset = first + pcpu * pages
            struct.pack_into("<H", table, 2 + 2 * pcpu, offset)
            frames = [0x2000 + 0x100 * pcpu + page for page in range(pages)]
            struct.pack_into(f"<{pages}I", table, 4 * offset, *frames)
            ring = privcmd.frames[frames[0]] = bytearray(PAGE * pages)
            self.rings.append(ring)
        self.table = privcmd.frames[TRACE_FRAME] = table
        self._privcmd = privcmd
        self._lost = [(0, 0)] * pcpus

    def emit(self, pcpu: int, content: bytes, tsc: int = 0) -> None:
        """Write a record if the trace is on; count it as lost if there is no room."""
        machine = self._privcmd.machine
        (head,) = struct.unpack_from("<I", content)
        if not machine.is_traced or not is_selected(head & 0x0FFFFFFF, machine.trace_mask):
            return
        if not machine.trace_pcpus >> pcpu & 1:
            return
        lost, since = self._lost[pcpu]
        parts = [content]
        if lost:
            words = (lost, 0, since & 0xFFFFFFFF, since >> 32)
            parts.insert(0, record(LOST, words, tsc))
        read_to, written_to = struct.unpack_from("<II", self.rings[pcpu])
        data = b""
        for part in parts:
            left = self.size - (written_to + len(data)) % self.size
            if len(part) > left:
                data += self._wrap(left)
            data += part
        if len(data) > self.size - (written_to - read_to) % (2 * self.size):
            self._lost[pcpu] = (lost + 1, since or tsc)
            return
        self._lost[pcpu] = (0, 0)
        for index, byte in enumerate(data):
            self.rings[pcpu][8 + (written_to + index) % self.size] = byte
        end = (written_to + len(data)) % (2 * self.size)
        struct.pack_into("<I", self.rings[pcpu], 4, end)

    def set_counters(self, pcpu: int, read_to: int, written_to: int) -> None:
        struct.pack_into("<II", self.rings[pcpu], 0, read_to, written_to)

    @staticmethod
    def _wrap(size: int) -> bytes:
        words = size // 4 - 1
        if words > 7:
            return record(WRAP, (0,) * (words - 2), 0)
        return record(WRAP, (0,) * words)
