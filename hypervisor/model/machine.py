"""The simulated host: assembles everything from a scenario, and is a `hypervisor.host.Host`.

Thin: what things do stands in the files of their own names.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hypervisor.errors import Refused, ScenarioError
from hypervisor.host import DomainFile, OprofileDriver
from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.overheads import Overheads
from hypervisor.model.cpu.execution import Execution
from hypervisor.model.cpu.look import Look
from hypervisor.model.cpu.sched import SCHEDULERS
from hypervisor.model.cpu.topology import Topology
from hypervisor.model.dom0.housekeeping import Housekeeping
from hypervisor.model.hypercalls import Hypercalls
from hypervisor.model.linux.procfs import Processor, ProcFiles
from hypervisor.model.memory.pages import Memory
from hypervisor.model.profiling.pmu import Pmu
from hypervisor.model.profiling.sample_log import SampleLog
from hypervisor.model.profiling.xenoprof import Xenoprof
from hypervisor.model.scenario.spec import Scenario
from hypervisor.model.snapshot import host_snapshot
from hypervisor.model.timing.clock import Clock
from hypervisor.model.timing.random_stream import stream_seed
from hypervisor.telemetry import HostSnapshot, TraceRecord
from hypervisor.toolstack.config.settings import domain0_spec
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.operations.creation import Creation
from hypervisor.toolstack.records.bootring import xen_lines
from hypervisor.toolstack.records.debugkeys import debug_keys
from hypervisor.toolstack.records.xendlog import XendLog
from hypervisor.toolstack.xend import Xend
from hypervisor.toolstack.xendcontext import XendContext
from hypervisor.toolstack.xenstore import Xenstore
from hypervisor.trace_events import TraceStatus

OPROFILE_TYPES = {
    "p4": "i386/p4",
    "p4-ht": "i386/p4-ht",
    "core_2": "i386/core_2",
    "hammer": "x86-64/hammer",
}
ADVANCE_STEP_NS = 1_000_000
CONFIG_FILES = Path(__file__).parents[1] / "toolstack" / "etc"  # what xm create finds
XEND_PID = 2411  # what init gives it on such a host (judgement)
CONFIG_MTIME = 1_178_668_800  # 9 May 2007, the day of the talk


class Machine(Xend):
    """A host in operation. Domain 0 exists and runs from the start."""

    def __init__(self, scenario: Scenario, *, epoch_ns: int, support_limits: bool = True) -> None:
        """`support_limits`: refuse what RHEL 5 does not support."""
        host = scenario.host
        self.scenario = scenario
        self.name = host.name
        self._epoch_ns = epoch_ns
        self._generation = 0
        self.clock = Clock(host.seed)
        topology = Topology(host.sockets, host.cores_per_socket, host.threads_per_core)
        self.code = CodeBook(host.cpu)
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
            lambda context: SCHEDULERS[host.scheduler](context, host.hypervisor),
        )
        self.memory = Memory(host.memory_mib * 1024, topology.pcpus)
        # Stock 3.0.3 refuses family 6 models above 13: Core 2 came in November 2006.
        can_profile = not (host.cpu == "core_2" and host.hypervisor == "3.0.3")
        self.xenoprof = Xenoprof(self.execution, self.pmu, log, can_profile=can_profile)
        oprofile_type = OPROFILE_TYPES[host.cpu] if can_profile else "timer"
        store = Xenstore(self.clock)
        domain0 = self._domain0_spec()
        self.hypercalls = Hypercalls(
            host,
            self.code,
            self.execution,
            self.memory,
            self.xenoprof,
            oprofile_type,
            store,
            domain0,
        )
        super().__init__(
            XendContext(
                self.hypercalls,
                store,
                self.clock,
                XendLog(self._unix_ns, pid=XEND_PID, tools=host.tools),
                random.Random(stream_seed(host.seed, "xend")),
                host.tools,
                self._unix_ns,
                support_limits=support_limits and host.support_limits,
            )
        )
        self.proc_files = ProcFiles(
            self.hypercalls.residents,
            self.hypercalls.backends,
            Processor(host.cpu, host.mhz),
            self.execution,
            self.code,
            self.hypercalls.kernel_times,
            self._unix_ns,
        )
        self._boot_domain0(domain0)
        self._create_guests()
        self.proc_files.start()

    def _domain0_spec(self) -> DomainSpec:
        scenario = self.scenario
        spec = domain0_spec(
            vcpus=scenario.domain0_vcpus,
            memory_kib=scenario.domain0_memory_mib * 1024,
            weight=scenario.domain0.weight,
            cap_percent=scenario.domain0.cap,
            affinity=scenario.domain0.affinity,
        )
        workloads = tuple(work.model_dump() for work in scenario.domain0.workload)
        return replace(spec, workloads=workloads)

    def _boot_domain0(self, spec: DomainSpec) -> None:
        scenario, hypercalls = self.scenario, self.hypercalls
        self.adopt(spec)
        self.boot_messages(spec.vcpus, spec.memory_kib)
        if scenario.host.scheduler == "sedf" and scenario.domain0.sedf is not None:
            hypercalls.set_sedf_parameters(0, scenario.domain0.sedf)
        self.execution.start()
        hypercalls.unpause_domain(0)
        guest = hypercalls.residents[0].guest
        Housekeeping(guest, self.clock.stream("housekeeping/0")).start()

    def _create_guests(self) -> None:
        for domain in self.scenario.domains:
            workloads = tuple(work.model_dump() for work in domain.workload)
            try:
                spec = self.spec_of(domain.config(), workloads)
                self.context.devices.update(disk.path for disk in spec.disks)
                info = Creation(self.context, spec, paused=True).at_once()
            except Refused as error:
                raise ScenarioError(f"domain '{domain.name}': {error}") from None
            if self.scenario.host.scheduler == "credit":
                self.hypercalls.set_credit_parameters(info.domid, domain.weight, domain.cap)
            elif domain.sedf is not None:
                self.hypercalls.set_sedf_parameters(info.domid, domain.sedf)
            self.hypercalls.unpause_domain(info.domid)
        self.execution.decide_now()

    def with_workloads(self, spec: DomainSpec) -> DomainSpec:
        """Return `spec`; without workloads, one of a scenario's name does that one's work.

        The programs are on its disk: destroying a guest and creating it again changes nothing.
        """
        for domain in self.scenario.domains:
            if not spec.workloads and domain.name == spec.name:
                workloads = tuple(work.model_dump() for work in domain.workload)
                return replace(spec, workloads=workloads)
        return spec

    def _unix_ns(self) -> int:
        return self._epoch_ns + self.clock.now

    @property
    def now_ns(self) -> int:
        """Return the model time."""
        return self.clock.now

    @property
    def epoch_ns(self) -> int:
        """Return the virtual Unix time of model time 0."""
        return self._epoch_ns

    def advance(self, until_ns: int) -> None:
        """Run to model time `until_ns`."""
        self.clock.run_until(until_ns)

    def advance_until(self, done: Callable[[], bool], limit_ns: int) -> bool:
        """Run until `done()` or for `limit_ns`."""
        end_ns = self.clock.now + limit_ns
        while not done() and self.clock.now < end_ns:
            self.clock.run_until(min(self.clock.now + ADVANCE_STEP_NS, end_ns))
        return done()

    def oprofile(self, domain: str) -> OprofileDriver:
        """Return a domain's driver."""
        info = self.find(domain)
        driver = self.hypercalls.residents[info.domid].driver
        if driver is None:
            raise Refused(
                f"Domain '{info.name}' is fully virtualized and has no Xenoprof driver: "
                "profile it as a passive domain from Domain-0"
            )
        return driver

    def domain_files(self, domain: str) -> Sequence[DomainFile]:
        """Return what a domain's root holds."""
        if self.find(domain).domid:
            return self.code.files("guest")
        configs = [
            DomainFile(f"/etc/xen/{path.name}", path.read_bytes(), CONFIG_MTIME)
            for path in sorted(CONFIG_FILES.iterdir())
        ]
        return [*self.code.files("dom0"), *configs]

    def count_samples(self, domain: str, lost: Mapping[str, int]) -> None:
        """Add losses from above the driver."""
        self.hypercalls.ledger.count(domain, lost)

    def set_trace(self, event_mask: int, pcpu_mask: int) -> None:
        """Record these events on these pcpus."""
        self.execution.trace.set_masks(event_mask, pcpu_mask)

    def set_ring_pages(self, pages: int) -> None:
        """Make the trace rings."""
        self.execution.trace.set_ring_pages(pages)

    def set_trace_poll(self, poll_ns: int, threshold: int) -> None:
        """Say how often the trace rings are emptied."""
        self.execution.trace.set_poll(poll_ns, threshold)

    def read_trace(self) -> Sequence[TraceRecord]:
        """Return the records since the last call."""
        return self.execution.trace.read()

    def trace_status(self) -> TraceStatus:
        """Return how the trace rings stand."""
        return self.execution.trace.status()

    def snapshot(self) -> HostSnapshot:
        """Return the state now."""
        self._generation += 1
        with Look(self.execution):
            return host_snapshot(self.hypercalls, self.context, self._generation, self._epoch_ns)

    def proc(self, domain: str, name: str) -> str:
        """Return a file of a domain's /proc."""
        domid = self.find(domain).domid
        with Look(self.execution):
            return self.proc_files.read(domid, name)

    def debug_keys(self, keys: str) -> None:
        """Press keys on the hypervisor's console; the answer goes to its message ring (3.1)."""
        self.ring.write(xen_lines(debug_keys(keys, self.snapshot())))


def build(scenario: Scenario, *, epoch_ns: int, support_limits: bool = True) -> Machine:
    """Return the host of a scenario, booted, at model time 0."""
    return Machine(scenario, epoch_ns=epoch_ns, support_limits=support_limits)
