"""Makes what rules have in common: names on command lines, and observed values."""

import shlex

from xenprof.advise.advice import Observed
from xenprof.advise.facts import DomainFacts


def word(name: str) -> str:
    """Return a name as one word of a command line."""
    return shlex.quote(name)


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
