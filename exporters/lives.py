"""Tells apart the lives of domains that have the same name, one after the other."""

from hypervisor.telemetry import HostSnapshot, Life


def last_lives(host: HostSnapshot) -> dict[str, Life]:
    """Return the id and uuid of the domain that has a name, or that lost samples and had it last.

    Of domains that ended, only those are in it that lost samples.
    """
    ended = {row.domain: row.life for row in host.lost}
    return ended | {one.name: one.life for one in host.domains}


def names(host: HostSnapshot) -> dict[Life, str]:
    """Return the name that each living domain has now."""
    return {one.life: one.name for one in host.domains}
