"""Defines trace records as columns, whatever format they were read from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import numpy as np
import numpy.typing as npt

from xenprof.errors import XenprofError

MAX_PCPUS = 4096
"""A record with a larger pcpu counts as damaged."""
CHUNK_BYTES = 1 << 22


class TraceFileError(XenprofError):
    """A file that is not a trace; the message names it."""


@dataclass(frozen=True, slots=True)
class Records:
    """Columns of equal length. In each row of `data` the first `words` are valid."""

    pcpu: npt.NDArray[np.int32]
    tsc: npt.NDArray[np.uint64]
    event: npt.NDArray[np.uint32]
    data: npt.NDArray[np.uint64]  # one row per record
    words: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.event)

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_] | slice) -> "Records":
        """Return some of the records, in the given order."""
        return Records(
            self.pcpu[rows], self.tsc[rows], self.event[rows], self.data[rows], self.words[rows]
        )


def joined(parts: list[Records]) -> Records:
    """Return the records of all parts (at least one, of the same format)."""
    if len(parts) == 1:
        return parts[0]
    return Records(
        np.concatenate([part.pcpu for part in parts]),
        np.concatenate([part.tsc for part in parts]),
        np.concatenate([part.event for part in parts]),
        np.concatenate([part.data for part in parts]),
        np.concatenate([part.words for part in parts]),
    )


class Decoder(Protocol):
    """Turns the bytes of one file into records, a buffer at a time."""

    format: str
    skipped_bytes: int
    """Bytes so far that were not part of a record."""

    def feed(self, data: bytes, *, is_last: bool) -> tuple[Records, int]:
        """Return the records of `data`, and how many of its bytes were consumed.

        The caller passes the rest again with more data after it; with `is_last` nothing is left.
        """
        ...


def chunks(file: BinaryIO, decoder: Decoder, chunk_bytes: int = CHUNK_BYTES) -> Iterator[Records]:
    """Yield the records of `file` to its end; memory is bounded by the size of a chunk."""
    data = b""
    while True:
        more = file.read(chunk_bytes)
        data += more
        records, done = decoder.feed(data, is_last=not more)
        if len(records):
            yield records
        if not more:
            return
        data = data[done:]
