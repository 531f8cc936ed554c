"""Reads and writes files of Xen 3.0's xentrace: records of one size, each after its pcpu's number.

    x86_64, 60 bytes                          i386, 36 bytes
    u32 pcpu                                  u32 pcpu
    u64 tsc, u32 event, 4 bytes of padding    u64 tsc, u32 event
    five u64                                  five u32

Source: tools/xentrace/xentrace.c (write_rec), xen/include/public/trace.h (struct t_rec), 3.0.3.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from hypervisor.telemetry import TraceRecord
from hypervisor.trace_events import RECORD_WORDS
from xenprof.trace.records import MAX_PCPUS, Records

_DTYPES = {
    60: np.dtype(
        [("pcpu", "<u4"), ("tsc", "<u8"), ("event", "<u4"), ("pad", "<u4"), ("data", "<u8", 5)]
    ),
    36: np.dtype([("pcpu", "<u4"), ("tsc", "<u8"), ("event", "<u4"), ("data", "<u4", 5)]),
}
RECORD_64, RECORD_32 = 60, 36
_EVENT_OFFSET = 12
_BLOCK_RECORDS = 64
_LOOK_BYTES = 1024
_FEW_EVENTS = 0x100  # events in one subclass
_WORD_MASK = (1 << 64) - 1


def encode(records: Iterable[TraceRecord], mhz: int) -> bytes:
    """Return the bytes of records; the tsc counts cycles of a processor of `mhz`."""
    rows = list(records)
    table = np.zeros(len(rows), _DTYPES[RECORD_64])
    table["pcpu"] = [row.pcpu for row in rows]
    table["tsc"] = np.array([row.time_ns * mhz // 1000 for row in rows], np.uint64)
    table["event"] = [row.event for row in rows]
    blank = (0,) * RECORD_WORDS
    words = [(tuple(one & _WORD_MASK for one in row.data) + blank)[:RECORD_WORDS] for row in rows]
    table["data"] = np.array(words, np.uint64).reshape(len(rows), RECORD_WORDS)
    return table.tobytes()


def decode(data: bytes) -> Records:
    """Return the records in bytes made by `encode`."""
    return _columns(np.frombuffer(data, _DTYPES[RECORD_64], len(data) // RECORD_64))


def until(data: bytes, tsc: int) -> bytes:
    """Return the part of bytes made by `encode` up to a time."""
    table = np.frombuffer(data, _DTYPES[RECORD_64], len(data) // RECORD_64)
    return table[table["tsc"] <= np.uint64(tsc)].tobytes()


class Xentrace30:
    """Decodes records of one size, and skips damaged ones."""

    def __init__(self, *, is_64_bit: bool = True) -> None:
        self.format = f"xentrace 3.0, {'x86_64' if is_64_bit else 'i386'}"
        self.skipped_bytes = 0
        self._size = RECORD_64 if is_64_bit else RECORD_32
        self._dtype = _DTYPES[self._size]

    def feed(self, data: bytes, *, is_last: bool) -> tuple[Records, int]:
        """Return records and bytes consumed; see `records.Decoder`."""
        size = self._size
        parts: list[npt.NDArray[np.void]] = []
        offset = 0
        block = _BLOCK_RECORDS  # grows while all is well, so that little is read twice after damage
        while (there := (len(data) - offset) // size) > 0:
            table = np.frombuffer(data, self._dtype, min(block, there), offset)
            good = _is_plausible(table["pcpu"], table["event"])
            count = self._usable(good)
            parts.append(table[:count][good[:count]])
            self.skipped_bytes += size * int((~good[:count]).sum())
            offset += count * size
            block *= 2
            if count == len(table):
                continue
            if count == 0 or count < len(table) - 1:  # true if more than one in a row is bad
                if there - count == 1 and not is_last:
                    break
                step = self._realign(data, offset)
                self.skipped_bytes += step
                offset += step
                block = _BLOCK_RECORDS
        if is_last:
            self.skipped_bytes += len(data) - offset
            offset = len(data)
        return _columns(np.concatenate(parts) if parts else np.zeros(0, self._dtype)), offset

    @staticmethod
    def _usable(good: npt.NDArray[np.bool_]) -> int:
        """Return how many records to take: up to two bad ones in a row, or a bad one at the end."""
        bad = ~good
        pairs = np.flatnonzero(bad[:-1] & bad[1:])
        if len(pairs):
            return int(pairs[0])
        return len(good) - int(bad[-1])

    def _realign(self, data: bytes, offset: int) -> int:
        """Return how far after `offset` good records follow in a row, or how far to skip.

        Every byte is tried, so the records must pass stricter tests than elsewhere: small numbers
        of events, and three in a row (two at the end).
        """
        size = self._size
        width = min(_LOOK_BYTES, len(data) - offset - 2 * size + 1)
        if width <= 1:
            return len(data) - offset if len(data) - offset < 2 * size else 1
        numbers = np.ndarray((width + size + _EVENT_OFFSET,), "<u4", data, offset, (1,))
        pcpus, events = numbers[: width + size], numbers[_EVENT_OFFSET:][: width + size]
        good = _is_plausible(pcpus, events) & (events & 0xFFF < _FEW_EVENTS)
        for pair in np.flatnonzero(good[1:width] & good[size + 1 :][: width - 1]).tolist():
            third = offset + pair + 1 + 2 * size
            if third + size > len(data) or plausible_records(data[third : third + size], size)[0]:
                return int(pair) + 1
        return width


def _columns(table: npt.NDArray[np.void]) -> Records:
    return Records(
        table["pcpu"].astype(np.int32),
        table["tsc"].astype(np.uint64),
        table["event"].astype(np.uint32),
        table["data"].astype(np.uint64),
        np.full(len(table), RECORD_WORDS, np.uint8),
    )


def _is_plausible(
    pcpu: npt.NDArray[np.uint32], event: npt.NDArray[np.uint32]
) -> npt.NDArray[np.bool_]:
    """Return which records are plausible: a possible pcpu, a known class, a number in it."""
    in_class = (event >> 16 != 0) & (event < 1 << 28) & (event & 0xF000 != 0)
    return np.asarray((pcpu < MAX_PCPUS) & in_class & (event & 0xFFF != 0))


def plausible_records(data: bytes, record_bytes: int) -> tuple[int, int]:
    """Return (plausible records, all records) if `data` were records of this size."""
    count = len(data) // record_bytes
    table = np.frombuffer(data, _DTYPES[record_bytes], count)
    return int(_is_plausible(table["pcpu"], table["event"]).sum()), count
