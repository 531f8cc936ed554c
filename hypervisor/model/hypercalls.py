"""What the toolstack can make the hypervisor do (see `toolstack.hypercalls.Hypervisor`).

Owns the domains: builds them with their devices and drivers, starts their programs, and takes
them apart again.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from hypervisor.errors import Refused, ScenarioError
from hypervisor.model.balloon import Balloon
from hypervisor.model.blkif import BlockBackend, BlockFrontend
from hypervisor.model.code import CodeBook
from hypervisor.model.domain import Domain, Vcpu
from hypervisor.model.evtchn import Port
from hypervisor.model.execution import Execution
from hypervisor.model.guest import Guest
from hypervisor.model.images import Role
from hypervisor.model.ledger import SampleLedger
from hypervisor.model.memory import Memory
from hypervisor.model.netif import NetBackend, NetFrontend
from hypervisor.model.nic import Nic
from hypervisor.model.oprofile import OprofileModule
from hypervisor.model.random_stream import stream_seed
from hypervisor.model.samples import SampleExpander
from hypervisor.model.scenario import Host
from hypervisor.model.scenario_workloads import parse_workloads
from hypervisor.model.shaper import CreditShaper
from hypervisor.model.workloads import WORKLOADS
from hypervisor.model.workloads.base import Site, Workload
from hypervisor.model.xenoprof import Xenoprof
from hypervisor.toolstack.hypercalls import PhysicalInfo
from hypervisor.toolstack.spec import DomainSpec

DISK_SPACING_SECTORS = 8 * 2**30 // 512  # each virtual disk has its own 8 GiB of the real one
VERSIONS = {"3.0.3": (3, 0, ".3-rc5.el5"), "3.1": (3, 1, ".0-53.el5")}


@dataclass(frozen=True, slots=True)
class Backends:
    """What domain 0 runs for the others."""

    netback: NetBackend
    nic: Nic
    blkback: BlockBackend


class Hypercalls:
    """The domains of one host. `backends` is set once domain 0 exists."""

    def __init__(
        self,
        host: Host,
        code: CodeBook,
        execution: Execution,
        memory: Memory,
        xenoprof: Xenoprof,
        oprofile_type: str,
    ) -> None:
        self.live: dict[int, Domain] = {}
        self.specs: dict[int, DomainSpec] = {}
        self.names: dict[int, str] = {}  # of every domain that ever was
        self.workloads: dict[int, list[Workload]] = {}
        self.backends: Backends
        self.ledger = SampleLedger(xenoprof, self.live, self.names)
        self._host = host
        self.clock = execution.clock
        self.code = code
        self.execution = execution
        self.scheduler = execution.scheduler
        self.memory = memory
        self.xenoprof = xenoprof
        self._oprofile_type = oprofile_type
        self._balloons: dict[int, Balloon] = {}
        self._started: set[int] = set()
        self._next_domid = 0
        self._disks = 0
        self._departed: Counter[str] = Counter()

    def find(self, name: str) -> Domain | None:
        """Return the live domain of this name."""
        return next((one for one in self.live.values() if one.name == name), None)

    def physical_info(self) -> PhysicalInfo:
        """Return the machine and its Xen."""
        self.memory.scrub(self.clock.now)
        host = self._host
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
        return self.specs

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
        try:
            self._attach_devices(domain, spec)
        except Refused:
            self._detach_devices(domain)
            self.memory.give_back(spec.memory_kib)
            raise
        self.scheduler.add_domain(domain, spec.weight, spec.cap_percent)
        mask = self._mask(spec.affinity)
        for number in range(spec.vcpus):
            vcpu = Vcpu(domain, number, now, mask)
            domain.vcpus.append(vcpu)
            self.scheduler.add_vcpu(vcpu)
        guest = domain.guest = Guest(domain, self.execution, self.code)
        self.live[domid] = domain
        self.specs[domid] = spec
        self.names[domid] = spec.name
        self._balloons[domid] = Balloon(guest, self.memory)
        if spec.kind != "hvm":
            role: Role = "guest" if domid else "dom0"
            domain.oprofile = OprofileModule(
                guest,
                self.xenoprof,
                SampleExpander(self.code, stream_seed(self._host.seed, f"samples/{domid}")),
                self.live,
                self._oprofile_type,
                self._host.mhz,
                self.code.modules(role),
            )
        return domid

    def _attach_devices(self, domain: Domain, spec: DomainSpec) -> None:
        for index, vif_spec in enumerate(spec.vifs):
            vif = NetFrontend(domain, index, vif_spec)
            vif.backend = self.backends.netback
            vif.backend_port = self._backend_port(vif.name)
            rate = vif_spec.rate
            if rate is not None:
                vif.shaper = CreditShaper(rate.bytes_per_window, rate.window_us)
            domain.vifs.append(vif)
        for disk_spec in spec.disks:
            vbd = BlockFrontend(domain, disk_spec, self._disks * DISK_SPACING_SECTORS)
            vbd.backend = self.backends.blkback
            vbd.backend_port = self._backend_port(f"{domain.domid}/{disk_spec.frontend}")
            self._disks = (self._disks + 1) % 16
            domain.vbds.append(vbd)

    def _backend_port(self, name: str) -> Port:
        return self.live[0].channels.bind("interdomain", f"backend {name}")

    def _detach_devices(self, domain: Domain) -> None:
        """Close domain 0's ports for them; what was sent over them stays counted."""
        ports = [vif.backend_port for vif in domain.vifs]
        ports += [vbd.backend_port for vbd in domain.vbds]
        for port in ports:
            self._departed["evtchn_send"] += port.sent
            self.live[0].channels.close(port)

    def operations(self) -> Mapping[str, int]:
        """Return event channel and grant operations of all domains that ever were."""
        counts = Counter(self._departed)
        for domain in self.live.values():
            counts.update(_operations(domain))
        return counts

    def destroy_domain(self, domid: int) -> None:
        """Kill a domain: off its pcpus, out of the scheduler, pages to be scrubbed."""
        domain = self.live[domid]
        self.execution.settle_all()
        self.ledger.domain_gone(domain)
        domain.dying = True
        for vcpu in domain.vcpus:
            self.execution.stop(vcpu)
        self.execution.decide_now()
        for vcpu in domain.vcpus:
            self.scheduler.remove_vcpu(vcpu)
        self.scheduler.remove_domain(domain)
        self.memory.release(domain.memory_kib, self.clock.now)
        self._departed.update(_operations(domain))
        self._detach_devices(domain)
        del self.live[domid], self.specs[domid], self._balloons[domid]
        self.workloads.pop(domid, None)

    def pause_domain(self, domid: int) -> None:
        """Stop scheduling it, once."""
        domain = self.live[domid]
        if not domain.pause_count:
            domain.pause_count = 1
            for vcpu in domain.vcpus:
                self.execution.stop(vcpu)
            self.execution.decide_now()

    def unpause_domain(self, domid: int) -> None:
        """Schedule it again; the first time, its programs start."""
        domain = self.live[domid]
        domain.pause_count = 0
        for vcpu in domain.vcpus:
            self.execution.resume(vcpu)
        if domid not in self._started:
            self._started.add(domid)
            self._start_workloads(domain)
        self.execution.decide_now()

    def _start_workloads(self, domain: Domain) -> None:
        started = self.workloads[domain.domid] = []
        for number, workload in enumerate(parse_workloads(self.specs[domain.domid].workloads)):
            stream = self.clock.stream(f"{domain.name}/{number}")
            site = Site(
                domain.guest,
                stream,
                self.backends.nic,
                self.backends.netback,
                self.find,
                self._host.mhz,
            )
            running = WORKLOADS[workload.kind](site, workload.model_dump())
            started.append(running)
            running.start()

    def set_affinity(self, domid: int, vcpu: int, pcpus: tuple[int, ...] | None) -> None:
        """Pin a vcpu."""
        target = self.live[domid].vcpus[vcpu]
        target.affinity = self._mask(pcpus)
        self.scheduler.affinity_changed(target)
        self.execution.decide_now()

    def credit_parameters(self, domid: int) -> tuple[int, int]:
        """Return (weight, cap)."""
        return self.scheduler.parameters(self.live[domid])

    def set_credit_parameters(
        self, domid: int, weight: int | None, cap_percent: int | None
    ) -> None:
        """Change weight and/or cap."""
        self.scheduler.adjust(self.live[domid], weight, cap_percent)

    def set_online_vcpus(self, domid: int, count: int) -> None:
        """Have the guest plug and unplug; HVM guests do not look."""
        domain = self.live[domid]
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


def _operations(domain: Domain) -> Mapping[str, int]:
    return {
        "evtchn_send": domain.channels.sent,
        "gnttab_map": domain.grants.mapped,
        "gnttab_copy": domain.grants.copied,
        "gnttab_transfer": domain.grants.transferred,
    }


def _check_workloads(spec: DomainSpec) -> None:
    """Raise ScenarioError for what the domain could not run, before anything is built."""
    for workload in parse_workloads(spec.workloads):
        if workload.kind == "fileio" and not spec.disks:
            raise ScenarioError(f"Domain '{spec.name}': a fileio workload needs a disk")
        # Domain 0 is on the bridge itself.
        if workload.kind == "netperf" and not spec.vifs and spec.kind != "dom0":
            raise ScenarioError(f"Domain '{spec.name}': a netperf workload needs a vif")
