"""Carries out the toolstack's calls to the hypervisor and domain 0.

Owns the domains: builds them, starts their programs, and destroys them.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from hypervisor.domainsettings import SedfParameters
from hypervisor.errors import Refused
from hypervisor.model.attach import (
    Attachments,
    emulation,
    initiator,
    own_disk,
    start_backends,
)
from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.cpu.execution import Execution
from hypervisor.model.cpu.sched.sedf import SedfScheduler
from hypervisor.model.cpu.stateletters import state_letters
from hypervisor.model.domain.domain import Domain, Domains
from hypervisor.model.linux.proctimes import KernelTimes
from hypervisor.model.linux.saved import SavedGuest
from hypervisor.model.memory.pages import Memory
from hypervisor.model.profiling.ledger import SampleLedger
from hypervisor.model.profiling.overheads import OverheadMeter
from hypervisor.model.profiling.xenoprof import Xenoprof
from hypervisor.model.resident import Builder, LiveDomains, Resident
from hypervisor.model.scenario.native import NONE
from hypervisor.model.scenario.spec import Host
from hypervisor.model.storage.stores import Stores
from hypervisor.model.timing.random_stream import Streams
from hypervisor.shutdown import SUSPEND
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.hypercalls import DomainState, Done, PhysicalInfo, Program
from hypervisor.toolstack.timers import Timers
from hypervisor.toolstack.xenstore import Xenstore
from hypervisor.trace_events import ADJDOM, DOM_REM, SHUTDOWN

DOMID_FIRST_RESERVED = 0x7FF0
VERSIONS = {"3.0.3": (3, 0, ".3-rc5.el5"), "3.1": (3, 1, ".0-53.el5"), NONE: (0, 0, "")}


class Hypercalls:
    """Owns the domains of one host, and domain 0 (see `toolstack.hypercalls.Hypervisor`)."""

    def __init__(
        self,
        host: Host,
        code: CodeBook,
        execution: Execution,
        memory: Memory,
        xenoprof: Xenoprof,
        oprofile_type: str,
        store: Xenstore,
        streams: Streams,
        domain0: DomainSpec,
        elevator: str,
    ) -> None:
        """`oprofile_type` is oprofile's name of the processor, which the drivers report.

        `elevator` is the one of domain 0's block devices.
        """
        self.residents: dict[int, Resident] = {}
        self.live: Domains = LiveDomains(self.residents)
        self.ledger = SampleLedger(xenoprof, self.residents, host.cpu)
        self.overheads = OverheadMeter(code, xenoprof, self.residents)
        self._host = host
        self.clock = execution.clock
        self.code = code
        self.execution = execution
        self.scheduler = execution.scheduler
        self.memory = memory
        self.xenoprof = xenoprof
        self.store = store
        self.kernel_times = KernelTimes(execution.clock)
        self._rover = -1
        self._departed: Counter[str] = Counter()
        self._builder = Builder(
            host,
            code,
            execution,
            memory,
            xenoprof,
            self.live,
            store,
            self.kernel_times,
            oprofile_type,
            self.end_domain,
            self.find,
            streams,
        )
        self.create_domain(domain0)
        system = self.residents[0].guest
        self.backends = start_backends(
            system,
            host.mhz,
            Stores(execution.clock, streams, host.stores, elevator, system.ticks.hz),
            host,
            self._let_go,
            self.residents[0].paging.cache_limits,
        )
        self.devices = Attachments(self.residents, self.backends)
        self.residents[0].devices.own = own_disk(self.residents[0], self.backends)

    @property
    def timers(self) -> Timers:
        """Return the host's clock."""
        return self.clock

    def find(self, name: str) -> Resident | None:
        """Return the live domain of this name, if there is one."""
        for resident in self.residents.values():
            if resident.domain.name == name and not resident.domain.dying:
                return resident
        return None

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
        """Return the present state of a domain."""
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
        domid = self._rover = self._free_domid()  # the next search goes on, whatever fails now
        self.execution.accounting.forget_ended(self.live)
        resident = self._builder.build(domid, spec, saved)
        self.residents[domid] = resident
        if domid:
            server = self.residents[0].guest
            resident.devices.initiator = initiator(resident, server, self.backends)
            if resident.domain.is_hvm:
                resident.devices.emulation = emulation(resident, server, self.backends)
        return domid

    def _free_domid(self) -> int:
        """Return the first free id after the one given last, from the beginning at the end.

        Source: xen/common/dom0_ops.c, DOM0_CREATEDOMAIN (3.0.3). Raises: Refused.
        """
        for step in range(1, DOMID_FIRST_RESERVED + 1):
            domid = (self._rover + step) % DOMID_FIRST_RESERVED
            if domid not in self.residents:
                return domid
        raise Refused("Failed to create domain: Cannot allocate memory")

    def saved_state(self, domid: int) -> Mapping[str, Any]:
        """Return the state that a guest keeps in its memory, as values that JSON can hold."""
        resident = self.residents[domid]
        return SavedGuest(
            configured_kib=resident.domain.configured_kib,
            workloads=[dict(one) for one in resident.programs.settings],
            results=[dict(one) for one in resident.programs.results()],
            paging=resident.paging.saved(),
            drivers=_drivers(resident),
        ).state()

    def end_domain(self, domain: Domain, reason: int) -> None:
        """Stop all vcpus of a guest that has shut itself down, and tell the toolstack."""
        if domain.dying or domain.shutdown_reason is not None:
            return
        domain.shutdown_reason = reason
        self.execution.trace.vcpu(SHUTDOWN, domain.vcpus[0], reason)
        for vcpu in domain.vcpus:
            self.execution.stop(vcpu)
        self.execution.decide_now()
        self.store.announce("@releaseDomain")

    def shut_down_domain(self, domid: int, reason: int) -> None:
        """End a domain for a reason, or suspend it, without its help."""
        self.end_domain(self.live[domid], reason)

    def watches_store(self, domid: int) -> bool:
        """Return whether a domain's kernel sees what is written for it in xenstore."""
        return self.residents[domid].xenbus.is_watching

    def resume_domain(self, domid: int) -> None:
        """Resume a suspended domain."""
        resident = self.residents[domid]
        if resident.domain.shutdown_reason != SUSPEND:
            return
        resident.domain.shutdown_reason = None
        for vcpu in resident.domain.vcpus:
            self.execution.resume(vcpu)
        resident.xenbus.resumed()
        self.execution.decide_now()

    def destroy_domain(self, domid: int) -> None:
        """Destroy a domain: remove it from pcpus and scheduler, and have its pages scrubbed."""
        resident = self.residents[domid]
        domain = resident.domain
        self.execution.accounting.settle_all()
        self.execution.accounting.divide_times()
        domain.dying = True
        resident.xenbus.stop()
        if resident.devices.emulation is not None:
            resident.devices.emulation.end()
        resident.programs.stop()
        for vcpu in domain.vcpus:
            self.execution.stop(vcpu)
        self.execution.decide_now()
        self._let_go(domain)

    def _let_go(self, domain: Domain) -> None:
        """Remove a dying domain once none of its pages is mapped; it is a zombie until then."""
        resident = self.residents.get(domain.domid)
        if resident is None or any(vbd.mapped for vbd in resident.devices.vbds):
            return
        self.ledger.domain_gone(domain)
        for vcpu in domain.vcpus:
            self.scheduler.remove_vcpu(vcpu)
            self.execution.trace.vcpu(DOM_REM, vcpu)
        self.scheduler.remove_domain(domain)
        self.memory.release(domain.memory_kib, self.clock.now)
        self._departed.update(_operations(domain))
        self.devices.domain_gone(resident)
        del self.residents[domain.domid]

    def rename_domain(self, domid: int, name: str) -> None:
        """Give a domain another name."""
        self.live[domid].name = name

    def pause_domain(self, domid: int) -> None:
        """Stop scheduling a domain, unless the tools have paused it already."""
        domain = self.live[domid]
        if not domain.pause_count:
            domain.pause_count = 1
            for vcpu in domain.vcpus:
                self.execution.stop(vcpu)
            self.execution.decide_now()

    def unpause_domain(self, domid: int) -> None:
        """Schedule a domain again; the first time, it boots."""
        resident = self.residents[domid]
        domain = resident.domain
        domain.pause_count = 0
        if not resident.is_booted:
            self.kernel_times.booting(domain)
        for vcpu in domain.vcpus:
            self.execution.resume(vcpu)
        if not resident.is_booted:
            resident.is_booted = True
            if resident.devices.emulation is not None:
                resident.xenbus.boot_natively()
                resident.devices.emulation.start(resident.drivers)
            else:
                resident.xenbus.start()
            resident.programs.start(self.backends.network)
        self.execution.decide_now()

    # -- resources -----------------------------------------------------------------------

    def set_affinity(self, domid: int, vcpu: int, pcpus: tuple[int, ...] | None) -> None:
        """Pin a vcpu to some pcpus; None lets it run on any."""
        target = self.live[domid].vcpus[vcpu]
        target.affinity = self._builder.affinity_mask(pcpus)
        self.scheduler.affinity_changed(target)
        self.execution.decide_now()

    def set_maximum(self, domid: int, kib: int) -> None:
        """Set the maximum memory of a domain."""
        self.live[domid].maximum_kib = kib

    def credit_parameters(self, domid: int) -> tuple[int, int]:
        """Return (weight, cap)."""
        parameters = self.scheduler.parameters(self.live[domid])
        assert parameters is not None  # only called under the credit scheduler
        return parameters

    def set_credit_parameters(
        self, domid: int, weight: int | None, cap_percent: int | None
    ) -> None:
        """Change weight and/or cap."""
        self.scheduler.adjust(self.live[domid], weight, cap_percent)
        self.execution.trace.domain(ADJDOM, self.live[domid])

    def sedf_parameters(self, domid: int) -> SedfParameters:
        """Return the sEDF parameters of a domain."""
        assert isinstance(self.scheduler, SedfScheduler)  # only called under this scheduler
        return self.scheduler.sedf_parameters(self.live[domid])

    def set_sedf_parameters(self, domid: int, parameters: SedfParameters) -> None:
        """Set the sEDF parameters of a domain."""
        assert isinstance(self.scheduler, SedfScheduler)
        self.scheduler.adjust_sedf(self.live[domid], parameters)
        self.execution.trace.domain(ADJDOM, self.live[domid])
        self.execution.decide_now()

    def operations(self) -> Mapping[str, int]:
        """Return the event channel and grant operations of all domains, also of those destroyed."""
        sent = mapped = copied = transferred = 0
        for domain in self.live.values():
            grants = domain.grants
            sent += domain.channels.sent
            mapped += grants.mapped
            copied += grants.copied
            transferred += grants.transferred
        before = self._departed
        return {
            "evtchn_send": before["evtchn_send"] + sent,
            "gnttab_map": before["gnttab_map"] + mapped,
            "gnttab_copy": before["gnttab_copy"] + copied,
            "gnttab_transfer": before["gnttab_transfer"] + transferred,
        }

    # -- domain 0's programs -------------------------------------------------------------

    def run_program(self, program: Program, milliseconds: int, done: Done) -> None:
        """Run a program in domain 0."""
        self.backends.programs.run(program, milliseconds, done)

    def copy_memory(
        self, domid: int, kib: int, *, is_write: bool, done: Done, is_core: bool = False
    ) -> None:
        """Copy memory of a domain to or from domain 0's disk."""
        path = "dump_page" if is_core else "save_page" if is_write else "restore_page"
        self.backends.programs.copy(path, domid, kib, is_write=is_write, done=done)

    def console(self, domid: int) -> str:
        """Return what the guest has recently written to its console."""
        return self.live[domid].console.text()


def _drivers(resident: Resident) -> list[Literal["vbd", "vif"]]:
    """Return the drivers for Xen that an HVM guest has loaded."""
    emulation = resident.devices.emulation
    kinds: tuple[Literal["vbd", "vif"], ...] = ("vbd", "vif")
    return [kind for kind in kinds if emulation is not None and emulation.has(kind)]


def _operations(domain: Domain) -> Mapping[str, int]:
    return {
        "evtchn_send": domain.channels.sent,
        "gnttab_map": domain.grants.mapped,
        "gnttab_copy": domain.grants.copied,
        "gnttab_transfer": domain.grants.transferred,
    }
