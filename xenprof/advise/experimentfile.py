"""Writes trials as files for `xenprof experiment`, and the scenarios that they vary."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from xenprof.advise.advice import Advice, Gauge
from xenprof.advise.model import Tables
from xenprof.advise.plan import Planned
from xenprof.advise.trials import Times, Trial
from xenprof.capture.draft import toml_value

OURS: Final = "# Written by xenprof advise, which removes it when it writes here again."
"""The first line of all files."""
_AS_IT_IS, _AS_ADVISED = "as it is", "as advised"


def files(
    plans: Sequence[Planned], tables: Tables, host: str, built_in: str | None, times: Times
) -> Iterator[tuple[str, str]]:
    """Yield the names and texts of files: an experiment for each trial, and their scenarios.

    `host` is the name of the host, `built_in` that of the scenario that `tables` are, if it comes
    with the product.
    """
    taken: set[str] = set()
    host_file = f"{_file_name(host)}.host.toml"
    if built_in is None and any(one.trial and one.trial.base == tables for one in plans):
        yield host_file, scenario_text(tables)
    for one in plans:
        if one.trial is None:
            continue
        name = _distinct(_file_name(f"{one.advice.id}-{one.advice.where}"), taken)
        base = built_in or f"./{host_file}"
        if one.trial.base != tables:
            base = f"./{name}.host.toml"
            yield f"{name}.host.toml", scenario_text(one.trial.base)
        yield f"{name}.toml", experiment_text(one.advice, one.trial, base, times)


def is_ours(path: Path) -> bool:
    """Return whether a file was written for earlier advice. Raises: OSError."""
    with path.open("rb") as file:
        return file.readline(len(OURS) + 2).rstrip() == OURS.encode()


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text)[:100]


def _distinct(name: str, taken: set[str]) -> str:
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found)
    return found


def experiment_text(advice: Advice, trial: Trial, base: str, times: Times) -> str:
    """Return an experiment with two variants: the host as it is, and as advised."""
    lines = [
        OURS,
        f"title = {toml_value(advice.title)}",
        f"slide = {toml_value(advice.slide)}",
        f"shows = {toml_value(advice.why)}",
        f"base = {toml_value(base)}",
        f"warm_up_s = {times.warm_up_ns / 1e9}",
        f"duration_s = {times.duration_ns / 1e9}",
        f"seeds = {times.seeds}",
        "",
        "[[axis]]",
        'name = "advice"',
        "",
        "[[axis.value]]",
        f"name = {toml_value(_AS_IT_IS)}",
        "",
        "[[axis.value]]",
        f"name = {toml_value(_AS_ADVISED)}",
        "",
        "[axis.value.set]",
        *(f"{toml_value(place)} = {toml_value(value)}" for place, value in trial.changed.items()),
    ]
    gauges = [one for one in trial.gauges if not one.is_moved]
    for gauge in dict.fromkeys((*gauges, *trial.works)):
        lines += ["", "[[result]]", *_result(gauge)]
    return "\n".join(lines) + "\n"


def _result(gauge: Gauge) -> Iterator[str]:
    yield f"name = {toml_value(f'{gauge.domain}: {gauge.name}')}"
    yield f"unit = {toml_value(gauge.unit)}"
    measure = gauge.measure
    yield f"of = {toml_value(measure.of)}"
    yield f"how = {toml_value(measure.how)}"
    if measure.per:
        yield f"per = {toml_value(measure.per)}"
    if measure.times != 1:
        yield f"times = {toml_value(measure.times)}"


def scenario_text(tables: Mapping[str, Any]) -> str:
    """Return the text of a scenario that has these tables."""
    lines = [OURS]
    for key, value in tables.items():
        _table(key, value, lines)
    return "\n".join(lines) + "\n"


def _table(name: str, value: Any, lines: list[str]) -> None:
    """Add a table, or one for each entry of a list of tables."""
    if isinstance(value, list):
        for entry in value:
            lines += ["", f"[[{name}]]"]
            _body(name, entry, lines)
    else:
        lines += ["", f"[{name}]"]
        _body(name, value, lines)


def _body(name: str, table: Mapping[str, Any], lines: list[str]) -> None:
    tables = {key: value for key, value in table.items() if _is_table(value)}
    lines += [f"{key} = {toml_value(value)}" for key, value in table.items() if key not in tables]
    for key, value in tables.items():
        _table(f"{name}.{key}", value, lines)


def _is_table(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, dict) for one in value)
    return isinstance(value, dict)
