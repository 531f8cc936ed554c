"""Puts advice beside the trials that show what it brings, on one scenario of the host."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hypervisor.errors import HostError
from xenprof.advise.advice import Advice
from xenprof.advise.facts import Facts
from xenprof.advise.model import Tables
from xenprof.advise.rules import advice_for
from xenprof.advise.trials import Effect, Trial, short, trial_of, tried
from xenprof.capture.window import Window
from xenprof.experiment.measures import measured
from xenprof.experiment.places import NoSuchPlace

ALIKE: Final = 2.0  # judgement: a captured scenario has half to twice what its host has


@dataclass(frozen=True, slots=True)
class Planned:
    """A piece of advice; its trial if there is a scenario of the host; its effect if measured.

    `refused` says why the model cannot show it. `seen` is the first figure that it is for, as the
    host has it of which the scenario was captured.
    """

    advice: Advice
    trial: Trial | None = None
    effect: Effect | None = None
    refused: str = ""
    seen: float | None = None


def planned(
    facts: Facts,
    tables: Tables | None,
    names: Mapping[str, str] | None = None,
    window: Window | None = None,
) -> tuple[Planned, ...]:
    """Return all advice for a host, with trials on the scenario that `tables` are.

    `names` are what the scenario calls the domains of the host, where it calls them otherwise;
    `window` is what it was captured of.
    """
    given = advice_for(facts)
    if tables is None:
        return tuple(map(Planned, given))
    there = advice_for(_renamed(facts, names)) if names else given
    return tuple(
        _planned(advice, other, tables, window) for advice, other in zip(given, there, strict=True)
    )


def _planned(
    advice: Advice, named: Advice, tables: Tables, window: Window | None = None
) -> Planned:
    if advice.change is None or named.change is None:
        return Planned(advice)
    seen = None
    if window is not None and advice.change.gauges:
        measure = advice.change.gauges[0].measure
        seen = measured(measure, window.first, window.last, window.elapsed_ns)
    try:
        return Planned(advice, tried(trial_of(named.change, tables)), seen=seen)
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
    if plan.trial is not None and plan.seen is not None:
        gauge = plan.trial.gauges[0]
        there = next((one.before for one in effect.gains if one.gauge == gauge), None)
        if not _is_alike(plan.seen, there):
            told = "unknown" if there is None else f"{short(there)} {gauge.unit}"
            why = f"{gauge.domain}, {gauge.name}: {short(plan.seen)} {gauge.unit}; there {told}"
            return replace(plan, refused=f"the captured scenario does not show it ({why})")
    advice = plan.advice
    if effect.harmed and advice.strength == "do":  # somebody pays for it
        advice = replace(advice, strength="consider")
    return replace(plan, advice=advice, effect=effect)


def _is_alike(seen: float, there: float | None) -> bool:
    """Return whether a captured scenario shows of a figure what its host does, more or less."""
    return there is not None and seen <= ALIKE * there and there <= ALIKE * seen
