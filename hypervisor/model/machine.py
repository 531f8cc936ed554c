"""The simulated host: assembles all its parts from a scenario."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from hypervisor.compiled.interrupts import InterruptsHeld
from hypervisor.errors import Refused, ScenarioError
from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.overheads import Overheads
from hypervisor.model.cpu.execution import Execution
from hypervisor.model.cpu.sched import SCHEDULERS
from hypervisor.model.cpu.topology import Topology
from hypervisor.model.dom0.housekeeping import Housekeeping
from hypervisor.model.dom0.tracereader import TraceReader
from hypervisor.model.hypercalls import Hypercalls
from hypervisor.model.linux.procfs import Processor, ProcFiles
from hypervisor.model.linux.sysfs import SysFiles
from hypervisor.model.memory.pages import XEN_KIB, Memory
from hypervisor.model.profiler import Xenoprofiler
from hypervisor.model.profiling.pmu import Pmu
from hypervisor.model.profiling.sample_log import SampleLog
from hypervisor.model.profiling.xenoprof import Xenoprof
from hypervisor.model.scenario.spec import Scenario
from hypervisor.model.scenario.stores import FILES
from hypervisor.model.snapshot import SnapshotTaker
from hypervisor.model.timing.clock import Clock
from hypervisor.model.timing.random_stream import Streams, stream_seed
from hypervisor.toolstack.config.locations import place_of
from hypervisor.toolstack.config.settings import domain0_spec
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.configurations import Workloads
from hypervisor.toolstack.operations.creation import Creation
from hypervisor.toolstack.records.xendlog import XendLog
from hypervisor.toolstack.xend import Xend
from hypervisor.toolstack.xendcontext import XendContext
from hypervisor.toolstack.xenstore import Xenstore

OPROFILE_TYPES = {
    "p4": "i386/p4",
    "p4-ht": "i386/p4-ht",
    "core_2": "i386/core_2",
    "hammer": "x86-64/hammer",
}
ADVANCE_STEP_NS = 1_000_000
INTERRUPT_STEP_NS = 100_000_000  # about a millisecond of wall time
XEND_PID = 2411  # as init numbers it on such a host (judgement)


class Machine:
    """Simulates a host with every capability (see `host.Host`).

    Domain 0 runs from the start. Machines that share a clock are advanced together.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        epoch_ns: int,
        clock: Clock,
        support_limits: bool,
        domain0_minimum_kib: int,
    ) -> None:
        """`clock` must be at 0."""
        host = scenario.host
        self.scenario = scenario
        self.name = host.name
        self.epoch_ns = epoch_ns
        self.clock = clock
        self._streams = Streams(host.seed)
        topology = Topology(host.sockets, host.cores_per_socket, host.threads_per_core)
        self.code = CodeBook(host.cpu, host.arch, is_native=host.is_native)
        overheads = Overheads(self.code)
        log = SampleLog(overheads.sample, overheads.backtrace_frame)
        self.pmu = Pmu(self.code, host.mhz, topology.pcpus, stream_seed(host.seed, "pmu"), log)
        self.execution = Execution(
            self.clock,
            topology,
            host.mhz,
            self.code,
            overheads,
            self.pmu,
            lambda context: SCHEDULERS[host.scheduler](context, host.rules),
        )
        xen_kib = 0 if host.is_native else XEN_KIB
        self.memory = Memory(host.memory_mib * 1024, topology.pcpus, xen_kib)
        # Stock 3.0.3 refuses family 6 models above 13: Core 2 came in November 2006.
        can_profile = not (host.cpu == "core_2" and host.hypervisor == "3.0.3")
        self.xenoprof = Xenoprof(self.execution, self.pmu, log, can_profile=can_profile)
        store = Xenstore(self.clock)
        domain0 = self._domain0_spec()
        self.hypercalls = Hypercalls(
            host,
            self.code,
            self.execution,
            self.memory,
            self.xenoprof,
            OPROFILE_TYPES[host.cpu] if can_profile else "timer",
            store,
            self._streams,
            domain0,
            scenario.domain0.elevator,
        )
        support_limits = support_limits and host.support_limits
        context = self._xend_context(store, domain0_minimum_kib, support_limits=support_limits)
        proc_files = self._proc_files()
        self.telemetry = SnapshotTaker(self.hypercalls, context, proc_files, epoch_ns)
        sys_files = SysFiles(self.hypercalls.residents, self.hypercalls.backends)
        self.toolstack = Xend(context, self.telemetry, proc_files, sys_files, _installed(scenario))
        self.profiler = Xenoprofiler(self.hypercalls, context)
        self.tracer = self.execution.trace
        self._boot_domain0(domain0)
        self._create_guests()
        proc_files.start()

    def _xend_context(
        self, store: Xenstore, minimum_domain0_kib: int, *, support_limits: bool
    ) -> XendContext:
        host = self.scenario.host
        return XendContext(
            self.hypercalls,
            store,
            self.clock,
            XendLog(self._unix_ns, pid=XEND_PID, tools=host.tools),
            random.Random(stream_seed(host.seed, "xend")),
            host.tools,
            self._unix_ns,
            minimum_domain0_kib=minimum_domain0_kib,
            support_limits=support_limits,
            bridges=host.all_bridges,
            interfaces={} if host.is_native else host.interfaces,
        )

    def _proc_files(self) -> ProcFiles:
        host, hypercalls = self.scenario.host, self.hypercalls
        return ProcFiles(
            hypercalls.residents,
            hypercalls.backends,
            Processor(host.cpu, host.mhz),
            self.execution,
            self.code,
            hypercalls.kernel_times,
            self._unix_ns,
        )

    def _domain0_spec(self) -> DomainSpec:
        scenario = self.scenario
        spec = domain0_spec(
            vcpus=scenario.domain0_vcpus,
            memory_kib=scenario.domain0_memory_mib * 1024,
            weight=scenario.domain0.weight,
            cap_percent=scenario.domain0.cap,
            affinity=scenario.domain0.affinity,
            extra=_kernel_arguments(scenario),
        )
        workloads = tuple(work.model_dump() for work in scenario.domain0.workload)
        return replace(spec, workloads=workloads)

    def _boot_domain0(self, spec: DomainSpec) -> None:
        scenario, hypercalls = self.scenario, self.hypercalls
        self.toolstack.adopt(spec)
        self.toolstack.xen_console.boot(spec.vcpus, spec.memory_kib)
        if scenario.host.scheduler == "sedf" and scenario.domain0.sedf is not None:
            hypercalls.set_sedf_parameters(0, scenario.domain0.sedf)
        self._pin_vcpus(0, scenario.domain0_affinities)
        self.execution.start()
        hypercalls.unpause_domain(0)
        guest = hypercalls.residents[0].guest
        if scenario.host.is_native:
            return
        self.tracer.reader = TraceReader(guest).poll
        Housekeeping(guest, self._streams.stream("housekeeping/0")).start()

    def _create_guests(self) -> None:
        context = self.toolstack.context
        for store in self.scenario.host.stores:
            if store.kind not in FILES:
                context.devices |= {place_of(store.prefix), f"{place_of(store.prefix)}/"}
        for domain in self.scenario.domains:
            workloads = tuple(work.model_dump() for work in domain.workload)
            try:
                spec = self.toolstack.configurations.spec_of(domain.config(), workloads)
                context.devices |= {place_of(one.path) for one in spec.disks if one.type == "phy"}
                info = Creation(context, spec, paused=True).at_once()
            except Refused as error:
                raise ScenarioError(f"domain '{domain.name}': {error}") from None
            if self.scenario.host.scheduler == "credit":
                self.hypercalls.set_credit_parameters(info.domid, domain.weight, domain.cap)
            elif domain.sedf is not None:
                self.hypercalls.set_sedf_parameters(info.domid, domain.sedf)
            self._pin_vcpus(info.domid, domain.vcpu_affinities)
            self.hypercalls.unpause_domain(info.domid)
        self.execution.decide_now()

    def _pin_vcpus(self, domid: int, affinities: Sequence[tuple[int, ...] | None]) -> None:
        for vcpu, affinity in enumerate(affinities):
            if affinity is not None:
                self.hypercalls.set_affinity(domid, vcpu, affinity)

    def _unix_ns(self) -> int:
        return self.epoch_ns + self.clock.now

    @property
    def now_ns(self) -> int:
        """Return the model time."""
        return self.clock.now

    def advance(self, until_ns: int) -> None:
        """Run to model time `until_ns`; Ctrl-C is noticed between two steps."""
        while self.clock.now + INTERRUPT_STEP_NS < until_ns:
            self._step(self.clock.now + INTERRUPT_STEP_NS)
        self._step(until_ns)

    def advance_until(self, done: Callable[[], bool], limit_ns: int) -> bool:
        """Run until `done()` or for `limit_ns`."""
        end_ns = self.clock.now + limit_ns
        while not done() and self.clock.now < end_ns:
            self._step(min(self.clock.now + ADVANCE_STEP_NS, end_ns))
        return done()

    def _step(self, until_ns: int) -> None:
        with InterruptsHeld():
            self.clock.run_until(until_ns)


def _kernel_arguments(scenario: Scenario) -> str:
    """Return what domain 0's kernel was told at boot."""
    given = "elevator" in scenario.domain0.model_fields_set
    return f"elevator={scenario.domain0.elevator}" if given else ""


def _installed(scenario: Scenario) -> dict[str, Workloads]:
    """Return the programs on the disks of a scenario's domains, by the name of the domain."""
    return {
        domain.name: tuple(work.model_dump() for work in domain.workload)
        for domain in scenario.domains
    }


def build(
    scenario: Scenario,
    *,
    epoch_ns: int,
    clock: Clock | None = None,
    support_limits: bool = True,
    domain0_minimum_mib: int = 256,
) -> Machine:
    """Return the booted host of a scenario, at time 0 of `clock` or of a new clock.

    `support_limits`: refuse what RHEL 5 does not support. `domain0_minimum_mib` is the memory that
    domain 0 keeps when it gives memory to new domains.
    Raises: ScenarioError; ValueError: the clock has run already, so idle times would be wrong.
    """
    if clock is not None and clock.now:
        raise ValueError(f"a machine boots at 0, and its clock stands at {clock.now} ns")
    return Machine(
        scenario,
        epoch_ns=epoch_ns,
        clock=Clock() if clock is None else clock,
        support_limits=support_limits,
        domain0_minimum_kib=domain0_minimum_mib * 1024,
    )
