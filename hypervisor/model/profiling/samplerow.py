"""Names a row of a chunk of samples, as rings and buffers hold it; needs no numpy."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from hypervisor.model.profiling.chunks import SampleChunk


@final
class SampleRow:
    """A row of a chunk, and the number of samples that it stands for."""

    __slots__ = ("chunk", "row", "samples")

    def __init__(self, chunk: "SampleChunk", row: int, samples: int) -> None:
        self.chunk = chunk
        self.row = row
        self.samples = samples

    @property
    def callers(self) -> int:
        """Return the number of callers of each of its samples."""
        walks = self.chunk.walks
        return 0 if walks is None else int(walks.callers[self.row])

    def first(self, room: int) -> "SampleRow":
        """Return the row with its first `room` samples (at least none, at most all)."""
        if self.samples <= room:
            return self
        if room <= 0:
            return SampleRow(self.chunk, self.row, 0)
        return SampleRow(self.chunk.first_of(self.row, room), 0, room)


def samples_of(rows: Iterable[SampleRow]) -> int:
    """Return the number of samples that some rows stand for."""
    return sum([row.samples for row in rows])
