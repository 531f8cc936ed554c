"""Counts what happened to samples: the hypervisor's statistics, and lasting counts by domain."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from hypervisor.model.profiling.counterconfig import CounterConfig

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
        # By mode, for (domid, counter): those of the counters as they are programmed now, and
        # those of each setting that was programmed before.
        self.logged: dict[tuple[int, int], list[int]] = {}
        self._counters: Mapping[int, CounterConfig] = {}
        self._earlier: dict[tuple[int, CounterConfig], list[int]] = {}

    def program(self, counters: Mapping[int, CounterConfig]) -> None:
        """Count samples of these counters from now on; those until now keep their settings."""
        for domid, config, by_mode in self._present():
            _add(self._earlier.setdefault((domid, config), [0, 0, 0]), by_mode)
        self.logged = {}
        self._counters = counters

    def settings(self) -> Iterator[tuple[int, CounterConfig, list[int]]]:
        """Yield domid, setting and logged samples by mode, of all sessions."""
        for (domid, config), by_mode in self._earlier.items():
            yield domid, config, by_mode
        yield from self._present()

    def _present(self) -> Iterator[tuple[int, CounterConfig, list[int]]]:
        for (domid, counter), by_mode in sorted(self.logged.items()):
            yield domid, self._counters[counter], by_mode

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
        for each in [each for each in self._earlier if each[0] == domid]:
            del self._earlier[each]

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
                _add(self.logged.setdefault((domid, counter), [0, 0, 0]), by_mode)


def _add(counts: list[int], more: list[int]) -> None:
    for mode, samples in enumerate(more):
        counts[mode] += samples
