"""Looks up address ranges for whole columns of pcs at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]


class RangeTable:
    """Half-open ranges [start, end); where they overlap, the first one owns the address."""

    def __init__(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Empty ranges (end <= start) own nothing."""
        full = [(start, end, index) for index, (start, end) in enumerate(ranges) if start < end]
        points = sorted({point for start, end, _ in full for point in (start, end)})
        # Filling from the last to the first leaves each interval to its first owner.
        owners = np.full(len(points) + 1, -1, np.int64)
        at = {point: index + 1 for index, point in enumerate(points)}
        for start, end, index in reversed(full):
            owners[at[start] : at[end]] = index
        self._points = np.array([min(point, 2**64 - 1) for point in points], np.uint64)
        self._owners = owners

    def find(self, addresses: U64) -> Ints:
        """Return for each address the index of its range, or -1."""
        found: Ints = self._owners[np.searchsorted(self._points, addresses, "right")]
        return found
