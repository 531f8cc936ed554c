"""The rules, one file for a subject, in a table: each makes advice of the facts of a host."""

from collections.abc import Callable, Iterator
from typing import Final

from xenprof.advise.advice import Advice
from xenprof.advise.facts import Facts
from xenprof.advise.rules import (
    domain0,
    elevators,
    full,
    limits,
    memory,
    network,
    pinning,
    smp,
    storage,
    weights,
)

Rule = Callable[[Facts], Iterator[Advice]]

RULES: Final[tuple[Rule, ...]] = (
    weights.starved,
    weights.capped,
    weights.domain0,
    memory.balloon,
    memory.maximum,
    full.drivers,
    network.rate,
    elevators.deadline,
    elevators.anticipatory,
    pinning.threads,
    pinning.domain0,
    pinning.nodes,
    smp.too_many_for_load,
    smp.too_many_for_host,
    smp.overcommitted,
    network.card,
    network.inner,
    limits.interfaces,
    limits.processors,
    limits.memory,
    storage.backing,
    storage.shared,
    domain0.applications,
    elevators.guests,
    storage.migration,
    domain0.unseen,
)
"""In the order in which advice of one strength is given."""
_ORDER: Final = ("do", "consider", "check")


def advice_for(facts: Facts) -> tuple[Advice, ...]:
    """Return all advice for a host, what is to be done first."""
    found = [one for rule in RULES for one in rule(facts)]
    return tuple(sorted(found, key=lambda one: _ORDER.index(one.strength)))
