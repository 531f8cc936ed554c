"""Follows dotted places: keys of a scenario to set, and values of a snapshot to read.

The grammar is that of files of experiments: the names of keys, names of domains and numbers of
entries with dots between them, `*` for all entries; a name with dots is put in quotes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from hypervisor.telemetry import HostSnapshot
from xenprof.advise.advice import Gauge
from xenprof.home import DOMAIN_0

_STEP = re.compile(r'"([^"]*)"|([^".]+)')


def quoted(name: str) -> str:
    """Return a name as one step of a place."""
    return f'"{name}"' if "." in name else name


def steps(place: str) -> list[str]:
    """Return the steps of a place."""
    return [one[1] if one[1] is not None else one[2] for one in _STEP.finditer(place)]


def gauged(gauge: Gauge, before: HostSnapshot, after: HostSnapshot) -> float | None:
    """Return a figure of the time between two snapshots; None if nothing was there to be seen."""
    grown = _grown(gauge.of, before, after)
    if grown is None:
        return None
    elapsed_ns = after.time_ns - before.time_ns
    if gauge.per:
        by = _grown(gauge.per, before, after)
        return grown * gauge.times / by if by else None
    scale = {"per_second": 1e9 / elapsed_ns, "share": 100 / elapsed_ns, "growth": 1.0}
    return grown * gauge.times * scale[gauge.how]


def _grown(places: Sequence[str], before: HostSnapshot, after: HostSnapshot) -> float | None:
    end = _sum(places, after)
    return None if end is None else end - (_sum(places, before) or 0)


def _sum(places: Sequence[str], snapshot: HostSnapshot) -> float | None:
    found = [value for place in places for value in _values(snapshot, place)]
    numbers = [value for value in found if isinstance(value, int | float)]
    return sum(numbers) if numbers else None


def _values(snapshot: HostSnapshot, place: str) -> Iterator[object]:
    head, *way = steps(place)
    name, *way = (DOMAIN_0, *way) if head == "domain0" else way
    for domain in snapshot.domains:
        if domain.name == name:
            yield from _below(domain, ["workloads" if one == "workload" else one for one in way])


def _below(at: Any, way: Sequence[str]) -> Iterator[object]:
    if not way:
        yield at
    elif isinstance(at, tuple):
        chosen = at if way[0] == "*" else at[int(way[0]) : int(way[0]) + 1]
        for entry in chosen:
            yield from _below(entry, way[1:])
    elif isinstance(at, Mapping):
        if way[0] in at:
            yield from _below(at[way[0]], way[1:])
    elif is_dataclass(at) and way[0] in {one.name for one in fields(at)}:
        yield from _below(getattr(at, way[0]), way[1:])
