"""Opens a trace of either format, which its first bytes tell."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from xenprof.trace.records import Decoder, Records, TraceFileError, chunks, joined
from xenprof.trace.xentrace4 import CPU_CHANGE, Xentrace4
from xenprof.trace.xentrace30 import RECORD_32, RECORD_64, Xentrace30, plausible_records

_LOOK_BYTES = 1 << 16
_BEGIN_BYTES = 1 << 10
MAX_HELD = 4_000_000
"""How many records may wait for earlier ones of other pcpus (judgement)."""


class TraceFile:
    """An open trace. `skipped_bytes` grows while it is read."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        """Look at the first bytes. Raises: TraceFileError if it is not a trace."""
        head = file.read(_LOOK_BYTES)
        self._file = _Rest(head, file)
        self._decoder = _decoder(head, name)

    @property
    def format(self) -> str:
        """Return the name of the format."""
        return self._decoder.format

    @property
    def is_new(self) -> bool:
        """Return whether the trace is of a Xen later than 3.0."""
        return isinstance(self._decoder, Xentrace4)

    @property
    def skipped_bytes(self) -> int:
        """Return the number of bytes that made no record."""
        return self._decoder.skipped_bytes

    def chunks(self) -> Iterator[Records]:
        """Return the records in the order of the file."""
        return chunks(self._file, self._decoder)  # type: ignore[arg-type]

    def ordered(self) -> Iterator[Records]:
        """Return the records ordered by time, a chunk at a time.

        The file has them ring by ring, so the last records of a chunk wait for earlier ones of
        other pcpus.
        """
        held: list[Records] = []
        for records in self.chunks():
            held.append(records)
            waiting = joined(held)
            horizon = min(
                int(waiting.tsc[waiting.pcpu == pcpu].max()) for pcpu in np.unique(waiting.pcpu)
            )
            ready = waiting.tsc <= np.uint64(horizon)
            if len(waiting) > MAX_HELD:
                ready[:] = True
            held = [waiting.take(~ready)]
            if ready.any():
                yield _sorted(waiting.take(ready))
        if held and len(held[0]):
            yield _sorted(held[0])


class _Rest:
    """A file whose first bytes have been read already."""

    def __init__(self, head: bytes, file: BinaryIO) -> None:
        self._head = head
        self._file = file

    def read(self, size: int) -> bytes:
        head, self._head = self._head, b""
        return head + self._file.read(max(0, size - len(head)))


def _sorted(records: Records) -> Records:
    return records.take(np.argsort(records.tsc, kind="stable"))


def _decoder(head: bytes, name: str) -> Decoder:
    if not head:
        raise TraceFileError(f"{name}: the trace is empty")
    if head[:4] == CPU_CHANGE.to_bytes(4, "little"):
        return Xentrace4()
    shares = {}
    for size in (RECORD_64, RECORD_32):
        # Bytes may be missing further on, so the beginning counts as much as the whole.
        counts = [plausible_records(head[:end], size) for end in (_BEGIN_BYTES, len(head))]
        shares[size] = max(good / count if count else 0.0 for good, count in counts)
    if max(shares.values()) >= 0.5:
        return Xentrace30(is_64_bit=shares[RECORD_64] >= shares[RECORD_32])
    if CPU_CHANGE.to_bytes(4, "little") in head:
        return Xentrace4()
    raise TraceFileError(f"{name}: not a trace of xentrace, neither of Xen 3.0 nor of a later one")


@contextmanager
def open_trace(path: str | os.PathLike[str]) -> Iterator[TraceFile]:
    """Open the trace at `path` (`-`: standard input).

    Raises: TraceFileError if it is unreadable or not a trace.
    """
    name = shown_name(path)
    try:
        if os.fspath(path) == "-":
            yield TraceFile(_standard_input(name), name)
            return
        with Path(path).open("rb", buffering=0) as file:
            yield TraceFile(io.BufferedReader(file), name)
    except OSError as error:
        raise TraceFileError(f"{name}: {error.strerror or error}") from None


def shown_name(path: str | os.PathLike[str]) -> str:
    """Return the name of a trace in messages."""
    return "standard input" if os.fspath(path) == "-" else os.fspath(path)


def _standard_input(name: str) -> BinaryIO:
    if sys.stdin is None or sys.stdin.closed:
        raise TraceFileError(f"{name}: is closed")
    if sys.stdin.isatty():
        raise TraceFileError(f"{name}: a trace is binary: give a FILE, or a pipe for -")
    return sys.stdin.buffer
