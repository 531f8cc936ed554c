"""Performance counters: events of executed segments, and their overflows in closed form.

A counter belongs to a logical processor and goes on across domains. Clock events follow the
elapsed time; all others follow the work done, so that a slower segment shows a lower IPC.
"""

from dataclasses import dataclass
from typing import Protocol

from hypervisor.model.code import CodeBook, Kind
from hypervisor.model.domain import Vcpu
from hypervisor.model.pcpu import Pcpu
from hypervisor.model.samples import SampleGroup
from hypervisor.model.work import Parts, Q, Work
from hypervisor.telemetry import Mode

COUNTERS = 8  # Source: xen/arch/x86/oprofile/op_x86_model.h, OP_MAX_COUNTER


@dataclass(frozen=True, slots=True)
class CounterConfig:
    """One counter as XENOPROF_counter sets it. `kernel` covers the hypervisor as well."""

    event: int
    unit_mask: int
    count: int
    kernel: bool
    user: bool


class SampleSink(Protocol):
    """What takes the overflows of one settled segment."""

    def take(
        self,
        vcpu: Vcpu,
        pcpu: Pcpu,
        groups: tuple[SampleGroup, ...],
        parts: Parts,
        work: Work | None,
    ) -> None:
        """Take the samples of each counter that has overflowed."""
        ...


class _Counter:
    """A programmed counter with its events per cycle of each path, in 2**-20."""

    __slots__ = (
        "counts_time",
        "index",
        "is_clock",
        "kernel_q",
        "kernel_share_q",
        "period_q",
        "total_q",
        "xen_q",
        "xen_share_q",
    )

    def __init__(self, index: int, config: CounterConfig, kind: Kind, code: CodeBook) -> None:
        self.index = index
        self.is_clock = kind is Kind.CYCLES
        self.counts_time = self.is_clock and config.user and config.kernel  # all of it
        self.period_q = config.count << (2 * Q)
        self.kernel_q: list[int] = []
        self.xen_q: list[int] = []
        self.total_q: list[int] = []
        for path in code.paths:
            user, kernel, xen = (
                code.rate_q20(path.index, mode, kind) * path.by_mode[mode] // path.cycles
                if (config.user if mode is Mode.USER else config.kernel)
                else 0
                for mode in Mode
            )
            self.kernel_q.append(kernel)
            self.xen_q.append(xen)
            self.total_q.append(user + kernel + xen)
        # Of a path's own events: those in hypervisor and in kernel mode, in 2**-20.
        self.xen_share_q = _shares(self.xen_q, self.total_q)
        self.kernel_share_q = _shares(self.kernel_q, self.total_q)


def _shares(some: list[int], total: list[int]) -> list[int]:
    return [(part << Q) // whole if whole else 0 for part, whole in zip(some, total, strict=True)]


class Pmu:
    """The counters of all pcpus, programmed alike (Xenoprof programs every processor)."""

    def __init__(self, code: CodeBook, mhz: int) -> None:
        self.code = code
        self.counting = False
        self.sink: SampleSink
        self.configs: dict[int, CounterConfig] = {}
        self.kinds: dict[int, Kind] = {}  # what each counter counts, or counted last
        self._counters: list[_Counter] = []
        self._clock_rate_q = (mhz << Q) // 1000

    def program(self, configs: dict[int, CounterConfig], pcpus: list[Pcpu]) -> None:
        """Load the counters; events that this model does not know never occur."""
        self.configs = dict(configs)
        self._counters = []
        for index, config in sorted(configs.items()):
            kind = self.code.event_kind(config.event, config.unit_mask)
            if kind is not None:
                self._counters.append(_Counter(index, config, kind, self.code))
                self.kinds[index] = kind
        for pcpu in pcpus:
            pcpu.counters_q = [0] * COUNTERS

    def count(
        self,
        vcpu: Vcpu,
        pcpu: Pcpu,
        parts: Parts,
        executed_q: int,
        start_ns: int,
        elapsed_ns: int,
        work: Work | None,
    ) -> None:
        """Count one settled segment (see `execution.SampleCounter`)."""
        fills_q = pcpu.counters_q
        groups: list[SampleGroup] = []
        for counter in self._counters:
            if counter.counts_time:
                increment_q = elapsed_ns * self._clock_rate_q << Q
            else:
                total_q = counter.total_q
                increment_q = 0
                for path, cycles_q in parts:
                    increment_q += cycles_q * total_q[path]
                if counter.is_clock:
                    increment_q = increment_q * elapsed_ns * self._clock_rate_q // executed_q
            index = counter.index
            fill_q = fills_q[index] + increment_q
            period_q = counter.period_q
            if fill_q < period_q:
                fills_q[index] = fill_q
                continue
            first_ns = start_ns + elapsed_ns * (period_q - fills_q[index]) // increment_q
            samples, fills_q[index] = divmod(fill_q, period_q)
            user, kernel, xen = self._by_mode(vcpu, counter, parts, samples)
            step_ns = elapsed_ns * period_q // increment_q
            groups.append((index, user, kernel, xen, first_ns, step_ns))
        if groups:
            self.sink.take(vcpu, pcpu, tuple(groups), parts, work)

    def _by_mode(
        self, vcpu: Vcpu, counter: _Counter, parts: Parts, samples: int
    ) -> tuple[int, int, int]:
        """Divide samples in proportion to the events of each mode; fractions are carried on."""
        if len(parts) == 1:
            path = parts[0][0]
            xen_share_q, kernel_share_q = counter.xen_share_q[path], counter.kernel_share_q[path]
            has_user = counter.total_q[path] > counter.xen_q[path] + counter.kernel_q[path]
        else:
            total_q = xen_q = kernel_q = 0
            for path, cycles_q in parts:
                total_q += cycles_q * counter.total_q[path]
                xen_q += cycles_q * counter.xen_q[path]
                kernel_q += cycles_q * counter.kernel_q[path]
            xen_share_q = (xen_q << Q) // total_q
            kernel_share_q = (kernel_q << Q) // total_q
            has_user = total_q > xen_q + kernel_q
        index = counter.index
        xen = kernel = 0
        if xen_share_q:
            carry = vcpu.xen_carry[index] + samples * xen_share_q
            xen = min(carry >> Q, samples)
            vcpu.xen_carry[index] = carry - (xen << Q)
        if kernel_share_q:
            carry = vcpu.kernel_carry[index] + samples * kernel_share_q
            kernel = min(carry >> Q, samples - xen)
            vcpu.kernel_carry[index] = carry - (kernel << Q)
        user = samples - xen - kernel
        if user and not has_user:  # rounding must not invent a mode
            return (0, kernel + user, xen) if kernel_share_q else (0, 0, samples)
        return user, kernel, xen
