"""Turns counts by fixed buckets into an exponential histogram.

Of a duration only its bucket is known. It is counted where the upper bound of that bucket is, so
that no quantile comes out too small; one above the last bound goes right above it.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

SCALE = 0
"""Bucket `index` has what is above 2 ** index, up to 2 ** (index + 1): finer than our bounds."""


class Exponential(NamedTuple):
    """The buckets: the index of the first, and the counts from there on."""

    offset: int
    counts: tuple[int, ...]


def exponential(counts: Sequence[int], bounds: Sequence[float]) -> Exponential:
    """Return the buckets for `counts`, which are one more than `bounds`."""
    indices = [math.ceil(math.log2(bound)) - 1 for bound in bounds]
    indices.append(indices[-1] + 1)
    first = indices[0]
    made = [0] * (indices[-1] - first + 1)
    for index, count in zip(indices, counts, strict=True):
        made[index - first] += count
    return Exponential(first, tuple(made))
