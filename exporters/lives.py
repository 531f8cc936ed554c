"""Tells apart the lives of domains that have the same name, one after the other."""

from hypervisor.telemetry import HostSnapshot

Life = tuple[int, str | None]
"""The id and the uuid of a domain; the uuid is None where the host does not know it."""


def last_lives(host: HostSnapshot) -> dict[str, Life]:
    """Return the id and uuid of the domain that has a name, or that lost samples and had it last.

    Of domains that ended, only those are in it that lost samples.
    """
    ended = {row.domain: (row.domid, row.uuid) for row in host.lost}
    return ended | {one.name: (one.domid, one.uuid) for one in host.domains}


def names(host: HostSnapshot) -> dict[Life, str]:
    """Return the name that each living domain has now."""
    return {life: name for name, life in living(host).items()}


def living(host: HostSnapshot) -> dict[str, Life]:
    """Return the id and uuid of each living domain by name."""
    return {one.name: (one.domid, one.uuid) for one in host.domains}
