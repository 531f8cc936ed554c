"""Facts of hosts for tests of advice: what a test does not give is unknown."""

from xenprof.advise.advice import Advice, Change
from xenprof.advise.facts import DiskFacts, DomainFacts, Facts, PcpuFacts, VcpuFacts, VifFacts
from xenprof.advise.rules import advice_for

CHECKLIST = ("domain0.services", "domain0.selinux", "domain0.accounts")
"""What every host is told."""


def domain0(**known) -> DomainFacts:
    """Return domain 0."""
    return DomainFacts(0, "Domain-0", kind="dom0", **known)


def guest(name="web", domid=1, **known) -> DomainFacts:
    """Return a guest."""
    return DomainFacts(domid, name, **known)


def disk(name="xvda", **known) -> DiskFacts:
    """Return a virtual disk."""
    return DiskFacts(name, "w", **known)


def vif(index=0, **known) -> VifFacts:
    """Return a virtual interface."""
    return VifFacts(index, **known)


def vcpu(number=0, **known) -> VcpuFacts:
    """Return a vcpu that is online."""
    return VcpuFacts(number, **known)


def pcpus(*busy, threads=1) -> tuple[PcpuFacts, ...]:
    """Return pcpus that are busy for so many percent, `threads` of each core."""
    return tuple(PcpuFacts(n, n // threads, 0, one) for n, one in enumerate(busy))


def facts(*domains, **known) -> Facts:
    """Return a host with these domains."""
    return Facts("host", 20.0, domains=domains, **{"scheduler": "credit"} | known)


def given(host: Facts) -> list[Advice]:
    """Return the advice for a host, without what every host is told."""
    return [one for one in advice_for(host) if one.id not in CHECKLIST]


def change_of(advice: Advice) -> Change:
    """Return what would be done."""
    assert advice.change is not None
    return advice.change


def ids(host: Facts) -> list[str]:
    """Return the ids of that advice."""
    return [one.id for one in given(host)]


def commands(host: Facts, where: str | None = "Domain-0") -> tuple[str, ...]:
    """Return what is to be typed there for the only piece of that advice, and nowhere else."""
    [one] = given(host)
    assert {where} >= {command.where for command in one.do}
    return tuple(command.text for command in one.do)
