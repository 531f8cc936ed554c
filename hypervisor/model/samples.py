"""Samples on their way: records of runs of samples, and records made into columns.

A record stands for all samples of one settled segment. The pc of each sample
is drawn only when a reader wants it: two integer searches for a whole batch.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hypervisor.model.code import CodeBook, Kind
from hypervisor.model.work import Parts
from hypervisor.telemetry import SampleBatch

_SHARE_BITS = 12


SampleGroup = tuple[int, int, int, int, int, int]
"""(counter, user, kernel, xen, first_ns, step_ns): samples of one counter, by mode; the first
at `first_ns`, each of the others `step_ns` later."""


class SampleRecord(NamedTuple):
    """The samples of one settled segment.

    `paths` and `weights` are the code paths of the segment and their executed cycles_q.
    """

    groups: tuple[SampleGroup, ...]
    samples: int  # in all groups together
    pcpu: int
    domid: int
    vcpu: int
    tgid: int
    tid: int
    on_behalf_of: int
    parts: Parts

    def without_xen(self, lost: int) -> "SampleRecord":
        """Return the record less `lost` of its hypervisor samples."""
        kept = self.samples - lost
        groups = []
        for counter, user, kernel, xen, first_ns, step_ns in self.groups:
            less = min(xen, lost)
            lost -= less
            groups.append((counter, user, kernel, xen - less, first_ns, step_ns))
        return self._replace(groups=tuple(groups), samples=kept)

    def first(self, room: int) -> "SampleRecord":
        """Return the record with its first `room` samples, each mode in proportion."""
        groups = []
        due, left = room, self.samples
        for counter, user, kernel, xen, first_ns, step_ns in self.groups:
            counts = []
            for count in (user, kernel, xen):
                share = count * due // left if left else 0
                counts.append(share)
                due -= share
                left -= count
            groups.append((counter, *counts, first_ns, step_ns))
        return self._replace(groups=tuple(groups), samples=room)


class SampleExpander:
    """Makes columns of records, with a random stream of its own."""

    def __init__(self, code: CodeBook, seed: int) -> None:
        self._code = code
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._tables: dict[tuple[tuple[int, Kind], ...], npt.NDArray[np.int64]] = {}

    def expand(self, records: Sequence[SampleRecord], kinds: Mapping[int, Kind]) -> SampleBatch:
        """Return one row per sample, segment by segment; inside one, by counter and mode.

        `kinds`: what each counter counted. Each vcpu's segments are in the order of time.
        """
        groups = [(number, *group) for number, one in enumerate(records) for group in one.groups]
        table = np.array(groups, dtype=np.int64)
        of_record, counter = table[:, 0], table[:, 1]
        by_mode = table[:, 2:5]
        total = by_mode.sum(axis=1)
        rows = int(total.sum())
        group = np.repeat(np.arange(len(groups)), total)
        nth = np.arange(rows) - np.repeat(np.cumsum(total) - total, total)
        mode = np.repeat(np.tile(np.arange(3), len(groups)), by_mode.ravel())
        path = self._draw_paths(records, of_record, group, mode, counter, kinds)
        event = np.repeat(counter.astype(np.uint8), total)
        random = self._random.integers(0, 1 << 63, rows, dtype=np.uint64)
        if len(kinds) == 1:
            pc = self._code.draw(int(next(iter(kinds.values()))), path, mode, random)
        else:
            pc = np.zeros(rows, dtype=np.uint64)
            for index, kind in kinds.items():
                mine = np.flatnonzero(event == index)
                if len(mine):
                    pc[mine] = self._code.draw(int(kind), path[mine], mode[mine], random[mine])
        # pcpu, domid, vcpu, tgid, tid, on_behalf_of
        context = np.array([one[2:8] for one in records], dtype=np.int32)[of_record]
        context[:, 5] = np.where(context[:, 5] < 0, context[:, 1], context[:, 5])
        pcpu, domid, vcpu, tgid, tid, behalf = (
            np.repeat(context[:, column], total) for column in range(6)
        )
        return SampleBatch(
            time_ns=np.repeat(table[:, 5], total) + nth * np.repeat(table[:, 6], total),
            pcpu=pcpu,
            domain=domid,
            vcpu=vcpu,
            mode=mode.astype(np.uint8),
            event=event,
            pc=pc,
            tgid=tgid,
            tid=tid,
            stack_id=np.full(rows, -1, dtype=np.int32),
            on_behalf_of=behalf,
        )

    def _draw_paths(
        self,
        records: Sequence[SampleRecord],
        of_record: npt.NDArray[np.int64],
        group: npt.NDArray[np.int64],
        mode: npt.NDArray[np.int64],
        counter: npt.NDArray[np.int64],
        kinds: Mapping[int, Kind],
    ) -> npt.NDArray[np.int64]:
        """Draw the path of each row from its record's parts, by the counter's events in its mode."""
        lengths = np.array([len(one.parts) for one in records])[of_record]
        ends = np.cumsum(lengths)
        part_group = np.repeat(np.arange(len(of_record)), lengths)
        flat = np.array(
            [part for one in records for _ in one.groups for part in one.parts], dtype=np.float64
        )
        part_path = flat[:, 0].astype(np.int64)
        sums = np.add.reduceat(flat[:, 1], ends - lengths)
        # Products and floors of doubles are the same on every IEEE machine.
        shares = (flat[:, 1] * (1 << _SHARE_BITS) // sums[part_group]).astype(np.int64) + 1
        rates = self._rates(kinds)
        path = np.empty(len(group), dtype=np.int64)
        for m in range(3):
            mine = np.flatnonzero(mode == m)
            if not len(mine):
                continue
            cumulative = np.cumsum(shares * rates[counter[part_group], part_path, m])
            upper = cumulative[ends - 1]
            lower = np.concatenate(([0], upper[:-1]))
            of = group[mine]
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
