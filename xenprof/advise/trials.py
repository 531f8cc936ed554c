"""Declares trials of advice: the host as it is and as it would be, and what runs of both show."""

import math
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from xenprof.advise.advice import Change, Gauge, Setting
from xenprof.advise.gauges import work
from xenprof.advise.model import Tables, Workloads, workloads_of
from xenprof.experiment.job import Job
from xenprof.experiment.measures import Measure
from xenprof.experiment.places import NoSuchPlace, owners, quoted, set_value
from xenprof.home import DOMAIN_0

Verdict = Literal["better", "worse", "same", "mixed", "unknown"]
Reading = Mapping[Measure, float | None]
"""What one run showed."""

LEAST_CHANGE: Final = 0.01
"""Of what there was, judgement: a smaller change of a neighbour's work is not worth a word."""
MOST_BY_CHANCE: Final = 2
"""Judgement: so many bursts, requests or transactions more may be those at the ends of the time."""
_T_95: Final = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)
"""Student's t for 95 %, two-sided, by degrees of freedom from 1 on."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long hosts are run, and how often."""

    warm_up_ns: int
    duration_ns: int
    seeds: int


FULL: Final = Times(20_000_000_000, 40_000_000_000, 5)  # judgement: some hundred bursts each
QUICK: Final = Times(5_000_000_000, 10_000_000_000, 3)  # judgement: a first look


@dataclass(frozen=True, slots=True)
class Trial:
    """Two hosts that differ in what is advised: as tables, and as the keys that differ."""

    base: Tables
    changed: Mapping[str, Any]
    gauges: tuple[Gauge, ...]
    helped: tuple[str, ...]
    works: tuple[Gauge, ...] = ()
    """What all workloads get done that are in both hosts."""


@dataclass(frozen=True, slots=True)
class Gain:
    """A figure before and after: means over the seeds, and the spread of the differences."""

    gauge: Gauge
    before: float
    after: float
    spread: float
    seeds: int
    grain: float = 0.0
    """What one more of what is counted makes: it may be chance at an end of the time."""

    @property
    def change(self) -> float:
        """Return the difference of the means."""
        return self.after - self.before

    @property
    def verdict(self) -> Verdict:
        """Return whether it changed by more than chance explains, in 19 of 20 cases, and how."""
        freedom = self.seeds - 1
        t = _T_95[min(freedom, len(_T_95)) - 1] if freedom else math.inf
        doubt = t * self.spread / math.sqrt(self.seeds) if freedom else math.inf
        if not self.change or abs(self.change) <= max(doubt, MOST_BY_CHANCE * self.grain):
            return "same"
        return "better" if (self.change > 0) == self.gauge.is_more_better else "worse"


@dataclass(frozen=True, slots=True)
class Unseen:
    """A figure that some runs, before and after, did not show."""

    gauge: Gauge
    missing: int
    runs: int


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change brought to those it is for, and to what all domains get done."""

    gains: tuple[Gain, ...]
    works: tuple[Gain, ...]
    helped: tuple[str, ...]
    unseen: tuple[Unseen, ...] = ()

    @property
    def notable(self) -> tuple[Gain, ...]:
        """Return the work of domains that changed, by more than chance and a hundredth."""
        return tuple(
            one
            for one in self.works
            if one.verdict != "same" and abs(one.change) >= LEAST_CHANGE * abs(one.before)
        )

    @property
    def harmed(self) -> tuple[Gain, ...]:
        """Return the work of neighbours of which less gets done."""
        return tuple(
            one
            for one in self.notable
            if one.verdict == "worse" and one.gauge.domain not in self.helped
        )

    @property
    def verdict(self) -> Verdict:
        """Return what it did for those it is for: mixed if one figure got better, another worse.

        What was not seen may have changed as well as not.
        """
        own = [one for one in self.notable if one.gauge.domain in self.helped]
        found = {one.verdict for one in (*self.gains, *own)} - {"same"}
        if len(found) > 1:
            return "mixed"
        if found:
            return found.pop()
        is_seen = self.gains or any(one.gauge.domain in self.helped for one in self.works)
        return "unknown" if self.unseen or not is_seen else "same"


def trial_of(change: Change, tables: Tables) -> Trial:
    """Return the trial of a change on the host of a scenario."""
    base = deepcopy(tables)
    for setting in change.first:
        set_value(base, *_resolved(setting, base))
    changed: dict[str, Any] = {}
    after = deepcopy(base)
    for setting in change.settings:
        path, value = _resolved(setting, after)
        set_value(after, path, value)
        changed[path] = value
    moved = [gauge for one in change.settings if one.taken_from for gauge in _moved(one, base)]
    return Trial(base, changed, (*change.gauges, *moved), change.helped)


def _moved(setting: Setting, base: Tables) -> Iterator[Gauge]:
    """Yield what the workloads of domain 0 get done that another domain has instead."""
    domain = setting.path[1]
    for number, workload in enumerate(workloads_of(base)[DOMAIN_0]):
        there, then = work(DOMAIN_0, number, workload), work(domain, number, workload)
        if there is not None and then is not None:
            of = (*there.measure.of, *then.measure.of)
            yield replace(then, measure=replace(then.measure, of=of), is_moved=True)


def _resolved(setting: Setting, tables: Tables) -> tuple[str, Any]:
    """Return the path of a setting, with numbers for disks, and the value of a whole list.

    Raises: NoSuchPlace, which names the path.
    """
    try:
        return _found(setting, tables)
    except NoSuchPlace as error:
        raise NoSuchPlace(f"'{'.'.join(map(quoted, setting.path))}': {error}") from None


def _found(setting: Setting, tables: Tables) -> tuple[str, Any]:
    *way, last = setting.path
    at = next(owners(tables, way))
    if way and way[-1] in ("disk", "vif"):
        last = _number(way[-1], at, last)
    path = ".".join(map(quoted, (*way, last)))
    if setting.taken_from:
        *source, key = setting.taken_from
        return path, deepcopy(next(owners(tables, source)).get(key, []))
    if setting.is_part:
        return path, _with_part(at[int(last)], str(setting.value))
    if not setting.is_added:
        return path, deepcopy(setting.value)
    there = at.get(last) if isinstance(at, dict) else None
    whole = [*(there or deepcopy(list(setting.before)))]
    if not any(_is_named_so(one, setting.value) for one in whole):
        whole.append(deepcopy(setting.value))
    return path, whole


def _is_named_so(entry: object, wanted: object) -> bool:
    """Return whether a table, of a store say, is one of the name and kind that is wanted."""
    if not isinstance(entry, dict) or not isinstance(wanted, dict):
        return False
    return all(key in wanted and entry.get(key) == wanted[key] for key in ("name", "kind"))


def _with_part(entry: str, part: str) -> str:
    """Return an entry, as of a vif, with a part in place of that with the same key."""
    key = part.partition("=")[0]
    others = [one.strip() for one in entry.split(",")]
    return ", ".join(
        [one for one in others if one and one.partition("=")[0].strip() != key] + [part]
    )


def _number(device: str, entries: Sequence[str], name: str) -> str:
    """Return which entry is a disk, by its name in the guest, or an interface, by its number."""
    there = [
        text.split(",")[1].strip() if device == "disk" else str(number)
        for number, text in enumerate(entries)
    ]
    if name not in there:
        raise NoSuchPlace(f"there is no {device} {name}; there are {', '.join(there) or 'none'}")
    return str(there.index(name))


def applied(trial: Trial) -> Tables:
    """Return the tables of the host as it would be."""
    tables = deepcopy(trial.base)
    for path, value in trial.changed.items():
        set_value(tables, path, deepcopy(value))
    return tables


def tried(trial: Trial) -> Trial:
    """Return a trial with all work that is in both of its hosts. Raises: HostError: a host is none.

    So it is known as well that both can be booted.
    """
    before, after = workloads_of(trial.base), workloads_of(applied(trial))
    return replace(trial, works=tuple(_works(before, after)))


def _works(before: Workloads, after: Workloads) -> Iterator[Gauge]:
    for domain, workloads in before.items():
        there = after.get(domain, ())
        for number, (workload, then) in enumerate(zip(workloads, there, strict=False)):
            gauge = work(domain, number, workload)
            if gauge is not None and work(domain, number, then) == gauge:
                yield gauge


def measures_of(trials: Sequence[Trial]) -> tuple[Measure, ...]:
    """Return all that is to be read for trials, so that one run of a host will do for several."""
    gauges = [gauge for trial in trials for gauge in (*trial.gauges, *trial.works)]
    return tuple(dict.fromkeys(gauge.measure for gauge in gauges))


def job(tables: Tables, times: Times, measures: tuple[Measure, ...]) -> Job:
    """Return what is run of a host."""
    return Job(tables, times.warm_up_ns, times.duration_ns, 1, (), measures)


def effect(
    trial: Trial, times: Times, before: Sequence[Reading], after: Sequence[Reading]
) -> Effect:
    """Return what a trial shows; the readings are in the order of the seeds."""
    gains = [_gain(gauge, times, before, after) for gauge in trial.gauges]
    works = [_gain(gauge, times, before, after) for gauge in trial.works]
    return Effect(
        tuple(one for one in gains if isinstance(one, Gain)),
        tuple(one for one in works if isinstance(one, Gain)),
        trial.helped,
        tuple(one for one in (*gains, *works) if isinstance(one, Unseen)),
    )


def _gain(
    gauge: Gauge, times: Times, before: Sequence[Reading], after: Sequence[Reading]
) -> Gain | Unseen:
    found = [one[gauge.measure] for one in (*before, *after)]
    known = [one for one in found if one is not None]
    count = len(before)
    if len(known) < len(found):
        return Unseen(gauge, len(found) - len(known), len(found))
    was, then = known[:count], known[count:]
    differences = [b - a for a, b in zip(was, then, strict=True)]
    mean = sum(differences) / count
    spread = math.sqrt(sum((one - mean) ** 2 for one in differences) / max(count - 1, 1))
    measure = gauge.measure
    grain = measure.times * 1e9 / times.duration_ns if measure.how == "per_second" else 0.0
    return Gain(gauge, sum(was) / count, sum(then) / count, spread, count, grain)


def short(value: float) -> str:
    """Return a number with three digits that mean something."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
