"""Makes what rules have in common: commands, and observed values."""

import shlex
from collections.abc import Mapping
from typing import Final

from xenprof.advise.advice import Command, Observed
from xenprof.advise.facts import DomainFacts, Facts
from xenprof.home import DOMAIN_0

SCHEDULERS: Final[Mapping[str | None, str]] = {
    "credit": "sched-credit",
    "credit2": "sched-credit2",
}
"""The commands for weights and caps, which other schedulers do not have."""


def in_domain0(*texts: str) -> tuple[Command, ...]:
    """Return commands that are typed in domain 0."""
    return tuple(Command(DOMAIN_0, text) for text in texts)


def managed(facts: Facts, *words: object) -> tuple[Command, ...]:
    """Return a command of xm or xl; none on a host that has neither."""
    if facts.tool is None:
        return ()
    return in_domain0(shlex.join((facts.tool, *map(str, words))))


def scheduled(facts: Facts, domain: str, option: str, value: int) -> tuple[Command, ...]:
    """Return the command for a weight (-w) or a cap (-c)."""
    return managed(facts, SCHEDULERS[facts.scheduler], "-d", domain, option, value)


def in_file(domain: str, text: str, place: str = "from its next start on") -> Command:
    """Return a line, or a part of one, for the configuration file of a guest."""
    return Command(f"the configuration file of {domain}, {place}", text)


def percent(name: str, value: float) -> Observed:
    """Return an observed share of a processor."""
    return Observed(name, round(value, 1), "% of a pcpu")


def part(name: str, value: float) -> Observed:
    """Return an observed part of a whole, which is 1."""
    return Observed(name, round(100 * value, 1), "%")


def mib(name: str, value: float) -> Observed:
    """Return an observed size."""
    return Observed(name, round(value), "MiB")


def key_of(domain: DomainFacts, *keys: str) -> tuple[str, ...]:
    """Return the path of a domain's key in a scenario."""
    return ("domain0", *keys) if domain.is_domain0 else ("domain", domain.name, *keys)
