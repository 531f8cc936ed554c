"""What became of the samples: the hypervisor's statistics, and counts by domain for ever."""

from collections.abc import Sequence

from hypervisor.model.profiling.chunks import SampleChunk


class Tally:
    """Every overflow is one of `active`, `passive`, `others`, `lost`; `total` is all of them."""

    def __init__(self) -> None:
        self.total = self.active = self.passive = 0
        self.others = self.lost = self.invalid = self.corrupted = 0
        # For ever, by domid; `restart` leaves these alone.
        self.ring_full: dict[int, int] = {}
        self.never_read: dict[int, int] = {}  # logged, but the ring was emptied or given back
        self.logged: dict[tuple[int, int], list[int]] = {}  # by mode, of (domid, counter)

    def restart(self) -> None:
        """Zero the statistics, as the hypervisor does when the primary enables its VIRQ."""
        self.total = self.active = self.passive = 0
        self.others = self.lost = self.invalid = self.corrupted = 0

    def lose(self, domid: int, samples: int) -> None:
        """Count samples that found a ring full."""
        self.lost += samples
        self.ring_full[domid] = self.ring_full.get(domid, 0) + samples

    def leave_unread(self, domid: int, samples: int) -> None:
        """Count samples that nobody will take out of a ring."""
        if samples:
            self.never_read[domid] = self.never_read.get(domid, 0) + samples

    def log(self, chunk: SampleChunk, rows: Sequence[int]) -> None:
        """Count what was kept of these rows."""
        domids = chunk.domids[rows]
        for domid in sorted(set(domids.tolist())):
            mine = chunk.counts[rows][domids == domid].sum(axis=0).tolist()
            for (counter, _), by_mode in zip(chunk.counters, mine, strict=True):
                counts = self.logged.setdefault((domid, counter), [0, 0, 0])
                for mode, samples in enumerate(by_mode):
                    counts[mode] += samples
