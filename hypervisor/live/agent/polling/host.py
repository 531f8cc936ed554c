"""Reads everything about a host once: a poll, as a report."""

from typing import Dict, Optional, Sequence, Tuple

from hypervisor.live.agent.domain0.devices import DeviceSource
from hypervisor.live.agent.domain0.hostfacts import HostFacts
from hypervisor.live.agent.domain0.xenstore import Store
from hypervisor.live.agent.polling.asking import Asking
from hypervisor.live.agent.polling.counting import Counting
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
        self._counting = Counting(xen)
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
        if self._scheduler is None:
            self._scheduler = asking.ask("scheduler", self._xen.scheduler_id)
        pcpus = self._pcpus.read(asking, machine, began_ns)
        most_pcpus = 0 if machine is None else machine.highest_pcpu + 1
        counted = self._counting.read(asking, most_pcpus, self._scheduler, began_ns)
        if all(info.domid for info in counted.infos):
            raise NotRead("; ".join(asking.problems) or "the hypervisor tells of no domain 0")
        time_ns = (began_ns + self._clock.now_ns()) // 2
        domains = self._domains.describe(asking, counted, time_ns)
        self._tell_problems(asking, domains)
        sampler = None if self._runstates is None else self._runstates.cost()
        ended_ns = self._clock.now_ns()
        self._serial += 1
        facts, version = self._facts, self._version
        return within_bounds(
            HostReport(
                format=FORMAT,
                serial=self._serial,
                boot=facts.boot,
                time_ns=time_ns,
                unix_ns=self._clock.unix_ns() - (ended_ns - time_ns),
                read_ns=ended_ns - began_ns,
                cpu_ns=self._clock.thread_ns() - thread_ns,
                hypercalls=self._xen.calls - calls,
                host=facts.host,
                xen_major=version and version.major,
                xen_minor=version and version.minor,
                xen_extra=version and version.extra,
                tools=facts.tools,
                scheduler=SCHEDULERS.get(self._scheduler or 0),
                cpu_type=facts.cpu_type,
                arch=facts.arch,
                mhz=machine and machine.khz // 1000,
                sockets=machine and _sockets(pcpus, machine),
                cores_per_socket=machine and machine.cores_per_socket,
                threads_per_core=machine and machine.threads_per_core,
                memory_kib=machine and machine.total_pages * _KIB_A_PAGE,
                free_kib=machine and machine.free_pages * _KIB_A_PAGE,
                scrub_kib=machine and machine.scrub_pages * _KIB_A_PAGE,
                domains=domains,
                pcpus=pcpus,
                sampler=sampler,
                sources=_sources(domains, sampler),
                problems=tuple(asking.problems),
            )
        )

    def _tell_problems(self, asking: Asking, domains: Tuple[DomainReport, ...]) -> None:
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


def _sources(domains: Tuple[DomainReport, ...], sampler: Optional[SamplerReport]) -> Dict[str, str]:
    """Return where each kind of data comes from of which something was read."""
    found = {"memory": "hypercall"}
    for domain in domains:
        if domain.weight is not None:
            found["scheduler"] = "hypercall"
        if domain.target_kib is not None:
            found["balloon"] = "xenstore"
        if domain.vifs is not None:
            found["vif"] = "sysfs"
        if domain.vbds is not None:
            found["vbd"] = "sysfs"
        if domain.runnable_ns is not None:
            found["runstates"] = "hypercall"
        for vcpu in domain.vcpus:
            if vcpu.cpu_ns is not None:
                found["vcpu_time"] = "hypercall"
            if vcpu.runnable_ns is not None and sampler and sampler.rounds:
                found.setdefault("runstates", "sampled")
    return dict(sorted(found.items()))


def _sockets(pcpus: Sequence[PcpuReport], machine: PhysicalInfo) -> Optional[int]:
    placed = {pcpu.socket for pcpu in pcpus if pcpu.socket is not None}
    if placed:
        return len(placed)
    threads = machine.cores_per_socket * machine.threads_per_core
    return -(-machine.pcpus // threads) if threads else None
