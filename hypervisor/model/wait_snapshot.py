"""Takes snapshots of waits for a pcpu, by bucket, with the last wait of each as its exemplar."""

from collections.abc import Mapping
from dataclasses import dataclass

from hypervisor.durations import FindTrace, no_trace
from hypervisor.model.domain.domain import Domain
from hypervisor.model.domain.runstate import PREEMPTED, WOKE, Runstate
from hypervisor.telemetry import Exemplar, Histogram, ProfilingSession

Waits = Mapping[str, Histogram]


@dataclass(frozen=True, slots=True)
class _Taken:
    """The waits of a domain as they were told last."""

    domain: Domain
    counted: int
    waits: Waits


class WaitSnapshots:
    """Tells the waits of all domains. One that has not waited since the last time has the same."""

    def __init__(self, epoch_ns: int) -> None:
        """`epoch_ns`: the Unix time at the host's time 0."""
        self._epoch_ns = epoch_ns
        self._session: ProfilingSession | None = None
        self._find_trace: FindTrace = no_trace
        self._taken: dict[int, _Taken] = {}
        self._before: Mapping[int, _Taken] = {}

    def begin(self, session: ProfilingSession | None, find_trace: FindTrace) -> None:
        """Begin to tell the waits of all domains anew.

        Exemplars lead to what `find_trace` finds, for all domains anew with another `session`.
        """
        self._before = self._taken if session == self._session else {}
        self._taken = {}
        self._session = session
        self._find_trace = find_trace

    def of(self, domain: Domain) -> Waits:
        """Return the waits of a domain."""
        taken = self._of(domain, self._before.get(domain.domid))
        self._taken[domain.domid] = taken
        return taken.waits

    def _of(self, domain: Domain, before: _Taken | None) -> _Taken:
        counted = sum(vcpu.runstate.waits for vcpu in domain.vcpus)
        if before is not None and before.domain is domain and before.counted == counted:
            return before
        runstates = [vcpu.runstate for vcpu in domain.vcpus]
        waits = {
            "wake": self._histogram(runstates, WOKE),
            "preempted": self._histogram(runstates, PREEMPTED),
        }
        return _Taken(domain, counted, waits)

    def _histogram(self, runstates: list[Runstate], cause: int) -> Histogram:
        rows = [runstate.waited[cause] for runstate in runstates]
        counts = tuple(sum(column) for column in zip(*(row.counts for row in rows), strict=True))
        exemplars = tuple(
            self._exemplar(*max((row.ended_ns[bucket], row.last_ns[bucket]) for row in rows))
            if count
            else None
            for bucket, count in enumerate(counts)
        )
        return Histogram(counts, sum(row.sum_ns for row in rows), exemplars)

    def _exemplar(self, ended_ns: int, spent_ns: int) -> Exemplar:
        return Exemplar(spent_ns, self._epoch_ns + ended_ns, self._find_trace(ended_ns))
