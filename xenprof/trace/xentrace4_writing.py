"""Writes trace records in the form of xentrace 4, and reads what it wrote; see xentrace4."""

import struct
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

from hypervisor.telemetry import TraceRecord
from xenprof.trace.records import Records
from xenprof.trace.xentrace4 import CPU_CHANGE, Xentrace4

_MAX_WORDS = 7
_TIMED = 1 << 31
_EVENT_MASK = 0x0FFFFFFF
_WORD_MASK = (1 << 32) - 1
_WINDOW = struct.Struct("<III")
_TIMES = struct.Struct("<IQ")  # the header, and the tsc that each record written here has


def encode(records: Iterable[TraceRecord], mhz: int) -> bytes:
    """Return the bytes of records; the tsc counts cycles of a processor of `mhz`."""
    return b"".join(
        _window(pcpu, b"".join(_record(row, mhz) for row in rows))
        for pcpu, rows in groupby(records, key=attrgetter("pcpu"))
    )


def decode(data: bytes) -> Records:
    """Return the records in bytes made by `encode`."""
    return Xentrace4().feed(data, is_last=True)[0]


def until(data: bytes, tsc: int) -> bytes:
    """Return the part of bytes made by `encode` up to a time."""
    parts, at = [], 0
    while at < len(data):
        _, pcpu, size = _WINDOW.unpack_from(data, at)
        at += _WINDOW.size
        end, kept = at + size, []
        while at < end:
            header, own = _TIMES.unpack_from(data, at)
            record_end = at + _TIMES.size + 4 * (header >> 28 & 7)
            if own <= tsc:
                kept.append(data[at:record_end])
            at = record_end
        if kept:
            parts.append(_window(pcpu, b"".join(kept)))
    return b"".join(parts)


def _window(pcpu: int, content: bytes) -> bytes:
    return _WINDOW.pack(CPU_CHANGE, pcpu, len(content)) + content


def _record(row: TraceRecord, mhz: int) -> bytes:
    words = [one & _WORD_MASK for one in row.data[:_MAX_WORDS]]
    header = _TIMED | len(words) << 28 | row.event & _EVENT_MASK
    return _TIMES.pack(header, row.time_ns * mhz // 1000) + struct.pack(f"<{len(words)}I", *words)
