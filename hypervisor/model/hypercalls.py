"""What the toolstack can make the hypervisor and domain 0 do (`toolstack.hypercalls.Hypervisor`).

Owns the domains: builds them, starts their programs, and takes them apart again.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hypervisor.errors import ScenarioError
from hypervisor.model.attach import Attachments
from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.images import Role
from hypervisor.model.cpu.execution import Execution
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.cpu.sched.sedf import SedfScheduler
from hypervisor.model.cpu.stateletters import state_letters
from hypervisor.model.domain.domain import Domain, Vcpu
from hypervisor.model.io.blkstat import IoWait
from hypervisor.model.linux.saved import read_saved
from hypervisor.model.linux.xenbus import CRASH, SUSPEND, Xenbus
from hypervisor.model.memory.balloon import Balloon
from hypervisor.model.memory.pages import Memory
from hypervisor.model.profiling.driver import OprofileModule
from hypervisor.model.profiling.ledger import SampleLedger
from hypervisor.model.profiling.samples import SampleExpander
from hypervisor.model.profiling.xenoprof import Xenoprof
from hypervisor.model.scenario.spec import Host
from hypervisor.model.timing.random_stream import stream_seed
from hypervisor.model.workloads.programs import Programs
from hypervisor.toolstack.config.schedparams import SedfParameters
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.hypercalls import DomainState, Done, PhysicalInfo, Program
from hypervisor.toolstack.timers import Timers
from hypervisor.toolstack.xenstore import Xenstore
from hypervisor.trace_events import ADJDOM, DOM_ADD, DOM_REM, SHUTDOWN

VERSIONS = {"3.0.3": (3, 0, ".3-rc5.el5"), "3.1": (3, 1, ".0-53.el5")}


@dataclass(slots=True)
class Resident:
    """A live domain with what belongs to it here."""

    domain: Domain
    spec: DomainSpec
    balloon: Balloon
    xenbus: Xenbus | None  # None for an HVM guest
    programs: Programs
    is_booted: bool = False


class Hypercalls(Attachments):
    """The domains of one host. `backends` is set once domain 0 exists."""

    def __init__(
        self,
        host: Host,
        code: CodeBook,
        execution: Execution,
        memory: Memory,
        xenoprof: Xenoprof,
        oprofile_type: str,
        store: Xenstore,
    ) -> None:
        super().__init__()
        self.residents: dict[int, Resident] = {}
        self.names: dict[int, str] = {}  # of every domain that ever was
        self.ledger = SampleLedger(xenoprof, self.live, self.names)
        self._host = host
        self.clock = execution.clock
        self.code = code
        self.execution = execution
        self.scheduler = execution.scheduler
        self.memory = memory
        self.xenoprof = xenoprof
        self.store = store
        self._oprofile_type = oprofile_type
        self._next_domid = 0
        self._departed: Counter[str] = Counter()
        self.booting: Callable[[Domain], object] | None = None  # a kernel begins

    @property
    def timers(self) -> Timers:
        """Return the host's clock."""
        return self.clock

    def find(self, name: str) -> Domain | None:
        """Return the live domain of this name."""
        live = self.live.values()
        return next((one for one in live if one.name == name and not one.dying), None)

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
            arch=host.arch,
            has_hvm=host.hvm,
        )

    def domain_state(self, domid: int) -> DomainState:
        """Return a domain's state now."""
        domain = self.live[domid]
        return DomainState(
            memory_kib=domain.memory_kib,
            maximum_kib=domain.maximum_kib,
            shutdown_reason=domain.shutdown_reason,
            is_paused=domain.pause_count > 0,
            cpu_ns=domain.cpu_ns(self.clock.now),
            online_vcpus=sum(vcpu.online for vcpu in domain.vcpus),
            letters=state_letters(domain),
        )

    # -- life ----------------------------------------------------------------------------

    def create_domain(self, spec: DomainSpec, saved: Mapping[str, Any] | None = None) -> int:
        """Build a domain, paused, without devices."""
        before = None if saved is None else read_saved(saved)
        if before is not None:
            spec = replace(spec, workloads=tuple(before.workloads))
        _check_workloads(spec)
        domid = self._next_domid
        self._next_domid += 1  # ids only grow, also where the creation fails
        now = self.clock.now
        self.memory.take(spec.memory_kib, now)
        domain = Domain(
            domid, spec.name, spec.uuid, spec.kind, spec.memory_kib, spec.maximum_kib, now
        )
        domain.pause_count = 1
        domain.io_wait = IoWait(domain)
        self.scheduler.add_domain(domain, spec.weight, spec.cap_percent)
        mask = self._mask(spec.affinity)
        for number in range(spec.vcpus):
            vcpu = Vcpu(domain, number, now, mask)
            vcpu.online = number in spec.initial_vcpus
            domain.vcpus.append(vcpu)
            self.scheduler.add_vcpu(vcpu)
            self.execution.trace.vcpu(DOM_ADD, vcpu)
        guest = domain.guest = Guest(domain, self.execution, self.code)
        self.live[domid] = domain
        self.names[domid] = spec.name
        if before is not None:
            domain.configured_kib = before.configured_kib
        balloon = Balloon(guest, self.memory)
        if before is not None:
            balloon.paging.restore(before.paging.model_dump())
        is_hvm = spec.kind == "hvm"
        booted = replace(spec, arch=spec.arch or self._host.arch) if before is None else None
        xenbus = None if is_hvm else Xenbus(domain, self.store, balloon, self.end_domain, booted)
        guest.panic = Panic(self, domain).happened
        guest.console = domain.console.write
        results = () if before is None else before.results
        programs = Programs(guest, spec.workloads, self._host.mhz, self.find, results)
        self.residents[domid] = Resident(domain, spec, balloon, xenbus, programs)
        if not is_hvm:
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

    def saved_state(self, domid: int) -> Mapping[str, Any]:
        """Return what the guest has in its memory, as JSON can hold it."""
        resident = self.residents[domid]
        return {
            "configured_kib": resident.domain.configured_kib,
            "workloads": [dict(one) for one in resident.programs.settings],
            "results": list(resident.programs.results()),
            "paging": resident.balloon.paging.saved_state(),
        }

    def end_domain(self, domain: Domain, reason: int) -> None:
        """The guest has shut itself down: all of it stops, and the toolstack is told."""
        if domain.dying or domain.shutdown_reason is not None:
            return
        domain.shutdown_reason = reason
        self.execution.trace.vcpu(SHUTDOWN, domain.vcpus[0], reason)
        for vcpu in domain.vcpus:
            self.execution.stop(vcpu)
        self.execution.decide_now()
        self.store.announce("@releaseDomain")

    def crash_domain(self, domid: int) -> None:
        """Make its kernel panic."""
        self.end_domain(self.live[domid], CRASH)

    def suspend_domain(self, domid: int) -> None:
        """Stop a domain that need not agree."""
        self.end_domain(self.live[domid], SUSPEND)

    def resume_domain(self, domid: int) -> None:
        """Let a suspended domain go on."""
        resident = self.residents[domid]
        if resident.domain.shutdown_reason != SUSPEND:
            return
        resident.domain.shutdown_reason = None
        for vcpu in resident.domain.vcpus:
            self.execution.resume(vcpu)
        if resident.xenbus is not None:
            resident.xenbus.resumed()
        self.execution.decide_now()

    def destroy_domain(self, domid: int) -> None:
        """Kill a domain: off its pcpus, out of the scheduler, pages to be scrubbed."""
        resident = self.residents.pop(domid)
        domain = resident.domain
        self.execution.settle_all()
        self.execution.divide_times()
        domain.dying = True
        if resident.xenbus is not None:
            resident.xenbus.stop()
        for vcpu in domain.vcpus:
            self.execution.stop(vcpu)
        self.execution.decide_now()
        if any(vbd.mapped for vbd in domain.vbds):
            self.backends.blkback.let_go = self._reap  # a zombie until then
        else:
            self._reap(domain)

    def _reap(self, domain: Domain) -> None:
        """Nothing of a dying domain is mapped any more: forget it."""
        self.ledger.domain_gone(domain)
        for vcpu in domain.vcpus:
            self.scheduler.remove_vcpu(vcpu)
            self.execution.trace.vcpu(DOM_REM, vcpu)
        self.scheduler.remove_domain(domain)
        self.memory.release(domain.memory_kib, self.clock.now)
        self._departed.update(_operations(domain))
        ports = [vif.backend_port for vif in domain.vifs]
        for port in [*ports, *(vbd.backend_port for vbd in domain.vbds)]:
            self.live[0].channels.close(port)
        del self.live[domain.domid]

    def rename_domain(self, domid: int, name: str) -> None:
        """Tell the new name."""
        self.live[domid].name = name
        self.names[domid] = name

    def pause_domain(self, domid: int) -> None:
        """Stop scheduling it, once."""
        domain = self.live[domid]
        if not domain.pause_count:
            domain.pause_count = 1
            for vcpu in domain.vcpus:
                self.execution.stop(vcpu)
            self.execution.decide_now()

    def unpause_domain(self, domid: int) -> None:
        """Schedule it again; the first time, it boots."""
        resident = self.residents[domid]
        domain = resident.domain
        domain.pause_count = 0
        if not resident.is_booted and self.booting is not None:
            self.booting(domain)
        for vcpu in domain.vcpus:
            self.execution.resume(vcpu)
        if not resident.is_booted:
            resident.is_booted = True
            if resident.xenbus is not None:
                resident.xenbus.start()
            resident.programs.start(self.backends.nic, self.backends.netback)
        self.execution.decide_now()

    # -- resources -----------------------------------------------------------------------

    def set_affinity(self, domid: int, vcpu: int, pcpus: tuple[int, ...] | None) -> None:
        """Pin a vcpu."""
        target = self.live[domid].vcpus[vcpu]
        target.affinity = self._mask(pcpus)
        self.scheduler.affinity_changed(target)
        self.execution.decide_now()

    def set_maximum(self, domid: int, kib: int) -> None:
        """Set the most memory it may have."""
        self.live[domid].maximum_kib = kib

    def credit_parameters(self, domid: int) -> tuple[int, int]:
        """Return (weight, cap)."""
        parameters = self.scheduler.parameters(self.live[domid])
        assert parameters is not None  # only asked under the credit scheduler
        return parameters

    def set_credit_parameters(
        self, domid: int, weight: int | None, cap_percent: int | None
    ) -> None:
        """Change weight and/or cap."""
        self.scheduler.adjust(self.live[domid], weight, cap_percent)
        self.execution.trace.domain(ADJDOM, self.live[domid])

    def sedf_parameters(self, domid: int) -> SedfParameters:
        """Return what sEDF gives a domain."""
        assert isinstance(self.scheduler, SedfScheduler)  # only asked under this scheduler
        return self.scheduler.sedf_parameters(self.live[domid])

    def set_sedf_parameters(self, domid: int, parameters: SedfParameters) -> None:
        """Change it."""
        assert isinstance(self.scheduler, SedfScheduler)
        self.scheduler.adjust_sedf(self.live[domid], parameters)
        self.execution.trace.domain(ADJDOM, self.live[domid])
        self.execution.decide_now()

    def _mask(self, pcpus: tuple[int, ...] | None) -> int:
        if pcpus is None:
            return (1 << self.execution.topology.pcpus) - 1
        return sum(1 << number for number in set(pcpus))

    def results(self, domid: int) -> tuple[Mapping[str, Any], ...]:
        """Return what a domain's programs have achieved; nothing of a dying one's."""
        resident = self.residents.get(domid)
        return () if resident is None else resident.programs.results()

    def operations(self) -> Mapping[str, int]:
        """Return event channel and grant operations of all domains that ever were."""
        counts = Counter(self._departed)
        for domain in self.live.values():
            counts.update(_operations(domain))
        return counts

    # -- domain 0's programs -------------------------------------------------------------

    def run_program(self, program: Program, milliseconds: int, done: Done) -> None:
        """Have domain 0 run a program."""
        self.backends.programs.run(program, milliseconds, done)

    def copy_memory(
        self, domid: int, kib: int, *, is_write: bool, done: Done, is_core: bool = False
    ) -> None:
        """Have domain 0 copy memory of a domain to or from its disk."""
        path = "dump_page" if is_core else "save_page" if is_write else "restore_page"
        self.backends.programs.copy(path, domid, kib, is_write=is_write, done=done)

    def console(self, domid: int) -> str:
        """Return what the guest has lately written to its console."""
        return self.live[domid].console.text()


class Panic:
    """What the kernel of a domain calls when it gives up."""

    def __init__(self, hypercalls: Hypercalls, domain: Domain) -> None:
        self._hypercalls = hypercalls
        self._domain = domain

    def happened(self) -> None:
        """End the domain."""
        self._hypercalls.end_domain(self._domain, CRASH)


def _operations(domain: Domain) -> Mapping[str, int]:
    return {
        "evtchn_send": domain.channels.sent,
        "gnttab_map": domain.grants.mapped,
        "gnttab_copy": domain.grants.copied,
        "gnttab_transfer": domain.grants.transferred,
    }


def _check_workloads(spec: DomainSpec) -> None:
    """Raise ScenarioError for what the domain could not run, before anything is built."""
    from hypervisor.model.scenario.workloads import parse_workloads

    for workload in parse_workloads(spec.workloads):
        if workload.kind == "fileio" and not spec.disks:
            raise ScenarioError(f"Domain '{spec.name}': a fileio workload needs a disk")
        # Domain 0 is on the bridge itself.
        if workload.kind == "netperf" and not spec.vifs and spec.kind != "dom0":
            raise ScenarioError(f"Domain '{spec.name}': a netperf workload needs a vif")
