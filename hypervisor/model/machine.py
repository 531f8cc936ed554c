"""The simulated host: assembles everything from a scenario, and is a `hypervisor.host.Host`.

Two faces: towards the toolstack it is a hypervisor (hypercalls.Hypervisor), towards programs
a host. Thin: what things do stands in the files of their own names.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hypervisor.errors import Refused, ScenarioError, UnknownDomain
from hypervisor.host import DomainFile, OprofileDriver
from hypervisor.model.balloon import Balloon
from hypervisor.model.blkif import BlockBackend, BlockFrontend
from hypervisor.model.clock import Clock
from hypervisor.model.code import CodeBook
from hypervisor.model.domain import Domain, Vcpu
from hypervisor.model.execution import Execution
from hypervisor.model.guest import Guest
from hypervisor.model.housekeeping import Housekeeping
from hypervisor.model.images import Role
from hypervisor.model.memory import Memory
from hypervisor.model.netif import NetBackend, NetFrontend
from hypervisor.model.nic import Nic
from hypervisor.model.oprofile import OprofileModule
from hypervisor.model.overheads import Overheads
from hypervisor.model.pmu import Pmu
from hypervisor.model.random_stream import stream_seed
from hypervisor.model.samples import SampleExpander
from hypervisor.model.scenario import Scenario
from hypervisor.model.scenario_workloads import parse_workloads
from hypervisor.model.sched import SCHEDULERS
from hypervisor.model.shaper import CreditShaper
from hypervisor.model.snapshot import domain_snapshot, pcpu_snapshot
from hypervisor.model.storage import Disk
from hypervisor.model.topology import Topology
from hypervisor.model.workloads import WORKLOADS
from hypervisor.model.workloads.base import Site, Workload
from hypervisor.model.xenoprof import Xenoprof
from hypervisor.telemetry import HostSnapshot, LostCount, Mode, SampleCount
from hypervisor.toolstack.hypercalls import DomainSpec, PhysicalInfo
from hypervisor.toolstack.settings import domain0_spec
from hypervisor.toolstack.xend import Xend

# Interrupts of the NIC are taken together for this long: what one decision of this model may
# move at most (judgement; the real card interrupts each 125 us under load).
NIC_BATCH_NS = 8_000_000
DISK_SPACING_SECTORS = 8 * 2**30 // 512  # each virtual disk has its own 8 GiB of the real one
VERSIONS = {"3.0.3": (3, 0, ".3-rc5.el5"), "3.1": (3, 1, ".0-53.el5")}
OPROFILE_TYPES = {
    "p4": "i386/p4",
    "p4-ht": "i386/p4-ht",
    "core_2": "i386/core_2",
    "hammer": "x86-64/hammer",
}
ADVANCE_STEP_NS = 1_000_000
CONFIG_FILES = Path(__file__).parents[1] / "toolstack" / "etc"  # what xm create finds
CONFIG_MTIME = 1_178_668_800  # 9 May 2007, the day of the talk


class Machine(Xend):
    """A host in operation. Domain 0 exists and runs from the start."""

    def __init__(self, scenario: Scenario, *, epoch_ns: int) -> None:
        host = scenario.host
        super().__init__(self, tools=host.tools, draw=random.Random(stream_seed(host.seed, "xend")))
        self.scenario = scenario
        self.name = host.name
        self._epoch_ns = epoch_ns
        self.clock = Clock(host.seed)
        topology = Topology(host.sockets, host.cores_per_socket, host.threads_per_core)
        self.code = CodeBook(host.cpu)
        overheads = Overheads(self.code)
        self.pmu = Pmu(self.code, host.mhz, topology.pcpus, stream_seed(host.seed, "pmu"))
        self.execution = Execution(self.clock, topology, host.mhz, self.code, overheads, self.pmu)
        self.scheduler = SCHEDULERS[host.scheduler](self.execution, host.hypervisor)
        self.execution.scheduler = self.scheduler
        self.memory = Memory(host.memory_mib * 1024)
        # Stock 3.0.3 refuses family 6 models above 13: Core 2 came in November 2006.
        can_profile = not (host.cpu == "core_2" and host.hypervisor == "3.0.3")
        self.xenoprof = Xenoprof(
            self.execution, self.pmu, overheads.sample, can_profile=can_profile
        )
        self.pmu.sink = self.xenoprof
        self.xenoprof.virq = self._virq
        self._oprofile_type = OPROFILE_TYPES[host.cpu] if can_profile else "timer"
        self._live: dict[int, Domain] = {}
        self._specs: dict[int, DomainSpec] = {}
        self._names: dict[int, str] = {}
        self._workloads: dict[int, list[Workload]] = {}
        self._balloons: dict[int, Balloon] = {}
        self._started: set[int] = set()
        self._next_domid = 0
        self._disks = 0
        self._generation = 0
        self._lost_above: dict[tuple[str, str], int] = {}
        self._lost_with_domains: dict[tuple[str, str], int] = {}
        self._boot(scenario)

    def _boot(self, scenario: Scenario) -> None:
        spec = domain0_spec(
            vcpus=scenario.domain0_vcpus,
            memory_kib=scenario.domain0_memory_mib * 1024,
            weight=scenario.domain0.weight,
            cap_percent=scenario.domain0.cap,
            affinity=scenario.domain0.affinity,
        )
        workloads = tuple(work.model_dump() for work in scenario.domain0.workload)
        self.create_domain(replace(spec, workloads=workloads))
        guest = self._live[0].guest
        vcpus = spec.vcpus
        # Network and disk interrupts on different vcpus, as irqbalance leaves them (judgement).
        self.netback = NetBackend(guest, 0, flip=scenario.host.hypervisor == "3.0.3")
        self.nic = Nic(self.clock, self.netback.interrupted, NIC_BATCH_NS)
        self.netback.nic = self.nic
        self.blkback = BlockBackend(guest, min(1, vcpus - 1))
        self.disk = Disk(self.clock, self.clock.stream("disk"), self.blkback.completed)
        self.blkback.disk = self.disk
        self.execution.start()
        self.unpause_domain(0)
        Housekeeping(guest, self.clock.stream("housekeeping/0")).start()
        for domain in scenario.domains:
            plain = tuple(work.model_dump() for work in domain.workload)
            domid = self.create(domain.config(), paused=True, workloads=plain)
            self.set_credit_parameters(domid, domain.weight, domain.cap)
            self.unpause_domain(domid)
        self.execution.decide_now()

    # hypercalls.Hypervisor

    def physical_info(self) -> PhysicalInfo:
        """Return the machine and its Xen."""
        self.memory.scrub(self.clock.now)
        host = self.scenario.host
        major, minor, extra = VERSIONS[host.hypervisor]
        return PhysicalInfo(
            host=host.name,
            cpu_type=host.cpu,
            mhz=host.mhz,
            sockets=host.sockets,
            cores_per_socket=host.cores_per_socket,
            threads_per_core=host.threads_per_core,
            memory_kib=self.memory.total_kib,
            free_kib=self.memory.free_kib,
            scrub_kib=self.memory.scrub_kib,
            xen_major=major,
            xen_minor=minor,
            xen_extra=extra,
            scheduler=host.scheduler,
        )

    def domains(self) -> Mapping[int, DomainSpec]:
        """Return the configuration of every live domain, by id."""
        return self._specs

    def create_domain(self, spec: DomainSpec) -> int:
        """Build a domain, paused, with its devices connected."""
        _check_workloads(spec)
        domid = self._next_domid
        self._next_domid += 1  # ids only grow, also where the creation fails
        now = self.clock.now
        self.memory.take(spec.memory_kib, now)
        domain = Domain(
            domid, spec.name, spec.uuid, spec.kind, spec.memory_kib, spec.maximum_kib, now
        )
        domain.pause_count = 1
        self.scheduler.add_domain(domain, spec.weight, spec.cap_percent)
        mask = self._mask(spec.affinity)
        for number in range(spec.vcpus):
            vcpu = Vcpu(domain, number, now, mask)
            domain.vcpus.append(vcpu)
            self.scheduler.add_vcpu(vcpu)
        guest = domain.guest = Guest(domain, self.execution, self.code)
        self._live[domid] = domain
        self._specs[domid] = spec
        self._names[domid] = spec.name
        self._balloons[domid] = Balloon(guest, self.memory)
        self._attach_devices(domain, spec)
        if spec.kind != "hvm":
            role: Role = "guest" if domid else "dom0"
            domain.oprofile = OprofileModule(
                guest,
                self.xenoprof,
                SampleExpander(self.code, stream_seed(self.scenario.host.seed, f"samples/{domid}")),
                self._live,
                self._oprofile_type,
                self.scenario.host.mhz,
                self.code.modules(role),
            )
        return domid

    def _attach_devices(self, domain: Domain, spec: DomainSpec) -> None:
        for index, vif_spec in enumerate(spec.vifs):
            vif = NetFrontend(domain, index, vif_spec)
            vif.backend = self.netback
            rate = vif_spec.rate
            if rate is not None:
                vif.shaper = CreditShaper(rate.bytes_per_window, rate.window_us)
            domain.vifs.append(vif)
        for disk_spec in spec.disks:
            vbd = BlockFrontend(domain, disk_spec, self._disks * DISK_SPACING_SECTORS)
            vbd.backend = self.blkback
            self._disks = (self._disks + 1) % 16
            domain.vbds.append(vbd)

    def destroy_domain(self, domid: int) -> None:
        """Kill a domain: off its pcpus, out of the scheduler, pages to be scrubbed."""
        domain = self._live[domid]
        self.execution.settle_all()
        driver = domain.oprofile
        if driver is not None:
            self._count_lost(domain.name, "domain_destroyed", driver.pending())
        unread = self.xenoprof.forget(domid)
        self._count_lost(domain.name, "domain_destroyed", unread)
        for reason, samples in self._driver_losses(domain).items():
            self._count_lost(domain.name, reason, samples)
        domain.dying = True
        for vcpu in domain.vcpus:
            self.execution.stop(vcpu)
        self.execution.decide_now()
        for vcpu in domain.vcpus:
            self.scheduler.remove_vcpu(vcpu)
        self.scheduler.remove_domain(domain)
        self.memory.release(domain.memory_kib, self.clock.now)
        del self._live[domid], self._specs[domid], self._balloons[domid]
        self._workloads.pop(domid, None)

    def pause_domain(self, domid: int) -> None:
        """Stop scheduling it, once."""
        domain = self._live[domid]
        if not domain.pause_count:
            domain.pause_count = 1
            for vcpu in domain.vcpus:
                self.execution.stop(vcpu)
            self.execution.decide_now()

    def unpause_domain(self, domid: int) -> None:
        """Schedule it again; the first time, its programs start."""
        domain = self._live[domid]
        domain.pause_count = 0
        for vcpu in domain.vcpus:
            self.execution.resume(vcpu)
        if domid not in self._started:
            self._started.add(domid)
            self._start_workloads(domain)
        self.execution.decide_now()

    def _start_workloads(self, domain: Domain) -> None:
        started = self._workloads[domain.domid] = []
        for number, workload in enumerate(parse_workloads(self._specs[domain.domid].workloads)):
            stream = self.clock.stream(f"{domain.name}/{number}")
            site = Site(
                domain.guest,
                stream,
                self.nic,
                self.netback,
                self._by_name,
                self.scenario.host.mhz,
            )
            running = WORKLOADS[workload.kind](site, workload.model_dump())
            started.append(running)
            running.start()

    def set_affinity(self, domid: int, vcpu: int, pcpus: tuple[int, ...] | None) -> None:
        """Pin a vcpu."""
        target = self._live[domid].vcpus[vcpu]
        target.affinity = self._mask(pcpus)
        self.scheduler.affinity_changed(target)
        self.execution.decide_now()

    def credit_parameters(self, domid: int) -> tuple[int, int]:
        """Return (weight, cap)."""
        return self.scheduler.parameters(self._live[domid])

    def set_credit_parameters(
        self, domid: int, weight: int | None, cap_percent: int | None
    ) -> None:
        """Change weight and/or cap."""
        self.scheduler.adjust(self._live[domid], weight, cap_percent)

    def set_online_vcpus(self, domid: int, count: int) -> None:
        """Have the guest plug and unplug; HVM guests do not look."""
        domain = self._live[domid]
        if domain.kind == "hvm":
            return
        for vcpu in domain.vcpus:
            wanted = vcpu.vcpu_id < count
            if wanted and not vcpu.online:
                domain.guest.plug(vcpu)
            elif not wanted and vcpu.online:
                domain.guest.unplug(vcpu)
        self.execution.decide_now()

    def set_target(self, domid: int, target_kib: int) -> None:
        """Write the balloon target."""
        self._balloons[domid].set_target(target_kib)
        self.execution.decide_now()

    def _mask(self, pcpus: tuple[int, ...] | None) -> int:
        if pcpus is None:
            return (1 << self.execution.topology.pcpus) - 1
        return sum(1 << number for number in set(pcpus))

    # host.Host

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
        domid, spec = self._find(domain)
        driver = self._live[domid].oprofile
        if driver is None:
            raise Refused(
                f"Domain '{spec.name}' is fully virtualized and has no Xenoprof driver: "
                "profile it as a passive domain from Domain-0"
            )
        return driver

    def domain_files(self, domain: str) -> Sequence[DomainFile]:
        """Return what a domain's root holds."""
        domid, _ = self._find(domain)
        if domid:
            return self.code.files("guest")
        configs = [
            DomainFile(f"/etc/xen/{path.name}", path.read_bytes(), CONFIG_MTIME)
            for path in sorted(CONFIG_FILES.iterdir())
        ]
        return [*self.code.files("dom0"), *configs]

    def count_samples(self, domain: str, lost: Mapping[str, int]) -> None:
        """Add losses from above the driver."""
        for reason, samples in lost.items():
            key = (domain, reason)
            self._lost_above[key] = self._lost_above.get(key, 0) + samples

    def snapshot(self) -> HostSnapshot:
        """Return the state now."""
        execution = self.execution
        execution.settle_all()
        self._generation += 1
        info = self.physical_info()
        host = self.scenario.host
        return HostSnapshot(
            generation=self._generation,
            time_ns=self.clock.now,
            unix_ns=self._epoch_ns + self.clock.now,
            host=host.name,
            cpu_type=host.cpu,
            mhz=host.mhz,
            sockets=host.sockets,
            cores_per_socket=host.cores_per_socket,
            threads_per_core=host.threads_per_core,
            xen_major=info.xen_major,
            xen_minor=info.xen_minor,
            xen_extra=info.xen_extra,
            tools=host.tools,
            scheduler=host.scheduler,
            memory_kib=info.memory_kib,
            free_kib=info.free_kib,
            scrub_kib=info.scrub_kib,
            domains=tuple(
                domain_snapshot(
                    domain,
                    execution,
                    self._names,
                    tuple(dict(one.results()) for one in self._workloads.get(domid, [])),
                )
                for domid, domain in sorted(self._live.items())
            ),
            pcpus=tuple(pcpu_snapshot(pcpu, execution) for pcpu in execution.pcpus),
            xenoprof=self.xenoprof.snapshot(),
            samples=self._sample_counts(),
            lost=self._lost_counts(),
            counters=dict(self.scheduler.counters),
        )

    def _sample_counts(self) -> tuple[SampleCount, ...]:
        driver = self._live[0].oprofile
        names = driver.event_names if driver is not None else {}
        counts: dict[tuple[str, Mode, str], int] = {}
        for (domid, counter), by_mode in sorted(self.xenoprof.logged.items()):
            event = names.get(counter, f"counter_{counter}")
            for mode in Mode:
                if by_mode[mode]:
                    key = (self._names[domid], mode, event)
                    counts[key] = counts.get(key, 0) + by_mode[mode]
        return tuple(SampleCount(*key, samples) for key, samples in counts.items())

    def _driver_losses(self, domain: Domain) -> dict[str, int]:
        driver = domain.oprofile
        if driver is None:
            return {}
        return {
            "cpu_buffer_overflow": sum(driver.lost_cpu),
            "event_buffer_overflow": driver.lost_event,
        }

    def _count_lost(self, name: str, reason: str, samples: int) -> None:
        if samples:
            key = (name, reason)
            self._lost_with_domains[key] = self._lost_with_domains.get(key, 0) + samples

    def _lost_counts(self) -> tuple[LostCount, ...]:
        lost: dict[tuple[str, str], int] = dict(self._lost_above)
        for key, samples in self._lost_with_domains.items():
            lost[key] = lost.get(key, 0) + samples
        xenoprof = self.xenoprof
        for reason, counts in (
            ("ring_full", xenoprof.lost_for_ever),
            ("never_read", xenoprof.never_read),
        ):
            for domid, samples in counts.items():
                key = (self._names[domid], reason)
                lost[key] = lost.get(key, 0) + samples
        for domain in self._live.values():
            for reason, samples in self._driver_losses(domain).items():
                key = (domain.name, reason)
                lost[key] = lost.get(key, 0) + samples
        return tuple(LostCount(*key, samples) for key, samples in sorted(lost.items()) if samples)

    def _by_name(self, name: str) -> Domain | None:
        try:
            return self._live[self._find(name)[0]]
        except UnknownDomain:
            return None

    def _virq(self, vcpu: Vcpu, virqs: int) -> None:
        driver = vcpu.domain.oprofile
        if driver is not None:
            driver.virq(vcpu, virqs)


def _check_workloads(spec: DomainSpec) -> None:
    """Raise ScenarioError for what the domain could not run, before anything is built."""
    for workload in parse_workloads(spec.workloads):
        if workload.kind == "fileio" and not spec.disks:
            raise ScenarioError(f"Domain '{spec.name}': a fileio workload needs a disk")
        # Domain 0 is on the bridge itself.
        if workload.kind == "netperf" and not spec.vifs and spec.kind != "dom0":
            raise ScenarioError(f"Domain '{spec.name}': a netperf workload needs a vif")


def build(scenario: Scenario, *, epoch_ns: int) -> Machine:
    """Return the host of a scenario, booted, at model time 0."""
    return Machine(scenario, epoch_ns=epoch_ns)
