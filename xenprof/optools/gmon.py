"""Encodes gmon.out: samples and calls of one program in the format that GNU gprof reads.

Source: oprofile pp/opgprof.cpp; gmon_out.h of the GNU C library.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

_MAGIC, _VERSION = b"gmon", 1
_HISTOGRAM, _ARC = 0, 1
_BIN_MAX = 0xFFFF
_COUNT_MAX = 0xFFFFFFFF
_RATE = 1  # samples per "second", so that gprof's seconds are samples
_UNIT, _UNIT_LETTER = b"samples", b"1"
# judgement: a kernel's text and its vsyscall page are gigabytes apart; one histogram for both
# would be as large.
_GAP_BYTES = 1 << 24

Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Arc:
    """Samples in calls from one address to another."""

    caller: int
    callee: int
    count: int


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples in order of their addresses, and which of them are to be shown."""

    addresses: Words
    counts: Words
    shown: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Gmon:
    """A complete file, and the samples that did not fit into its 16-bit counters: their counts."""

    data: bytes
    capped: tuple[int, ...]


def encode(samples: Samples, arcs: Sequence[Arc], *, is_64: bool, order: str = "<") -> Gmon:
    """Return the file for samples and calls.

    A bin covers two bytes of code, or eight if all addresses are multiples of four. All samples
    decide on that and on the range of a histogram; only those to be shown count in it. Addresses
    that lie far apart get histograms of their own. `order` is the byte order, "<" or ">".
    """
    width = 2 if (samples.addresses % np.uint64(4)).any() else 8
    bins, place = np.unique(samples.addresses // np.uint64(width), return_inverse=True)
    sums = np.zeros(len(bins), np.uint64)
    np.add.at(sums, place[samples.shown], samples.counts[samples.shown])
    kept = np.minimum(sums, np.uint64(_BIN_MAX))
    capped = _capped(sums, place, samples)
    word = "Q" if is_64 else "I"
    out = bytearray(struct.pack(f"{order}4sI12x", _MAGIC, _VERSION))
    head = struct.Struct(f"{order}B{word}{word}II15sc")
    for first, last in _spans(bins, _GAP_BYTES // width):
        low, high = int(bins[first]), int(bins[last - 1]) + 1
        out += head.pack(
            _HISTOGRAM, low * width, high * width, high - low, _RATE, _UNIT, _UNIT_LETTER
        )
        histogram = np.zeros(high - low, f"{order}u2")
        histogram[(bins[first:last] - np.uint64(low)).astype(np.int64)] = kept[first:last]
        out += histogram.tobytes()
    row = struct.Struct(f"{order}B{word}{word}I")
    for arc in arcs:
        out += row.pack(_ARC, arc.caller, arc.callee, min(arc.count, _COUNT_MAX))
    return Gmon(bytes(out), capped)


def _capped(sums: Words, place: Words, samples: Samples) -> tuple[int, ...]:
    """Return the count of each sample with which its bin is over its limit."""
    full = samples.shown & (sums[place] > _BIN_MAX)
    so_far: dict[int, int] = {}
    capped = []
    for row in np.flatnonzero(full).tolist():
        bin_, count = int(place[row]), int(samples.counts[row])
        so_far[bin_] = so_far.get(bin_, 0) + count
        if so_far[bin_] > _BIN_MAX:
            capped.append(count)
    return tuple(capped)


def _spans(bins: Words, gap: int) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of the runs of `bins` without a gap; an empty one if there are none."""
    if not len(bins):
        return
    cuts = np.flatnonzero(np.diff(bins) > np.uint64(gap)) + 1
    yield from pairwise([0, *cuts.tolist(), len(bins)])
