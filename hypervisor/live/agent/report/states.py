"""Tells which states a domain is in, from what a report says of its flags."""

from typing import Optional

from hypervisor.live.agent.report.fields import DomainReport

_CRASH = 3  # Source: SHUTDOWN_crash of xen/include/public/sched.h


def stands(domain: DomainReport) -> bool:
    """Return whether none of its vcpus may run."""
    return domain.paused or domain.shutdown or domain.dying


def is_blocked(domain: DomainReport) -> bool:
    """Return whether all of its vcpus wait for events."""
    return domain.blocked and not domain.running


def is_runnable(domain: DomainReport) -> bool:
    """Return whether a vcpu of it waits for a pcpu, and none runs."""
    return not (stands(domain) or domain.running or is_blocked(domain))


def is_crashed(domain: DomainReport) -> Optional[bool]:
    """Return whether it has stopped by a crash; None if the reason is unknown."""
    if not domain.shutdown:
        return False
    return None if domain.shutdown_reason is None else domain.shutdown_reason == _CRASH
