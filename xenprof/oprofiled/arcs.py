"""Counts arcs of call graphs (callers and callees) as oprofile's daemon does.

A sample with n callers in its own mode has n arcs: the pairs of neighbours on its stack, keyed
(caller offset << 32) | callee offset, in a file of both images. User, kernel and hypervisor
frames are not joined, as the original's walk ends at the border.
Source: oprofile daemon/opd_sfile.c (sfile_log_arc), opd_trans.c; Linux arch/i386/oprofile.
"""

from collections.abc import Callable

import numpy as np

from hypervisor.samples import CallStack, SampleRuns
from xenprof.oprofiled.attribution import PLACE_SHIFT, Attributed, Attributor, Place
from xenprof.oprofiled.histogram import Histogram
from xenprof.oprofiled.ranges import U64, Ints

_REST = np.uint64((1 << PLACE_SHIFT) - 1)  # the bits of thread, event and cpu in a group
_AT_ONCE = 1 << 14
"""The number of stacks whose frames are looked up together, which limits the memory."""
_LOW = np.uint64(0xFFFFFFFF)
_HIGH = np.uint64(32)


class ArcCounter:
    """Counts the arcs of attributed samples; passive domains have none."""

    def __init__(
        self, attributor: Attributor, stack: Callable[[int], CallStack], domid: int
    ) -> None:
        """`stack` returns the stack of a number in a batch."""
        self._attributor = attributor
        self._stack = stack
        self._domid = domid
        self._arcs = Histogram()
        # The frames above the first caller are the same for all samples of a stack.
        self._walks = Histogram()
        self._callers: dict[int, U64] = {}  # pcs by stack, innermost caller first
        self._first = np.zeros(0, np.uint64)  # the first pc by stack, 0 for none
        self._is_known = np.zeros(0, np.bool_)
        self._pairs: list[tuple[int, int]] = []
        self._pair_index: dict[tuple[int, int], int] = {}
        self.missing = 0
        """The number of arcs whose caller is in no image, or in a filtered one."""

    def add(self, found: Attributed) -> None:
        """Count the arcs of attributed samples."""
        samples, all_rows = found.samples, found.rows
        is_own = (samples.domain == self._domid)[all_rows.run]
        at = np.flatnonzero((all_rows.stack_id >= 0) & is_own)
        if not len(at):
            return
        self._learn(all_rows.stack_id[at])
        first = self._first[all_rows.stack_id[at]]
        at, first = at[first > 0], first[first > 0]
        if not len(at):
            return
        rows = all_rows.only(at)
        callers, caller_offsets = self._attributor.locate(samples, rows.run, first)
        groups = found.groups[at]
        callees = (groups >> np.uint64(PLACE_SHIFT)).astype(np.int64)
        rest = groups & _REST
        self._count(callers, callees, caller_offsets, found.offsets[at], rest, rows.counts)
        # The task decides where user code is mapped, also if tasks are not separated.
        tgids = samples.tgid[rows.run].astype(np.uint64)
        self._walks.add(rest, rows.stack_id.astype(np.uint64) << _HIGH | tgids, rows.counts)

    def drain(self) -> list[tuple[Place, Place, int, U64, U64]]:
        """Return (caller, callee, rest of the group, keys, counts) of all arcs, and remove them."""
        self._expand()
        drained = []
        for group, keys, counts in self._arcs.drain():
            caller, callee = self._pairs[group >> PLACE_SHIFT]
            place = self._attributor.place
            drained.append((place(caller), place(callee), group & int(_REST), keys, counts))
        return drained

    @property
    def rows(self) -> int:
        """Return the number of rows of counts in memory."""
        return len(self._arcs) + len(self._walks)

    def compact(self) -> None:
        """Merge rows to as few as possible."""
        self._arcs.compact()
        self._walks.compact()

    def _learn(self, stack_ids: "np.ndarray") -> None:
        """Look up the callers of new stacks."""
        most = int(stack_ids.max()) + 1
        if most > len(self._first):
            more = max(most, 2 * len(self._first)) - len(self._first)
            self._first = np.concatenate([self._first, np.zeros(more, np.uint64)])
            self._is_known = np.concatenate([self._is_known, np.zeros(more, np.bool_)])
        fresh = stack_ids[~self._is_known[stack_ids]]
        for number in np.unique(fresh).tolist() if len(fresh) else ():
            frames = self._stack(number).frames
            leaf = frames[-1]
            pcs = []
            for frame in reversed(frames[:-1]):
                if frame.mode != leaf.mode or frame.domain != leaf.domain:
                    break
                pcs.append(frame.pc)
            self._callers[number] = np.array(pcs, np.uint64)
            self._first[number] = pcs[0] if pcs else 0
            self._is_known[number] = True

    def _expand(self) -> None:
        """Count the arcs above the first callers, for a number of stacks at a time."""
        for rest, where, counts in self._walks.drain():
            for start in range(0, len(where), _AT_ONCE):
                part = slice(start, start + _AT_ONCE)
                self._expand_some(rest, where[part], counts[part])

    def _expand_some(self, rest: int, where: U64, counts: U64) -> None:
        numbers = (where >> _HIGH).astype(np.int64)
        lengths = np.array([len(self._callers[number]) for number in numbers.tolist()])
        long = np.flatnonzero(lengths > 1)
        if not len(long):
            return
        numbers, lengths, counts = numbers[long], lengths[long], counts[long]
        pcs = np.concatenate([self._callers[number] for number in numbers.tolist()])
        modes = [self._stack(number).frames[-1].mode for number in numbers.tolist()]
        tgids = (where[long] & _LOW).astype(np.int32)
        frames = _frames(pcs, lengths, np.array(modes, np.uint8), tgids, self._domid)
        run = np.repeat(np.arange(len(lengths)), lengths)
        places, offsets = self._attributor.locate(frames, run, pcs)
        # Frame i is called by frame i + 1, but not across the end of a stack.
        callees = np.delete(np.arange(len(pcs)), np.cumsum(lengths) - 1)
        self._count(
            places[callees + 1],
            places[callees],
            offsets[callees + 1],
            offsets[callees],
            np.full(len(callees), rest, np.uint64),
            np.repeat(counts, lengths - 1),
        )

    def _count(
        self, callers: Ints, callees: Ints, above: U64, below: U64, rest: U64, counts: U64
    ) -> None:
        kept = self._attributor.is_kept(callers) & (callees >= 0)
        if not kept.all():
            self.missing += int(counts[~kept].sum())
            callers, callees = callers[kept], callees[kept]
            above, below, rest, counts = above[kept], below[kept], rest[kept], counts[kept]
        codes = callers << 20 | callees
        values, inverse = np.unique(codes, return_inverse=True)
        pairs = np.array(
            [self._pair(code >> 20, code & 0xFFFFF) for code in values.tolist()], np.uint64
        )[inverse]
        groups = pairs << np.uint64(PLACE_SHIFT) | rest
        self._arcs.add(groups, above << _HIGH | below & _LOW, counts)

    def _pair(self, caller: int, callee: int) -> int:
        index = self._pair_index.get((caller, callee))
        if index is None:
            index = self._pair_index[caller, callee] = len(self._pairs)
            self._pairs.append((caller, callee))
        return index


def _frames(
    pcs: U64, lengths: Ints, modes: "np.ndarray", tgids: "np.ndarray", domid: int
) -> SampleRuns:
    """Return frames as runs of samples, as if they had been sampled."""
    zero = np.zeros(len(lengths), np.int32)
    none = np.zeros(len(lengths), np.int64)
    domains = np.full(len(lengths), domid, np.int32)
    return SampleRuns(
        lengths=lengths, first_ns=none, step_ns=none, pcpu=zero, domain=domains, vcpu=zero,
        mode=modes, event=np.zeros(len(lengths), np.uint8), tgid=tgids, tid=zero,
        on_behalf_of=domains, pc=pcs, stack_id=np.full(len(pcs), -1, np.int32),
    )  # fmt: skip
