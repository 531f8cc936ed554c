"""Finds the domains that a command line names."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hypervisor.telemetry import DomainSnapshot, HostSnapshot
from xenprof.cli.xm.command import XmError
from xenprof.client import MISSING_CAPABILITY, Client, ServiceError
from xenprof.wire.paths import MANAGED
from xenprof.xentop.fetch import newest

if TYPE_CHECKING:
    from hypervisor.domainsettings import ManagedDomain


def snapshot_of(client: Client) -> HostSnapshot:
    """Return the newest snapshot of the host. Raises: ServiceError, also if nothing is known."""
    return newest(client)


def find_domains(snapshot: HostSnapshot, names: Sequence[str]) -> list[DomainSnapshot]:
    """Return the domains with these names or ids, in that order; without any, all by name.

    Raises: XmError for one that does not exist.
    """
    if not names:
        return sorted(snapshot.domains, key=shown_name)
    by_name = {shown_name(domain): domain for domain in snapshot.domains}
    by_id = {str(domain.domid): domain for domain in snapshot.domains}
    found = []
    for name in names:
        domain = by_name.get(name) or by_id.get(name)
        if domain is None:
            raise unknown_domain(name)
        found.append(domain)
    return found


def managed_domains(client: Client) -> "tuple[ManagedDomain, ...]":
    """Return the domains that xend keeps and does not run: none without a toolstack."""
    from xenprof.wire.answers import ManagedDomains

    try:
        return client.get(MANAGED, ManagedDomains).domains
    except ServiceError as error:
        if error.type != MISSING_CAPABILITY:
            raise
        return ()


def unknown_domain(name: str) -> XmError:
    """Return the error for a domain that does not exist."""
    return XmError(f"Domain '{name}' does not exist.")


def shown_name(domain: DomainSnapshot) -> str:
    """Return the name as listed: a destroyed domain that keeps pages is a `Zombie-`."""
    is_named = domain.name.startswith("Zombie-")
    return f"Zombie-{domain.name}" if domain.dying and not is_named else domain.name
