"""burst: computes, sleeps, and measures how long its wake-ups take.

A program that sleeps for a time is woken by its kernel, at a tick: not before the time is over, and
up to a tick later. So what it does has no fixed phase to the ticks of Xen, at which it is charged.
One that waits for others goes on when they say so.
"""

from collections.abc import Mapping
from typing import Any

from hypervisor.model.codebook.work import Q, Work
from hypervisor.model.workloads.base import Latency, Site, working_set_kib
from hypervisor.model.workloads.cpu import UNIT_CYCLES


class Burst:
    """Computes for `run_ns` of unshared pcpu time, sleeps for `sleep_ns`; both vary by `jitter`."""

    def __init__(
        self,
        site: Site,
        run_ns: int,
        sleep_ns: int,
        jitter_per_mille: int,
        program: str,
        memory_mib: int | None = None,
        *,
        has_timer: bool = True,
    ) -> None:
        """`has_timer`: its kernel's clock wakes it, not an event from outside."""
        self._site = site
        self._run_ns = run_ns
        self._sleep_ns = sleep_ns
        self._jitter = jitter_per_mille
        self._path = site.guest.path(f"{program}_compute")
        self._cycles = site.guest.code.cycles[self._path]
        path = site.guest.code.paths[self._path].program or program
        memory_kib = working_set_kib(program, memory_mib)
        self._task = site.guest.spawn(path, working_set_kib=memory_kib)[0]
        self._bursts = 0
        self._latency = Latency()
        self._ticks = site.guest.ticks if has_timer else None

    def start(self) -> None:
        """Start with a sleep for a random part of a period."""
        delay_ns = self._site.stream.uniform(self._run_ns + self._sleep_ns)
        self._sleep(delay_ns)

    def _vary(self, ns: int) -> int:
        span = ns * self._jitter // 1000
        return ns - span + self._site.stream.uniform(2 * span) if span else ns

    def _sleep(self, ns: int) -> None:
        at_ns = self._site.clock.now + ns
        if self._ticks is not None:
            at_ns = self._ticks.at_or_after(at_ns)
        self._site.guest.wake_at(at_ns, self._task, self._work, None)

    def _work(self, _: None) -> Work[None]:
        milli_cycles = self._vary(self._run_ns) * self._site.mhz
        cycles_q = milli_cycles * self._cycles // UNIT_CYCLES * (1 << Q) // 1000
        return Work([(self._path, cycles_q)], self._done)

    def _done(self, work: Work[None]) -> None:
        self._bursts += 1
        self._latency.add(work.begun_ns - work.ready_ns)
        self._sleep(self._vary(self._sleep_ns))

    def results(self) -> Mapping[str, Any]:
        """Return the number of bursts, and the time from timer to first instruction."""
        return {
            "kind": "burst",
            "bursts": self._bursts,
            "wake_latency_seconds": self._latency.seconds(),
        }
