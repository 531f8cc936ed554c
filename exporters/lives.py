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


def profiled(host: HostSnapshot) -> dict[Life, str]:
    """Return the names of the living domains that are profiled, or that were.

    While others are profiled, the processors' interrupts cost time in any domain: that tells
    nothing of it.
    """
    numbers: set[int] = set()
    for one in (host.xenoprof, host.profiling):
        if one is not None:
            numbers.update(one.active_domains, one.passive_domains)
    lives = {row.life for row in host.samples}
    lives |= {row.life for row in host.overhead if row.stage != "interrupt"}
    return {life: name for life, name in names(host).items() if life[0] in numbers or life in lives}
