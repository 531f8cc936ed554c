"""Holds what belongs to a live domain, and builds it from the toolstack's specification."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypervisor.errors import ScenarioError
from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.images import Role
from hypervisor.model.cpu.execution import Execution
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.domain.domain import Domain, Domains, End, Vcpu
from hypervisor.model.domain.evtchn import PORTS
from hypervisor.model.io.devices import Devices
from hypervisor.model.linux.init import Init
from hypervisor.model.linux.proctimes import KernelTimes
from hypervisor.model.linux.saved import read_saved
from hypervisor.model.linux.xenbus import Xenbus
from hypervisor.model.memory.balloon import Balloon
from hypervisor.model.memory.pages import Memory
from hypervisor.model.memory.paging import Paging
from hypervisor.model.profiling.driver import GuestDriver
from hypervisor.model.profiling.pending import Expander
from hypervisor.model.profiling.xenoprof import Xenoprof
from hypervisor.model.scenario.spec import Host
from hypervisor.model.scenario.stores import check_lun
from hypervisor.model.scenario.ways import check_outside
from hypervisor.model.scenario.workloads import (
    EXTERNAL,
    Workload,
    check_disk,
    parse_workloads,
    uses_network,
    with_article,
)
from hypervisor.model.storage.filecache import FileCache
from hypervisor.model.timing.kernelticks import NATIVE_HZ, PARAVIRTUAL_HZ, KernelTicks
from hypervisor.model.timing.random_stream import Streams, stream_seed
from hypervisor.model.workloads.base import Peer
from hypervisor.model.workloads.programs import Programs
from hypervisor.shutdown import CRASH
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.xenstore import Xenstore
from hypervisor.trace_events import DOM_ADD


@dataclass(slots=True)
class Resident:
    """A live domain with its kernel, devices and programs. It is kept until it is reaped."""

    domain: Domain
    spec: DomainSpec
    guest: Guest
    devices: Devices
    paging: Paging
    balloon: Balloon
    init: Init
    xenbus: Xenbus
    programs: Programs
    driver: GuestDriver | None  # None for an HVM guest
    drivers: Sequence[str]  # for Xen, which an HVM guest has when it boots or goes on
    is_booted: bool = False


class LiveDomains(Mapping[int, Domain]):
    """The domains of residents by id, as parts see them that need no more of a resident."""

    def __init__(self, residents: Mapping[int, Resident]) -> None:
        self._residents = residents

    def __getitem__(self, domid: int) -> Domain:
        """Return a live domain. Raises: KeyError."""
        return self._residents[domid].domain

    def __iter__(self) -> Iterator[int]:
        """Yield the ids, the oldest first."""
        return iter(self._residents)

    def __len__(self) -> int:
        """Return the number of live domains."""
        return len(self._residents)


class Panic:
    """Ends a domain whose kernel panics."""

    def __init__(self, end: End, domain: Domain) -> None:
        self._end = end
        self._domain = domain

    def happened(self) -> None:
        """End the domain."""
        self._end(self._domain, CRASH)


class Builder:
    """Builds domains: pages, vcpus, kernel, memory management, drivers, programs."""

    def __init__(
        self,
        host: Host,
        code: CodeBook,
        execution: Execution,
        memory: Memory,
        xenoprof: Xenoprof,
        live: Domains,
        store: Xenstore,
        times: KernelTimes,
        oprofile_type: str,
        end: End,
        find: Callable[[str], Peer | None],
        streams: Streams,
    ) -> None:
        """`find` returns the live domain of a name, for programs that talk to other domains."""
        self._host = host
        self._code = code
        self._execution = execution
        self._memory = memory
        self._xenoprof = xenoprof
        self._live = live
        self._store = store
        self._times = times
        self._oprofile_type = oprofile_type
        self._end = end
        self._find = find
        self._streams = streams

    def build(self, domid: int, spec: DomainSpec, saved: Mapping[str, Any] | None) -> Resident:
        """Return the domain, paused and without devices.

        Raises: Refused for too little memory or a damaged save; ScenarioError for a workload that
        the domain cannot run.
        """
        before = None if saved is None else read_saved(saved)
        if before is not None:
            spec = replace(spec, workloads=tuple(before.workloads))
        _check_workloads(spec, self._host)
        now = self._execution.clock.now
        self._memory.take(spec.memory_kib, now)
        domain = self._domain(domid, spec, now)
        if sockets := self._execution.speeds.memories:
            domain.near = self._memory.sockets_of_last(spec.memory_kib, sockets)
        guest = Guest(
            domain,
            self._execution,
            self._code,
            Panic(self._end, domain).happened,
            self._times.plugging,
        )
        if before is not None:
            domain.configured_kib = before.configured_kib
        devices = Devices(domain)
        paging = Paging(guest, devices, self._streams)
        devices.files = FileCache(guest, devices.first_disk, paging.cache_limits)
        if before is not None:
            paging.restore(before.paging)
        balloon = Balloon(guest, self._memory, paging)
        booted = replace(spec, arch=spec.arch or self._host.arch) if before is None else None
        init = Init(guest, self._end)
        xenbus = Xenbus(guest, devices, self._store, balloon, self._end, init, booted)
        results = () if before is None else before.results
        drivers = ("vbd", "vif") if spec.drivers == "pv" else ()
        programs = Programs(
            guest, devices, spec.workloads, self._host.mhz, self._find, self._streams, results
        )
        return Resident(
            domain,
            spec,
            guest,
            devices,
            paging,
            balloon,
            init,
            xenbus,
            programs,
            None if spec.kind == "hvm" else self._driver(guest),
            drivers if before is None else before.drivers,
        )

    def affinity_mask(self, pcpus: tuple[int, ...] | None) -> int:
        """Return the bit mask of `pcpus`; None stands for all of them."""
        if pcpus is None:
            return (1 << self._execution.topology.pcpus) - 1
        return sum(1 << number for number in set(pcpus))

    def _domain(self, domid: int, spec: DomainSpec, now: int) -> Domain:
        is_native = spec.kind == "hvm" or self._host.is_native
        domain = Domain(
            domid,
            spec.name,
            spec.uuid,
            spec.kind,
            spec.memory_kib,
            spec.maximum_kib,
            now,
            KernelTicks(
                NATIVE_HZ if is_native else PARAVIRTUAL_HZ, self._streams.stream(f"ticks/{domid}")
            ),
        )
        domain.pause_count = 1
        self._code.native.domids.discard(domid)
        if domain.is_hvm:
            self._code.native.domids.add(domid)
        # Of a fully virtualized guest, Xen does not know the words.
        arch = self._host.arch if spec.kind == "hvm" else spec.arch or self._host.arch
        domain.channels.limit = PORTS[arch]
        execution = self._execution
        execution.scheduler.add_domain(domain, spec.weight, spec.cap_percent)
        mask = self.affinity_mask(spec.affinity)
        for number in range(spec.vcpus):
            vcpu = Vcpu(domain, number, now, mask)
            vcpu.online = number in spec.initial_vcpus
            domain.vcpus.append(vcpu)
            execution.scheduler.add_vcpu(vcpu)
            execution.trace.vcpu(DOM_ADD, vcpu)
        return domain

    def _driver(self, guest: Guest) -> GuestDriver:
        domid = guest.domain.domid
        role: Role = "guest" if domid else "dom0"
        return GuestDriver(
            guest,
            self._xenoprof,
            Expander(self._code, stream_seed(self._host.seed, f"samples/{domid}")),
            self._live,
            self._oprofile_type,
            self._host.mhz,
            self._code.modules(role),
        )


def _check_workloads(spec: DomainSpec, host: Host) -> None:
    """Raise ScenarioError for workloads that the domain cannot run, before anything is built."""
    for workload in parse_workloads(spec.workloads):
        try:
            _check_workload(workload, spec, host)
        except ValueError as error:
            raise ScenarioError(f"Domain '{spec.name}': {error}") from None


def _check_workload(workload: Workload, spec: DomainSpec, host: Host) -> None:
    is_domain0 = spec.kind == "dom0"
    if workload.kind == "fileio" and workload.lun is not None:
        check_lun(workload.lun, host.stores, is_domain0=is_domain0, has_vif=bool(spec.vifs))
    if not is_domain0:
        check_disk(workload, [disk.mode for disk in spec.disks if disk.type])
    has_card = any(one.dedicated_to == spec.name for one in host.nics)
    if is_domain0 or has_card or not uses_network(workload):
        return  # domain 0 is on the bridge itself
    if not spec.vifs:
        raise ValueError(f"{with_article(workload.kind)} workload needs a vif")
    peer = workload.peer if workload.kind == "netperf" else EXTERNAL
    if peer == spec.name:
        raise ValueError(f"netperf peer '{peer}' is the domain itself; name another one")
    if peer == EXTERNAL:
        check_outside(workload, spec.vifs[0].bridge, host.nics)
