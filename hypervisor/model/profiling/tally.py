"""Counts what happened to samples: the hypervisor's statistics, and lasting counts by domain."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hypervisor.model.profiling.chunks import SampleChunk


class Tally:
    """Counts every overflow as `active`, `passive`, `others` or `lost`, and in `total`."""

    def __init__(self) -> None:
        self.total = self.active = self.passive = 0
        self.others = self.lost = self.invalid = self.corrupted = 0
        # By domid; `restart` does not zero these.
        self.ring_full: dict[int, int] = {}
        self.never_read: dict[int, int] = {}  # logged, but the ring was emptied or released
        self.logged: dict[tuple[int, int], list[int]] = {}  # by mode, for (domid, counter)

    def restart(self) -> None:
        """Zero the statistics, as the hypervisor does when the primary enables its VIRQ."""
        self.total = self.active = self.passive = 0
        self.others = self.lost = self.invalid = self.corrupted = 0

    def forget(self, domid: int) -> None:
        """Forget a domain's counts: its id may be given to another."""
        self.ring_full.pop(domid, None)
        self.never_read.pop(domid, None)
        for key in [key for key in self.logged if key[0] == domid]:
            del self.logged[key]

    def lose(self, domid: int, samples: int) -> None:
        """Count samples that found a ring full."""
        self.lost += samples
        self.ring_full[domid] = self.ring_full.get(domid, 0) + samples

    def leave_unread(self, domid: int, samples: int) -> None:
        """Count samples that are discarded unread."""
        if samples:
            self.never_read[domid] = self.never_read.get(domid, 0) + samples

    def log(self, chunk: "SampleChunk", rows: Sequence[int]) -> None:
        """Count the logged samples of these rows."""
        domids, samples = chunk.domids[rows], chunk.counts[rows]
        for domid in sorted(set(domids.tolist())):
            mine: list[list[int]] = samples[domids == domid].sum(axis=0).tolist()
            for (counter, _), by_mode in zip(chunk.counters, mine, strict=True):
                counts = self.logged.setdefault((domid, counter), [0, 0, 0])
                for mode, more in enumerate(by_mode):
                    counts[mode] += more
