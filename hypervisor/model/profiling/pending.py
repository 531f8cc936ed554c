"""Samples that a daemon has read but nobody has looked at: rows, in lots of a sensible size."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.profiling.samplerow import SampleRow, samples_of

if TYPE_CHECKING:
    from hypervisor.model.profiling.expansion import SampleExpander
    from hypervisor.model.profiling.segments import Segments
    from hypervisor.samples import SampleRuns

# Columns of this length stay in the cache, and in memory that the allocator keeps (glibc maps
# and unmaps blocks from 128 KiB on, page by page).
LOT_SAMPLES = 12_000


class Expander:
    """Expands the segments of one domain; what it needs is made when the first are loaded."""

    def __init__(self, code: CodeBook, seed: int) -> None:
        self._code = code
        self._seed = seed
        self._expander: SampleExpander | None = None

    def expand(self, lots: "Sequence[Segments]") -> "SampleRuns":
        """Return the samples of some segments (see `SampleExpander.expand`)."""
        if self._expander is None:
            # Here, because importing numpy takes a third of the start of a run without a profile.
            from hypervisor.model.profiling.expansion import SampleExpander

            self._expander = SampleExpander(self._code, self._seed)
        return self._expander.expand(lots)


class PendingSamples:
    """Samples whose pcs are drawn when they are loaded (see `host.Samples`)."""

    __slots__ = ("_expander", "_lots", "_samples")

    def __init__(self, expander: Expander, rows: Sequence[SampleRow]) -> None:
        from hypervisor.model.profiling.segments import gathered  # with numpy

        self._expander = expander
        self._lots = gathered(rows)
        self._samples = samples_of(rows)

    def __len__(self) -> int:
        """Return the number of samples."""
        return self._samples

    def load(self) -> "SampleRuns":
        """Return the columns, with the pcs drawn."""
        return self._expander.expand(self._lots)


def pending_samples(expander: Expander, rows: Sequence[SampleRow]) -> Iterator[PendingSamples]:
    """Yield the rows in lots of about LOT_SAMPLES samples."""
    lot: list[SampleRow] = []
    samples = 0
    for row in rows:
        lot.append(row)
        samples += row.samples
        if samples >= LOT_SAMPLES:
            yield PendingSamples(expander, lot)
            lot, samples = [], 0
    if lot:
        yield PendingSamples(expander, lot)
