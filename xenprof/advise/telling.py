"""Tells advice as text for people, and as what JSON holds."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Final

from xenprof.advise.advice import Advice, Observed, Setting
from xenprof.advise.facts import Facts
from xenprof.advise.plan import Planned
from xenprof.advise.trials import Effect, Gain, Unseen, short
from xenprof.experiment.places import quoted

WIDTH: Final = 100
_HEADS: Final = {"do": "Do", "consider": "Consider", "check": "Check"}
_INDENT: Final = " " * 14


def as_text(facts: Facts, plans: Sequence[Planned], source: str) -> Iterator[str]:
    """Yield the lines that tell all advice; `source` says what was looked at, and for how long."""
    yield f"{facts.host}: {source}"
    for strength, head in _HEADS.items():
        found = [one for one in plans if one.advice.strength == strength]
        if found:
            yield ""
            yield f"{head}:"
        for one in found:
            yield ""
            yield from _one(one)


def _one(plan: Planned) -> Iterator[str]:
    advice = plan.advice
    yield f"* {advice.title}  [{advice.id}]"
    for where, commands in groupby(advice.do, lambda command: command.where):
        yield f"    in {where}:"
        for command in commands:
            yield f"      {command.text}"
    yield from _wrapped("because", f"{advice.why} (Slide: {advice.slide}.)")
    if advice.rests_on:
        yield from _wrapped("seen", "; ".join(map(_observed, advice.rests_on)))
    if plan.effect is not None:
        yield from _effect(plan.effect)
    elif plan.refused:
        yield from _wrapped("to try", f"not in the model: {plan.refused}")
    elif advice.change is not None:
        yield from _wrapped("to try", "; ".join(map(_setting, advice.change.settings)))


def _wrapped(label: str, text: str) -> Iterator[str]:
    first = f"  {label}".ljust(len(_INDENT))
    yield from textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _observed(observed: Observed) -> str:
    unit = f" {observed.unit}" if observed.unit else ""
    return f"{observed.name} {observed.value}{unit}"


def _setting(setting: Setting) -> str:
    key = ".".join(map(quoted, setting.path))
    if setting.taken_from:
        return f"{key} = what is at {'.'.join(setting.taken_from)}"
    return f"{key} {'+=' if setting.is_added else '='} {setting.value!r}"


def _effect(effect: Effect) -> Iterator[str]:
    words = {
        "better": "better",
        "worse": "worse",
        "mixed": "better and worse",
        "same": "no change beyond chance",
        "unknown": "unknown",
    }
    own = [one for one in effect.notable if one.gauge.domain in effect.helped]
    label = "brings"
    yield from _wrapped(label, words[effect.verdict])
    for gain in (*effect.gains, *own):
        yield from _wrapped("", _gain(gain))
    for one in effect.unseen:
        yield from _wrapped("", _unseen(one))
    others = [one for one in effect.notable if one.gauge.domain not in effect.helped]
    if not others and any(one.gauge.domain not in effect.helped for one in effect.works):
        yield from _wrapped("neighbours", "no work changes beyond chance")
    for number, gain in enumerate(others):
        yield from _wrapped("" if number else "neighbours", _gain(gain))


def _gain(gain: Gain) -> str:
    gauge = gain.gauge
    change = f", {100 * gain.change / gain.before:+.0f} %" if gain.before else ""
    verdict = "" if gain.verdict != "same" else ", within chance"
    return (
        f"{gauge.domain}, {gauge.name}: {short(gain.before)} -> {short(gain.after)} "
        f"{gauge.unit} (spread {short(gain.spread)}{change}{verdict})"
    )


def _unseen(unseen: Unseen) -> str:
    gauge = unseen.gauge
    return f"{gauge.domain}, {gauge.name}: not seen in {unseen.missing} of {unseen.runs} runs"


def as_json(facts: Facts, plans: Sequence[Planned]) -> dict[str, object]:
    """Return what `--json` prints; of the facts what is unknown is None."""
    return {
        "host": facts.host,
        "window_seconds": facts.seconds,
        "facts": asdict(facts),
        "advice": [_json(one) for one in plans],
    }


def _json(plan: Planned) -> dict[str, object]:
    advice = plan.advice
    return {
        "id": advice.id,
        "strength": advice.strength,
        "title": advice.title,
        "do": [{"where": one.where, "text": one.text} for one in advice.do],
        "where": advice.where,
        "why": advice.why,
        "slide": advice.slide,
        "rests_on": [
            {"name": one.name, "value": one.value, "unit": one.unit or None}
            for one in advice.rests_on
        ],
        "experiment": _experiment(plan),
        "unmeasured": plan.refused or advice.unmeasured or None,
        "measured": None if plan.effect is None else _json_effect(plan.effect),
    }


def _experiment(plan: Planned) -> dict[str, object] | None:
    if plan.advice.change is None:
        return None
    if plan.trial is not None:
        return {"keys": dict(plan.trial.changed)}
    return {"keys": _keys(plan.advice)}


def _keys(advice: Advice) -> dict[str, object]:
    settings = advice.change.settings if advice.change is not None else ()
    return {".".join(map(quoted, one.path)): one.value for one in settings if not one.taken_from}


def _json_effect(effect: Effect) -> dict[str, object]:
    return {
        "verdict": effect.verdict,
        "figures": [_json_gain(one) for one in effect.gains],
        "unseen": [_json_unseen(one) for one in effect.unseen],
        "work": [_json_gain(one) for one in effect.works],
        "harmed": sorted({one.gauge.domain for one in effect.harmed}),
    }


def _json_unseen(unseen: Unseen) -> dict[str, object]:
    return {
        "domain": unseen.gauge.domain,
        "name": unseen.gauge.name,
        "missing": unseen.missing,
        "runs": unseen.runs,
    }


def _json_gain(gain: Gain) -> dict[str, object]:
    return {
        "domain": gain.gauge.domain,
        "name": gain.gauge.name,
        "unit": gain.gauge.unit,
        "before": gain.before,
        "after": gain.after,
        "spread": gain.spread,
        "runs": gain.seeds,
        "verdict": gain.verdict,
    }
