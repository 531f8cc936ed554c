"""Puts advice beside the trials that show what it brings, on one scenario of the host."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hypervisor.errors import HostError
from xenprof.advise.advice import Advice
from xenprof.advise.facts import Facts
from xenprof.advise.model import Tables
from xenprof.advise.rules import advice_for
from xenprof.advise.trials import Effect, Trial, trial_of, tried
from xenprof.experiment.places import NoSuchPlace


@dataclass(frozen=True, slots=True)
class Planned:
    """A piece of advice; its trial if there is a scenario of the host; its effect if measured.

    `refused` says why the model cannot show it.
    """

    advice: Advice
    trial: Trial | None = None
    effect: Effect | None = None
    refused: str = ""


def planned(
    facts: Facts, tables: Tables | None, names: Mapping[str, str] | None = None
) -> tuple[Planned, ...]:
    """Return all advice for a host, with trials on the scenario that `tables` are.

    `names` are what the scenario calls the domains of the host, where it calls them otherwise.
    """
    given = advice_for(facts)
    if tables is None:
        return tuple(map(Planned, given))
    there = advice_for(_renamed(facts, names)) if names else given
    return tuple(
        _planned(advice, other, tables) for advice, other in zip(given, there, strict=True)
    )


def _planned(advice: Advice, named: Advice, tables: Tables) -> Planned:
    if named.change is None:
        return Planned(advice)
    try:
        return Planned(advice, tried(trial_of(named.change, tables)))
    except (HostError, NoSuchPlace) as error:
        return Planned(advice, refused=str(error))


def _renamed(facts: Facts, names: Mapping[str, str]) -> Facts:
    domains = tuple(replace(one, name=names.get(one.name, one.name)) for one in facts.domains)
    return replace(facts, domains=domains)


def with_effects(plans: Sequence[Planned], effects: Sequence[Effect | str]) -> tuple[Planned, ...]:
    """Return the plans with what was measured, in the order of those that have a trial."""
    rest = iter(effects)
    return tuple(_with_effect(one, next(rest)) if one.trial else one for one in plans)


def _with_effect(plan: Planned, effect: Effect | str) -> Planned:
    if isinstance(effect, str):
        return replace(plan, refused=effect)
    return replace(plan, effect=effect)
