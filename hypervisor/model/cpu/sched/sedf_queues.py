"""The SEDF scheduler's queues: for guaranteed time, for the next period, and for extra time.

A vcpu that wants to run is on one of two queues of its pcpu, whether it runs or not: `run` while
its period has begun and its slice is not used up, otherwise `wait`. It may be on two more queues
for time that is not guaranteed: lost time and extra time, each in the order of scores.
Source: xen/common/sched_sedf.c (3.0.3).
"""

from typing import Final

from hypervisor.domainsettings import SedfParameters
from hypervisor.model.domain.domain import Vcpu

# The kinds of time on which a vcpu runs; the first two are also indices of queues and scores.
LOST: Final = 0  # guaranteed time that it lost to a short sleep
EXTRA: Final = 1
GUARANTEED: Final = 2

# The orders of queues beside those of the scores, LOST and EXTRA.
_DEADLINE: Final = 2
_BEGIN: Final = 3

_FULL_USE_SCORE: Final = 1 << 10
_EXTRA_WEIGHT_SCORE: Final = 1 << 17  # an extra weight of 128 equals a slice of the whole period


class VcpuRecord:
    """The scheduler's record of a vcpu."""

    __slots__ = (
        "blocked_ns",
        "deadline_ns",
        "domain",
        "extra_weight",
        "extratime",
        "is_limited",
        "is_migrating",
        "is_queued",
        "latency_ns",
        "lost_ns",
        "period_ns",
        "runs_on",
        "scores",
        "slice_ns",
        "spent_ns",
        "started_ns",
        "vcpu",
        "wants_lost",
        "weight",
    )

    def __init__(
        self, vcpu: Vcpu, domain: "DomainRecord", first: SedfParameters, extra_weight: int
    ) -> None:
        self.vcpu = vcpu
        self.domain = domain
        self.period_ns = first.period_ns
        self.slice_ns = first.slice_ns
        self.latency_ns = first.latency_ns
        self.extratime = first.extratime
        self.weight = first.weight  # its slice is computed from it; 0: the slice was set
        self.extra_weight = extra_weight  # 0: extra time is given by slice/period
        self.deadline_ns = 0  # end of the present or coming period; 0: has never run
        self.spent_ns = 0  # of the slice of that period
        self.started_ns = 0  # when it last got its pcpu
        self.blocked_ns = 0  # when it last left its pcpu to sleep; 0: never
        self.lost_ns = 0
        self.wants_lost = False
        self.scores = [0, 0]  # of LOST and EXTRA; the lowest runs first
        self.runs_on = GUARANTEED  # only valid while it runs
        self.is_queued = False  # on `run` or `wait`
        self.is_limited = (
            False  # to its guaranteed time, of which it has none before its next period
        )
        self.is_migrating = False  # to be moved when it next leaves its pcpu

    @property
    def begin_ns(self) -> int:
        """Return the beginning of the period that ends at the deadline."""
        return self.deadline_ns - self.period_ns

    def score_for_loss(self) -> None:
        """Set the score for lost time: the more it has lost, the earlier it runs."""
        self.scores[LOST] = self.period_ns * _FULL_USE_SCORE // self.lost_ns

    def score_for_extra(self) -> int:
        """Charge one quantum of extra time; return the score before."""
        before = self.scores[EXTRA]
        if self.extra_weight:
            self.scores[EXTRA] = _EXTRA_WEIGHT_SCORE // self.extra_weight
        else:
            self.scores[EXTRA] = self.period_ns * _FULL_USE_SCORE // max(1, self.slice_ns)
        return before

    def parameters(self) -> SedfParameters:
        """Return the parameters as the toolstack sees them."""
        return SedfParameters(
            self.period_ns, self.slice_ns, self.latency_ns, self.extratime, self.weight
        )


class DomainRecord:
    """The scheduler's record of a domain."""

    __slots__ = ("vcpus",)

    def __init__(self) -> None:
        self.vcpus: list[VcpuRecord] = []  # in order of creation


class PcpuQueues:
    """The queues of one pcpu, and its last decision."""

    __slots__ = ("end_ns", "extra", "is_due", "lone_until_ns", "run", "wait")

    def __init__(self) -> None:
        self.run: list[VcpuRecord] = []  # by deadline
        self.wait: list[VcpuRecord] = []  # by begin of period
        self.extra: tuple[list[VcpuRecord], list[VcpuRecord]] = ([], [])  # LOST, EXTRA
        self.end_ns = 0  # of the present decision
        self.lone_until_ns = 0  # end of quanta given at once to the only vcpu that wants any
        self.is_due = False  # a decision is needed before end_ns

    def add(self, record: VcpuRecord, now_ns: int) -> None:
        """Queue a vcpu on `run` or `wait`."""
        if record.begin_ns > now_ns:
            self.add_waiting(record)
        else:
            _insert(self.run, record, _DEADLINE)
            record.is_queued = True

    def add_waiting(self, record: VcpuRecord) -> None:
        """Queue a vcpu on `wait`."""
        _insert(self.wait, record, _BEGIN)
        record.is_queued = True

    def add_extra(self, which: int, record: VcpuRecord, charge: int = 0) -> None:
        """Queue a vcpu on LOST or EXTRA, if it is not there, and subtract `charge` from the others.

        So the scores are those of a fair queue: a vcpu that runs moves back by the inverse of its
        weight, one that waits moves forward.
        """
        queue = self.extra[which]
        if record in queue:
            return
        if charge:
            for other in queue:
                other.scores[which] -= charge
        _insert(queue, record, which)

    def remove(self, record: VcpuRecord) -> None:
        """Remove a vcpu from all queues."""
        self.remove_queued(record)
        self.remove_extra(LOST, record)
        self.remove_extra(EXTRA, record)

    def remove_queued(self, record: VcpuRecord) -> None:
        """Remove a vcpu from `run` or `wait`."""
        if record.is_queued:
            (self.run if record in self.run else self.wait).remove(record)
            record.is_queued = False

    def remove_extra(self, which: int, record: VcpuRecord) -> None:
        """Remove a vcpu from LOST or EXTRA."""
        if record in self.extra[which]:
            self.extra[which].remove(record)

    def advance(self, now_ns: int) -> None:
        """Begin the periods that are due, and end those that are used up or missed."""
        run, wait = self.run, self.wait
        while wait and wait[0].begin_ns <= now_ns:
            _insert(run, wait.pop(0), _DEADLINE)
        while run:
            record = run[0]
            period_ns = record.period_ns
            if record.slice_ns == 0:
                # Nothing is guaranteed now: it waits for a later period.
                behind_ns = now_ns - record.begin_ns
                record.deadline_ns += (max(0, behind_ns) // period_ns + 1) * period_ns
            elif record.deadline_ns < now_ns or record.spent_ns >= record.slice_ns:
                record.deadline_ns += period_ns
                if record.deadline_ns < now_ns:
                    periods = -((record.deadline_ns - now_ns) // period_ns)
                    record.deadline_ns += periods * period_ns
                record.spent_ns = 0
            else:
                return
            run.pop(0)
            self.add(record, now_ns)


def _insert(queue: list[VcpuRecord], record: VcpuRecord, order: int) -> None:
    """Insert a vcpu behind those of an equal key."""
    key = _key(record, order)
    low, high = 0, len(queue)
    while low < high:
        middle = (low + high) >> 1
        if key < _key(queue[middle], order):
            high = middle
        else:
            low = middle + 1
    queue.insert(low, record)


def _key(record: VcpuRecord, order: int) -> int:
    if order == _DEADLINE:
        return record.deadline_ns
    if order == _BEGIN:
        return record.deadline_ns - record.period_ns
    return record.scores[order]
