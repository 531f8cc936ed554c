"""Reads trace records in windows of rings, and puts windows into the form of xentrace's files.

A record is a word (event, number of words of data, whether a time follows), the time, the data.
Source: xen/include/public/trace.h (struct t_rec), tools/xentrace/xentrace.c (write_buffer).
"""

import struct
from typing import Iterable, Iterator, NamedTuple, Sequence

from hypervisor.live.agent.tracing.rings import Window

LOST_RECORDS = 0x1F001
WRAP = 0x1F002
_LOST_HEAD = struct.pack("<I", 1 << 31 | 4 << 28 | LOST_RECORDS)
_WINDOW_HEAD = struct.Struct("<III")
_CHANGE_OF_PCPU = 0x2001F003
_EVENT = 0x0FFFFFFF


class Record(NamedTuple):
    """One record; one without a time has that of the record before it."""

    tsc: int
    pcpu: int
    event: int
    words: Sequence[int]


def records(window: Window, tsc: int = 0) -> Iterator[Record]:
    """Yield the records of a window; `tsc` is that of the record before it, of this pcpu.

    What fills the end of a ring is left out. A record that is cut off ends the window.
    """
    words = memoryview(window.data)[: len(window.data) & ~3].cast("I").tolist()
    at = 0
    while at < len(words):
        head = words[at]
        first = at + (3 if head >> 31 else 1)
        end = first + (head >> 28 & 7)
        if end > len(words):
            return
        event = head & _EVENT
        if event != WRAP:
            if head >> 31:
                tsc = words[at + 1] | words[at + 2] << 32
            yield Record(tsc, window.pcpu, event, words[first:end])
        at = end


def file_form(windows: Iterable[Window]) -> bytes:
    """Return windows as xentrace writes them to its file."""
    parts = []
    for window in windows:
        parts.append(_WINDOW_HEAD.pack(_CHANGE_OF_PCPU, window.pcpu, len(window.data)))
        parts.append(window.data)
    return b"".join(parts)


def lost_in(windows: Iterable[Window]) -> int:
    """Return how many records were lost, as the windows tell."""
    return sum(
        record.words[0]
        for window in windows
        if _LOST_HEAD in window.data  # most have none, and reading all records takes time
        for record in records(window)
        if record.event == LOST_RECORDS and record.words
    )
