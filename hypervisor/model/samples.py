"""Samples on their way: records of runs of samples, and records made into columns.

A record stands for all samples of one counter in one settled segment. The pc of each sample
is drawn only when a reader wants it: two integer searches for a whole batch.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hypervisor.model.code import CodeBook, Kind
from hypervisor.telemetry import SampleBatch

_SHARE_BITS = 12


class SampleRecord(NamedTuple):
    """`user + kernel + xen` samples at `first_ns`, `first_ns + step_ns`, ...

    `paths` and `weights` are the code paths of the segment and their executed cycles_q.
    """

    counter: int
    user: int
    kernel: int
    xen: int
    first_ns: int
    step_ns: int
    pcpu: int
    domid: int
    vcpu: int
    tgid: int
    tid: int
    on_behalf_of: int
    paths: tuple[int, ...]
    weights: tuple[int, ...]

    @property
    def samples(self) -> int:
        """Return how many samples it stands for."""
        return self.user + self.kernel + self.xen

    def keep(self, user: int, kernel: int, xen: int) -> "SampleRecord":
        """Return the record with fewer samples: the others were lost."""
        return self._replace(user=user, kernel=kernel, xen=xen)

    def first(self, room: int) -> "SampleRecord":
        """Return the record with its first `room` samples, modes in the proportion of the whole."""
        samples = self.samples
        user = self.user * room // samples
        xen = self.xen * room // samples
        kernel = min(self.kernel, room - user - xen)
        short = room - user - xen - kernel  # rounding; give it to whoever has some left
        more_user = min(short, self.user - user)
        return self.keep(user + more_user, kernel, xen + short - more_user)


class SampleExpander:
    """Makes columns of records, with a random stream of its own."""

    def __init__(self, code: CodeBook, seed: int) -> None:
        self._code = code
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._tables: dict[tuple[tuple[int, Kind], ...], npt.NDArray[np.int64]] = {}

    def expand(self, records: Sequence[SampleRecord], kinds: Mapping[int, Kind]) -> SampleBatch:
        """Return one row per sample, ordered by time. `kinds`: what each counter counted."""
        (counter, user, kernel, xen, first, step, pcpu, domid, vcpu, tgid, tid, behalf) = (
            np.array(column, dtype=np.int64) for column in list(zip(*records, strict=True))[:12]
        )
        by_mode = np.stack([user, kernel, xen], axis=1)
        total = by_mode.sum(axis=1)
        rows = int(total.sum())
        record = np.repeat(np.arange(len(records)), total)
        starts = np.cumsum(total) - total
        nth = np.arange(rows) - np.repeat(starts, total)
        # Which samples of a run are of which mode is a random order of the known counts.
        mode = np.repeat(np.tile(np.arange(3), len(records)), by_mode.ravel())
        order = np.lexsort((self._random.integers(0, 1 << 62, rows), record))
        mode = mode[order]
        path = self._draw_paths(records, record, mode, counter, kinds)
        pc = np.zeros(rows, dtype=np.uint64)
        for index, kind in kinds.items():
            mine = np.flatnonzero(counter[record] == index)
            if len(mine):
                random = self._random.integers(0, 1 << 63, len(mine), dtype=np.uint64)
                pc[mine] = self._code.draw(int(kind), path[mine], mode[mine], random)
        time_ns = first[record] + nth * step[record]
        by_time = np.argsort(time_ns, kind="stable")
        record = record[by_time]
        own = domid[record]
        for_whom = behalf[record]
        return SampleBatch(
            time_ns=time_ns[by_time],
            pcpu=pcpu[record].astype(np.int32),
            domain=own.astype(np.int32),
            vcpu=vcpu[record].astype(np.int32),
            mode=mode[by_time].astype(np.uint8),
            event=counter[record].astype(np.uint8),
            pc=pc[by_time],
            tgid=tgid[record].astype(np.int32),
            tid=tid[record].astype(np.int32),
            stack_id=np.full(rows, -1, dtype=np.int32),
            on_behalf_of=np.where(for_whom < 0, own, for_whom).astype(np.int32),
        )

    def _draw_paths(
        self,
        records: Sequence[SampleRecord],
        record: npt.NDArray[np.int64],
        mode: npt.NDArray[np.int64],
        counter: npt.NDArray[np.int64],
        kinds: Mapping[int, Kind],
    ) -> npt.NDArray[np.int64]:
        """Draw the path of each row from its record's paths, by events of the row's mode."""
        lengths = np.array([len(entry.paths) for entry in records])
        part_record = np.repeat(np.arange(len(records)), lengths)
        part_path = np.fromiter(
            chain.from_iterable(entry.paths for entry in records), np.int64, int(lengths.sum())
        )
        weights = np.fromiter(
            chain.from_iterable(entry.weights for entry in records), np.float64, len(part_path)
        )
        sums = np.add.reduceat(weights, np.cumsum(lengths) - lengths)
        # Products and floors of doubles are the same on every IEEE machine.
        shares = (weights * (1 << _SHARE_BITS) // sums[part_record]).astype(np.int64) + 1
        path = np.empty(len(record), dtype=np.int64)
        rates = self._rates(kinds)
        last = np.cumsum(lengths)
        for m in range(3):
            mine = np.flatnonzero(mode == m)
            if not len(mine):
                continue
            cumulative = np.cumsum(shares * rates[counter[part_record], part_path, m])
            upper = cumulative[last - 1]
            lower = np.concatenate(([0], upper[:-1]))
            of = record[mine]
            span = np.maximum(upper[of] - lower[of], 1)
            target = lower[of] + self._random.integers(0, 1 << 62, len(mine)) % span
            path[mine] = part_path[np.searchsorted(cumulative, target, side="right")]
        return path

    def _rates(self, kinds: Mapping[int, Kind]) -> npt.NDArray[np.int64]:
        """Return events per cycle (2**-20) of [counter, path, mode], weighted by mode share."""
        code = self._code
        key = tuple(sorted(kinds.items()))
        if key in self._tables:
            return self._tables[key]
        table = self._tables[key] = np.zeros((max(kinds, default=0) + 1, len(code.paths), 3), dtype=np.int64)
        for index, kind in kinds.items():
            for path in code.paths:
                for m in range(3):
                    rate = code.rate_q20(path.index, m, kind)
                    table[index, path.index, m] = rate * path.by_mode[m] // path.cycles
        return table
