"""The profiler inside the hypervisor: its states, its lists of domains, and the hypercall.

`sample_log` logs the samples.
Source: xen/arch/x86/oprofile/xenoprof.c and nmi_int.c (3.0.3).
"""

from typing import TYPE_CHECKING

from hypervisor.errors import ENODEV, EPERM, OprofilefsError
from hypervisor.model.cpu.execution import Execution
from hypervisor.model.domain.domain import Domain, Vcpu
from hypervisor.model.profiling.counterconfig import CounterConfig
from hypervisor.model.profiling.pmu import Pmu
from hypervisor.model.profiling.profiled import SampleReader
from hypervisor.model.profiling.rings import ACTIVE_SAMPLES, PASSIVE_SAMPLES
from hypervisor.model.profiling.sample_log import SampleLog
from hypervisor.model.profiling.samplerow import SampleRow
from hypervisor.telemetry import ProfilingSession, XenoprofSnapshot
from hypervisor.traceids import trace_id

if TYPE_CHECKING:
    from hypervisor.samples import CallStack

MAX_DOMAINS = 25  # MAX_OPROF_DOMAINS
MAX_DEPTH = 255  # callers of a sample; the deepest chains have about 40
MAX_COUNTER = 8  # OP_MAX_COUNTER; larger indices are E2BIG
E2BIG = 7

IDLE, RESERVED, READY, PROFILING = "idle", "reserved", "ready", "profiling"


class Xenoprof:
    """The state machine, which controls the PMU and the log of samples."""

    def __init__(
        self, execution: Execution, pmu: Pmu, log: SampleLog, *, can_profile: bool
    ) -> None:
        self.pmu = pmu
        self.can_profile = can_profile
        self.state = IDLE
        self.sessions = 0
        """How often counting has started."""
        self.began_ns = 0
        """When it has started last."""
        self.log = log
        self.domains = log.domains
        self.tally = log.tally
        self._buffers = log.buffers
        self._execution = execution
        self._counters: dict[int, CounterConfig] = {}

    @property
    def is_idle(self) -> bool:
        """Return whether domain 0 has no daemon; only then can the lists be set."""
        return self.state == IDLE

    def is_listed(self, domid: int) -> bool:
        """Return whether a domain is on the active list."""
        return domid in self.domains.active

    # Operations (hypercall 31). `domid` is the caller.

    def init(self, domid: int) -> None:
        """Do XENOPROF_init: make domain 0 primary. Raises: ENODEV on an unsupported processor."""
        if not self.can_profile:
            raise OprofilefsError(ENODEV, "this hypervisor cannot profile this processor")
        if domid == 0 and self.domains.primary is None:
            self.domains.primary = domid

    def get_buffer(self, domain: Domain, asked: int = ACTIVE_SAMPLES) -> None:
        """Do XENOPROF_get_buffer: allocate the rings once; they live as long as the domain."""
        self._buffers.allocate(domain, asked)

    def set_backtrace(self, domid: int, depth: int) -> None:
        """Record up to `depth` callers of samples (0: none), for the primary also of passive ones.

        Our extension: from Xen 3.3 on this is XENOPROF_set_backtrace.
        """
        depth = min(depth, MAX_DEPTH)
        self.pmu.set_depth(domid, depth)
        if domid == self.domains.primary:
            for passive in self.domains.passive:
                self.pmu.set_depth(passive, depth)

    def reset_active_list(self) -> None:
        """Do XENOPROF_reset_active_list."""
        # Samples taken until now belong to the old list.
        self._execution.accounting.settle_all()
        self.domains.clear_active()

    def reset_passive_list(self) -> None:
        """Do XENOPROF_reset_passive_list: release the rings with their unread samples."""
        self._execution.accounting.settle_all()
        for domid in self.domains.passive:
            self._buffers.release(domid)
        self.domains.passive.clear()

    def set_active(self, domid: int) -> None:
        """Do XENOPROF_set_active."""
        self._require(IDLE, "set the active domains while domain 0's daemon is down")
        if self.domains.listed >= MAX_DOMAINS:
            raise OprofilefsError(E2BIG, f"at most {MAX_DOMAINS} active domains")
        self.domains.add_active(domid)

    def set_passive(self, domain: Domain) -> None:
        """Do XENOPROF_set_passive: share rings of the domain with domain 0."""
        self._require(IDLE, "set the passive domains while domain 0's daemon is down")
        if len(self.domains.passive) >= MAX_DOMAINS:
            raise OprofilefsError(E2BIG, f"at most {MAX_DOMAINS} passive domains")
        self._buffers.release(domain.domid)
        self.get_buffer(domain, PASSIVE_SAMPLES)
        self.domains.passive[domain.domid] = domain

    def reserve_counters(self) -> None:
        """Do XENOPROF_reserve_counters."""
        self._require(IDLE, "the counters are reserved already")
        self.state = RESERVED
        self._counters = {}

    def counter(self, index: int, config: CounterConfig) -> None:
        """Do XENOPROF_counter: set a counter."""
        self._require(RESERVED, "reserve the counters first")
        if not self.domains.active:
            raise OprofilefsError(EPERM, "there is no active domain")
        if index > MAX_COUNTER:
            raise OprofilefsError(E2BIG, f"there is no counter {index}")
        self._counters[index] = config

    def setup_events(self) -> None:
        """Do XENOPROF_setup_events: program the counters of every pcpu."""
        self._require(RESERVED, "reserve the counters first")
        self.pmu.program(self._counters)
        self.tally.program(self._counters)
        self.state = READY

    def enable_virq(self, domain: Domain) -> None:
        """Do XENOPROF_enable_virq: the caller is ready to take samples."""
        domid = domain.domid
        if not self.is_listed(domid) or domid not in self._buffers:
            raise OprofilefsError(
                EPERM,
                f"domain {domid} is not on the active list: in domain 0 run "
                f"opcontrol --start-daemon --active-domains=...,{domid} first",
            )
        self._execution.accounting.settle_all()
        self._buffers.discard(domid)
        self.domains.ready(domid)
        if domid == self.domains.primary:
            self.tally.restart()
            for passive in self.domains.passive:
                self._buffers.discard(passive)

    def start(self) -> None:
        """Do XENOPROF_start. Raises: EPERM unless every listed active domain is ready."""
        if self.state != READY:
            raise OprofilefsError(
                EPERM, f"xenoprof is {self.state}, not ready: start domain 0's daemon first"
            )
        if waiting := self.domains.waiting():
            raise OprofilefsError(
                EPERM,
                "these active domains have not run opcontrol --start yet: "
                + ",".join(map(str, waiting)),
            )
        listed, activated = self.domains.listed, self.domains.activated
        if activated != listed:
            raise OprofilefsError(
                EPERM,
                f"{listed} active domains are listed and {activated} became ready: one "
                "is listed twice or started its daemon twice; run opcontrol --shutdown in "
                "domain 0, then --start-daemon --active-domains=... again",
            )
        self._execution.accounting.count_segments(is_on=True)
        self.state = PROFILING
        self.sessions += 1
        self.began_ns = self._execution.clock.now

    def stop(self) -> None:
        """Do XENOPROF_stop; as in 3.0.3, samples stay in the rings."""
        self._require(PROFILING, "profiling is not running")
        self._execution.accounting.count_segments(is_on=False)
        self.state = READY

    def disable_virq(self, domid: int) -> None:
        """Do XENOPROF_disable_virq. Raises: EPERM while profiling."""
        if not self.domains.active.get(domid, False):
            return
        if self.state == PROFILING:
            raise OprofilefsError(
                EPERM,
                f"domain {domid} is being profiled: run opcontrol --stop in domain 0 first",
            )
        self.domains.leave(domid)

    def leave(self, domid: int) -> list[list[SampleRow]]:
        """Remove a domain from the active list at any time; return the samples in its rings.

        Our extension: the talk shuts guests down before domain 0 stops.
        """
        self._execution.accounting.settle_all()
        rows = self._buffers.take(domid)
        self.domains.leave(domid)
        return rows

    def release_counters(self) -> None:
        """Do XENOPROF_release_counters."""
        if self.state not in (RESERVED, READY):
            raise OprofilefsError(
                EPERM, f"xenoprof is {self.state}: it holds no counters to release"
            )
        self.state = IDLE
        self.reset_passive_list()

    def shutdown(self) -> None:
        """Do XENOPROF_shutdown: the primary's driver is unloaded."""
        self._require(IDLE, "shut domain 0's daemon down first")
        self.reset_active_list()
        self.reset_passive_list()
        self.domains.primary = None

    def forget(self, domid: int) -> int:
        """Forget a domain that is destroyed; return the number of unread samples in its rings."""
        unread = self.unread(domid)
        self.leave(domid)
        self.domains.passive.pop(domid, None)
        self.detach_reader(domid)
        self.pmu.set_depth(domid, 0)
        self._buffers.forget(domid)
        return unread

    # Operations of a driver on the rings that it shares.

    def attach_reader(self, domid: int, reader: SampleReader) -> None:
        """Deliver VIRQ_XENOPROF of a domain to `reader` from now on."""
        self.domains.readers[domid] = reader

    def detach_reader(self, domid: int) -> None:
        """Stop delivering VIRQ_XENOPROF of a domain: its samples stay in its rings."""
        self.domains.readers.pop(domid, None)

    def take_ring(self, vcpu: Vcpu) -> list[SampleRow]:
        """Take all rows out of a vcpu's ring."""
        return self._buffers.ring(vcpu).empty()

    def take_passive(self) -> list[SampleRow]:
        """Take all rows out of the next ring of a passive domain that holds any; [] if none."""
        for domid in sorted(self.domains.passive):
            if rows := self._buffers.take_next(domid):
                return rows
        return []

    def unread(self, domid: int) -> int:
        """Return the number of unread samples in a domain's rings."""
        return self._buffers.unread(domid)

    def unread_passive(self) -> int:
        """Return the number of unread samples in the rings of all passive domains."""
        return sum(self._buffers.unread(domid) for domid in self.domains.passive)

    def stack(self, number: int) -> "CallStack":
        """Return the call stack of the number that samples have."""
        return self.pmu.stack(number)

    def _require(self, state: str, todo: str) -> None:
        if self.state != state:
            raise OprofilefsError(EPERM, f"xenoprof is {self.state}: {todo}")

    def session(self, boot: str) -> ProfilingSession | None:
        """Return the session that is counting, if one is; `boot`: see `traceids.boot_name`."""
        if self.state != PROFILING:
            return None
        return ProfilingSession(
            trace_id=trace_id(boot, "session", self.sessions),
            began_ns=self.began_ns,
            events=tuple(config.text for _, config in sorted(self._counters.items())),
            active_domains=tuple(sorted(self.domains.active)),
            passive_domains=tuple(sorted(self.domains.passive)),
        )

    def snapshot(self) -> XenoprofSnapshot:
        """Return the present counters."""
        tally = self.tally
        return XenoprofSnapshot(
            state=self.state,
            active_domains=tuple(sorted(self.domains.active)),
            passive_domains=tuple(sorted(self.domains.passive)),
            total=tally.total,
            active=tally.active,
            passive=tally.passive,
            idle=0,
            others=tally.others,
            lost=tally.lost,
            invalid=tally.invalid,
            corrupted=tally.corrupted,
        )
