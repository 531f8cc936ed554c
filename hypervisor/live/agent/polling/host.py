"""Reads everything about a host once: a poll, as a report."""

from typing import Dict, Optional, Sequence, Tuple

from hypervisor.live.agent.domain0.devices import DeviceSource
from hypervisor.live.agent.domain0.hostfacts import HostFacts
from hypervisor.live.agent.domain0.xenstore import Store
from hypervisor.live.agent.polling.asking import Asking
from hypervisor.live.agent.polling.domains import Domains
from hypervisor.live.agent.polling.pcpus import Pcpus
from hypervisor.live.agent.polling.readings import NotRead
from hypervisor.live.agent.process.clock import Clock
from hypervisor.live.agent.report.bounds import within_bounds
from hypervisor.live.agent.report.fields import (
    FORMAT,
    DomainReport,
    HostReport,
    PcpuReport,
    SamplerReport,
)
from hypervisor.live.agent.report.names import shared_names
from hypervisor.live.agent.sampling.runstates import Runstates
from hypervisor.live.agent.xen.hypercalls import SCHEDULERS, Xen
from hypervisor.live.agent.xen.records import PhysicalInfo, Version

_KIB_A_PAGE = 4


class Poller:
    """Reads one host, poll after poll. For one thread.

    What cannot be read or cannot be true is None in the report, and `problems` says why, a line
    each.
    """

    def __init__(
        self,
        xen: Xen,
        store: Store,
        devices: DeviceSource,
        facts: HostFacts,
        clock: Clock,
        runstates: Optional[Runstates] = None,
    ) -> None:
        self._xen = xen
        self._store = store
        self._devices = devices
        self._facts = facts
        self._clock = clock
        self._runstates = runstates
        self._pcpus = Pcpus(xen)
        self._domains = Domains(xen, store, devices, runstates)
        self._version: Optional[Version] = None
        self._scheduler: Optional[int] = None
        self._serial = 0

    def poll(self) -> HostReport:
        """Read everything once and return it.

        Raises:
            NotRead: There is no domain 0 in what was read: this is not a host without domains.
        """
        began_ns, thread_ns, calls = self._clock.now_ns(), self._clock.thread_ns(), self._xen.calls
        asking = Asking()
        self._store.begin()
        machine = asking.ask("physinfo", self._xen.physinfo)
        if self._version is None:
            self._version = asking.ask("version", self._xen.version)
        version = self._version
        if self._scheduler is None:
            self._scheduler = asking.ask("scheduler", self._xen.scheduler_id)
        pcpus = self._pcpus.read(asking, machine, began_ns)
        most_pcpus = 0 if machine is None else machine.highest_pcpu + 1
        counted = self._domains.count(asking, most_pcpus, self._scheduler, began_ns)
        if all(info.domid for info in counted.infos):
            raise NotRead("; ".join(asking.problems) or "the hypervisor tells of no domain 0")
        time_ns = (began_ns + self._clock.now_ns()) // 2
        domains = self._domains.describe(asking, counted, time_ns)
        for name in shared_names(domains):
            asking.tell("names", f"several domains are called {name!r}; each is shown with its id")
        if self._store.problem is not None:
            asking.tell("xenstore", self._store.problem)
        if self._devices.problem is not None:
            asking.tell("devices", self._devices.problem)
        elif self._devices.left_out is not None:
            asking.tell("devices", "some are left out: " + self._devices.left_out)
        if self._runstates is not None and self._runstates.problem is not None:
            asking.tell("sampling", self._runstates.problem)
        sampler = None if self._runstates is None else self._runstates.cost()
        ended_ns = self._clock.now_ns()
        self._serial += 1
        report = HostReport(
            format=FORMAT,
            serial=self._serial,
            boot=self._facts.boot,
            time_ns=time_ns,
            unix_ns=self._clock.unix_ns() - (ended_ns - time_ns),
            read_ns=ended_ns - began_ns,
            cpu_ns=self._clock.thread_ns() - thread_ns,
            hypercalls=self._xen.calls - calls,
            host=self._facts.host,
            xen_major=None if version is None else version.major,
            xen_minor=None if version is None else version.minor,
            xen_extra=None if version is None else version.extra,
            tools=self._facts.tools,
            cpu_type=self._facts.cpu_type,
            arch=self._facts.arch,
            scheduler=SCHEDULERS.get(self._scheduler or 0),
            domains=domains,
            pcpus=pcpus,
            sampler=sampler,
            sources=_sources(domains, sampler),
            problems=tuple(asking.problems),
        )
        return within_bounds(report if machine is None else _with_machine(report, machine))


def _sources(domains: Tuple[DomainReport, ...], sampler: Optional[SamplerReport]) -> Dict[str, str]:
    """Return where each kind of data comes from of which something was read."""
    found = {"memory": "hypercall"}
    vcpus = [vcpu for domain in domains for vcpu in domain.vcpus]
    if any(vcpu.cpu_ns is not None for vcpu in vcpus):
        found["vcpu_time"] = "hypercall"
    if any(domain.weight is not None for domain in domains):
        found["scheduler"] = "hypercall"
    if any(domain.runnable_ns is not None for domain in domains):
        found["runstates"] = "hypercall"
    elif sampler and sampler.rounds and any(vcpu.runnable_ns is not None for vcpu in vcpus):
        found["runstates"] = "sampled"
    if any(domain.target_kib is not None for domain in domains):
        found["balloon"] = "xenstore"
    if any(domain.vifs is not None for domain in domains):
        found["vif"] = "sysfs"
    if any(domain.vbds is not None for domain in domains):
        found["vbd"] = "sysfs"
    return found


def _with_machine(report: HostReport, machine: PhysicalInfo) -> HostReport:
    return report._replace(
        mhz=machine.khz // 1000,
        sockets=_sockets(report.pcpus, machine),
        cores_per_socket=machine.cores_per_socket,
        threads_per_core=machine.threads_per_core,
        memory_kib=machine.total_pages * _KIB_A_PAGE,
        free_kib=machine.free_pages * _KIB_A_PAGE,
        scrub_kib=machine.scrub_pages * _KIB_A_PAGE,
    )


def _sockets(pcpus: Sequence[PcpuReport], machine: PhysicalInfo) -> Optional[int]:
    placed = {pcpu.socket for pcpu in pcpus if pcpu.socket is not None}
    if placed:
        return len(placed)
    threads = machine.cores_per_socket * machine.threads_per_core
    return -(-machine.pcpus // threads) if threads else None
