"""Reads figures of a host off the snapshots at both ends of a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Final

from hypervisor.domain0 import DOMAIN_0
from hypervisor.nearest import hint
from hypervisor.telemetry import HostSnapshot
from xenprof.experiment.places import NoSuchPlace, steps, values

WAYS: Final = ("per_second", "share", "growth", "last")


@dataclass(frozen=True, slots=True)
class Measure:
    """What is read: sums of all places of paths, and by what they are divided.

    `how`: what grows in a second; of nanoseconds, in percent of the time (100 = one pcpu); what
    grows in all; or what is there in the end. `per` are paths too: their growth divides that of
    `of`.
    """

    of: tuple[str, ...]
    how: str
    per: tuple[str, ...] = ()
    times: float = 1.0


def measured(
    measure: Measure, before: HostSnapshot, after: HostSnapshot, duration_ns: int
) -> float | None:
    """Return the figure; None if nothing was there to be measured, as of a domain that has gone."""
    try:
        return _measured(measure, before, after, duration_ns)
    except NoSuchPlace:
        return None


def _measured(
    measure: Measure, before: HostSnapshot, after: HostSnapshot, duration_ns: int
) -> float | None:
    end = _sum(after, measure.of)
    if end is None:
        return None
    if measure.how == "last":
        return end * measure.times
    grown = end - (_sum(before, measure.of) or 0)
    if measure.per:
        by = (_sum(after, measure.per) or 0) - (_sum(before, measure.per) or 0)
        return grown * measure.times / by if by else None
    if measure.how == "share":
        return 100 * grown * measure.times / duration_ns
    return grown * measure.times * (1e9 / duration_ns if measure.how == "per_second" else 1)


def check_places(paths: Sequence[str], snapshot: HostSnapshot) -> set[str]:
    """Check that paths lead to numbers of a host, or to what is not known yet.

    Of several paths some may lead nowhere; those that do not are returned. Raises: NoSuchPlace.
    """
    leading, missing = set(), []
    for path in paths:
        try:
            found = list(_found(snapshot, path))
        except NoSuchPlace as error:
            missing.append(error)
            continue
        leading.add(path)
        for value in found:
            if value is not None and not isinstance(value, int | float):
                more = ""
                if isinstance(value, Mapping):
                    more = f"; go on with one of {', '.join(map(str, value))}"
                elif is_dataclass(value):
                    more = f"; go on with one of {', '.join(one.name for one in fields(value))}"
                elif isinstance(value, tuple):
                    more = "; go on with the name of an entry, its number or *"
                raise NoSuchPlace(f"'{path}': is no number{more}")
    if missing and not leading:
        raise missing[0]
    return leading


def _sum(snapshot: HostSnapshot, paths: Sequence[str]) -> float | None:
    """Return the sum of all numbers; None if there are none. Raises: NoSuchPlace: all paths."""
    numbers, missing = [], []
    for path in paths:
        try:
            numbers += [one for one in _found(snapshot, path) if isinstance(one, int | float)]
        except NoSuchPlace as error:
            missing.append(error)
    if len(missing) == len(paths):
        raise missing[0]
    return sum(numbers) if numbers else None


def _found(snapshot: HostSnapshot, path: str) -> Iterator[object]:
    """Yield the values to which a path leads. Raises: NoSuchPlace, which names it."""
    try:
        way = steps(path)
        first, rest = way[0], [{"workload": "workloads"}.get(step, step) for step in way[1:]]
        if first == "host":
            yield from values(snapshot, rest)
            return
        if first == "domain0":
            yield from values(snapshot.find(DOMAIN_0), rest)
            return
        if first != "domain":
            names = ("domain", "domain0", "host")
            raise NoSuchPlace(
                f"begins with '{first}'{hint(first, names)}; use domain.NAME, domain0 or host"
            )
        guests = tuple(one for one in snapshot.domains if one.name != DOMAIN_0)
        yield from values(guests, rest)
    except NoSuchPlace as error:
        raise NoSuchPlace(f"'{path}': {error}") from None
