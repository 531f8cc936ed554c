"""Work: what a vcpu executes, as repeat counts of code paths.

Cycles are kept in units of 2**-20 cycle (suffix `_q`), so that progress is exactly linear in
elapsed nanoseconds at any speed, and splitting a segment loses nothing to rounding.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

from hypervisor.model.codebook.pressure import Pressure

Q: Final = 20
ENDLESS: Final = -1

_USUAL: Final = 17  # packets of a lot, mostly

Parts = list[tuple[int, int]]
"""(code path index, cycles_q) pairs; they are executed interleaved, in proportion."""


class Unit:
    """One unit of a code path, as work counts it. `hypercalls` is in HYPERCALL_SHARES."""

    __slots__ = ("_usual", "cycles", "hypercalls", "path")

    def __init__(self, path: int, cycles: int, hypercalls: int) -> None:
        self.path = path
        self.cycles = cycles
        self.hypercalls = hypercalls
        self._usual: list[object] = []

    def part(self, count: int) -> object:
        """Return the part of work, (path, cycles_q), that so many units are.

        It is an object to compiled code, which would make a new tuple otherwise; those of small
        counts are made once.
        """
        if not 0 <= count < _USUAL:
            return (self.path, self.cycles * count << Q)  # the product is still small
        if not self._usual:
            self._usual = [(self.path, self.cycles * each << Q) for each in range(_USUAL)]
        return self._usual[count]


class TaskIdentity:
    """A thread of a guest, as samples identify it. `program` is an absolute path.

    Threads of a kernel have tgid 0 and no program.
    """

    __slots__ = ("program", "spent_ns", "tgid", "tid", "vcpu")

    def __init__(self, tgid: int, tid: int, program: str) -> None:
        self.tgid = tgid
        self.tid = tid
        self.program = program
        self.vcpu = 0  # where it last ran; the guest's scheduler prefers it
        self.spent_ns = 0  # for how long it has run, with the overheads that fell into its time


KERNEL: Final = TaskIdentity(0, 0, "")
"""No thread: interrupts of any guest. Their time is not kept here."""


Arg = TypeVar("Arg")
NOTHING: Any = None


class Work(Generic[Arg]):
    """A piece of execution; `arg` is a value for `done`.

    Life: queued on a vcpu -> begun (`begun_ns`) -> executed in one or more segments -> `done`.
    `parts` always holds what remains. Endless work has one path and is never done; `executed_q`
    has the cycles that it has executed. `cold_q` has to be executed besides, by code of
    `cold_path`: what its program fetches again into the cache, which is no work. `cold_share` of
    what is executed is that until all is fetched, in 1/1024.
    """

    __slots__ = (
        "arg",
        "begun_ns",
        "beneficiary",
        "cold_path",
        "cold_q",
        "cold_share",
        "done",
        "executed_q",
        "parts",
        "pressure",
        "ran_ns",
        "ready_ns",
        "remaining_q",
        "task",
        "total_q",
    )

    def __init__(
        self,
        parts: Parts,
        done: Callable[["Work[Arg]"], None] | None = None,
        arg: Arg = NOTHING,
        *,
        task: TaskIdentity = KERNEL,
        beneficiary: int = -1,
    ) -> None:
        """`beneficiary` is the domid for which domain 0 works (-1: itself)."""
        self.parts = parts
        total = 0
        for _, cycles_q in parts:
            total += cycles_q
        self.total_q = self.remaining_q = total
        self.done = done
        self.arg = arg
        self.task = task
        self.beneficiary = beneficiary
        self.ready_ns = 0
        self.begun_ns = -1
        self.ran_ns = 0  # the used part of the guest's timeslice, when last stopped
        self.executed_q = 0
        self.cold_q = 0
        self.cold_path = -1
        self.cold_share = 0
        self.pressure: Pressure | None = None  # worked out when it is first asked for

    @staticmethod
    def endless(path: int, task: TaskIdentity) -> "Work[None]":
        """Return work that goes on until it is removed."""
        work: Work[None] = Work([(path, 0)], task=task)
        work.total_q = work.remaining_q = ENDLESS
        return work

    def advance(self, executed_q: int) -> Parts:
        """Take `executed_q` (at most what remains) from the parts; return the executed parts."""
        if self.cold_q:
            fetched_q = self._fetched(executed_q)
            self.cold_q -= fetched_q
            fetched = [(self.cold_path, fetched_q)]
            if fetched_q == executed_q:
                return fetched
            return fetched + self._work_off(executed_q - fetched_q)
        return self._work_off(executed_q)

    def _fetched(self, executed_q: int) -> int:
        """Return how much of what is executed is fetching."""
        fetched_q = executed_q * self.cold_share >> 10
        if self.remaining_q >= 0:
            # The share is rounded: neither of the two ends before the other.
            least_q = executed_q - self.remaining_q
            if least_q < self.cold_q:
                least_q += 1
            fetched_q = max(fetched_q, least_q)
        return min(fetched_q, self.cold_q)

    def _work_off(self, executed_q: int) -> Parts:
        self.executed_q += executed_q
        remaining = self.remaining_q
        if remaining < 0:
            return [(self.parts[0][0], executed_q)]
        if executed_q == remaining:
            executed = self.parts
            self.parts = []
            self.remaining_q = 0
            return executed
        self.remaining_q = remaining - executed_q
        executed, self.parts = split(self.parts, executed_q, remaining)
        return executed


AnyWork = Work[Any]
"""Work as queues and vcpus see it, which do not use its `arg`."""


def split(parts: Parts, take_q: int, total_q: int) -> tuple[Parts, Parts]:
    """Split `parts` (sum `total_q`) in proportion; return (parts of sum `take_q`, the rest)."""
    if len(parts) == 1:
        path = parts[0][0]
        return [(path, take_q)], [(path, total_q - take_q)]
    taken: Parts = []
    left: Parts = []
    due = take_q
    weight = total_q
    for path, cycles_q in parts:
        share = cycles_q * due // weight if weight else 0
        taken.append((path, share))
        left.append((path, cycles_q - share))
        due -= share
        weight -= cycles_q
    return taken, left


def parts_of(cycles: Sequence[int], counts: Sequence[tuple[int, int]]) -> Parts:
    """Return the parts of `counts` = (path index, repeat count), given cycles per path."""
    return [(path, cycles[path] * count << Q) for path, count in counts if count]
