"""Prepares a report for its metrics: what series can tell apart, and texts that are one line."""

from typing import List, Optional, Sequence, Tuple

from hypervisor.live.agent.oneline import one_line
from hypervisor.live.agent.pages.exposition import Labels
from hypervisor.live.agent.polling.readings import Reading
from hypervisor.live.agent.report.fields import DomainReport, VbdReport, VcpuReport, VifReport
from hypervisor.live.agent.report.names import names_of, vbd_names


class Shown:
    """What the metrics of a page are made from: rows of labels and of what they name."""

    def __init__(self, reading: Reading) -> None:
        report = reading.report
        self.reading = reading
        self.report = report
        self.pcpus = sorted(report.pcpus, key=lambda one: one.pcpu)
        self.domains = _named(report.domains)
        self.vcpus: List[Tuple[Labels, VcpuReport]] = [
            ((name, str(vcpu.vcpu)), vcpu)
            for name, domain in self.domains
            for vcpu in sorted(domain.vcpus, key=lambda one: one.vcpu)
        ]
        self.vifs: List[Tuple[Labels, VifReport]] = [
            ((name, str(vif.vif)), vif)
            for name, domain in self.domains
            for vif in sorted(domain.vifs or (), key=lambda one: one.vif)
        ]
        self.vbds: List[Tuple[Labels, VbdReport]] = [
            ((name, label), vbd) for name, domain in self.domains for label, vbd in _vbds(domain)
        ]


def line_of(text: Optional[str]) -> str:
    """Return a text as one line; empty if it is unknown."""
    return one_line(text or "")


def _named(domains: Sequence[DomainReport]) -> List[Tuple[str, DomainReport]]:
    """Return the domains by name, in the order of their numbers."""
    names = names_of(domains)
    return [(names[one.domid], one) for one in sorted(domains, key=lambda one: one.domid)]


def _vbds(domain: DomainReport) -> List[Tuple[str, VbdReport]]:
    """Return the devices by name; by number where they have no name of their own."""
    vbds = sorted(domain.vbds or (), key=lambda vbd: vbd.device)
    return [(name or str(vbd.device), vbd) for name, vbd in zip(vbd_names(vbds), vbds)]
