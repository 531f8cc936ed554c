"""Reads figures of a host off the snapshots at both ends of a time."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Final

from hypervisor.domain0 import DOMAIN_0
from hypervisor.nearest import hint
from hypervisor.telemetry import DomainSnapshot, HostSnapshot, ModeTimes
from xenprof.experiment.places import NoSuchPlace, steps, values

_OF_BEHALF: Final = 3  # steps to a time: on_behalf, NAME, user_ns


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
    """Return the figure; None if a part of it is unknown or was not there all the time.

    Of several paths those count that lead somewhere.
    """
    try:
        return _measured(measure, before, after, duration_ns)
    except NoSuchPlace:
        return None


def _measured(
    measure: Measure, before: HostSnapshot, after: HostSnapshot, duration_ns: int
) -> float | None:
    if measure.how == "last":
        end = _sum(_read(after, measure.of))
        return None if end is None else end * measure.times
    grown = _growth(before, after, measure.of)
    if grown is None:
        return None
    if measure.per:
        by = _growth(before, after, measure.per)
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


def _growth(before: HostSnapshot, after: HostSnapshot, paths: Sequence[str]) -> float | None:
    """Return by how much the sum of all places has grown; None if it is not known.

    Counts of a domain that has gone, or come, are of another time. Raises: NoSuchPlace: all paths.
    """
    then, now = (_read(one, paths) for one in (before, after))
    if len(then) != len(now) or _domains(before, paths) != _domains(after, paths):
        return None
    start, end = _sum(then), _sum(now)
    return None if start is None or end is None else end - start


def _sum(found: Sequence[object]) -> float | None:
    numbers = [one for one in found if isinstance(one, int | float)]
    return sum(numbers) if numbers and len(numbers) == len(found) else None


def _read(snapshot: HostSnapshot, paths: Sequence[str]) -> list[object]:
    """Return the values of all paths that lead somewhere. Raises: NoSuchPlace: none does."""
    found, missing = [], []
    for path in paths:
        try:
            found += list(_found(snapshot, path))
        except NoSuchPlace as error:
            missing.append(error)
    if len(missing) == len(paths):
        raise missing[0]
    return found


def _domains(snapshot: HostSnapshot, paths: Sequence[str]) -> list[object]:
    """Return of which guests paths are."""
    found: list[object] = []
    for way in map(steps, paths):
        if way[0] == "domain":
            with contextlib.suppress(NoSuchPlace):
                found += [
                    one.life
                    for one in values(_guests(snapshot), way[1:2])
                    if isinstance(one, DomainSnapshot)
                ]
    return found


def _guests(snapshot: HostSnapshot) -> tuple[DomainSnapshot, ...]:
    return tuple(one for one in snapshot.domains if one.name != DOMAIN_0)


def _found(snapshot: HostSnapshot, path: str) -> Iterator[object]:
    """Yield the values to which a path leads. Raises: NoSuchPlace, which names it."""
    try:
        first, *rest = steps(path)
        if first == "host":
            yield from values(snapshot, rest)
        elif first == "domain0":
            if _is_nothing_yet(snapshot, rest):
                yield 0
            else:
                yield from values(snapshot.find(DOMAIN_0), _of_domain(rest))
        elif first == "domain":
            yield from values(_guests(snapshot), (*rest[:1], *_of_domain(rest[1:])))
        else:
            names = ("domain", "domain0", "host")
            raise NoSuchPlace(
                f"begins with '{first}'{hint(first, names)}; use domain.NAME, domain0 or host"
            )
    except NoSuchPlace as error:
        raise NoSuchPlace(f"'{path}': {error}") from None


def _is_nothing_yet(snapshot: HostSnapshot, way: Sequence[str]) -> bool:
    """Return whether steps lead to what domain 0 has done for a guest, which is nothing so far."""
    done = snapshot.find(DOMAIN_0).on_behalf
    return (
        done is not None
        and len(way) == _OF_BEHALF
        and way[0] == "on_behalf"
        and way[1] not in done
        and way[1] in {one.name for one in snapshot.domains}
        and way[2] in {one.name for one in fields(ModeTimes)}
    )


def _of_domain(way: Sequence[str]) -> Sequence[str]:
    """Return steps below a domain, of which the first is as scenarios have it."""
    return ("workloads", *way[1:]) if way[:1] == ["workload"] else way
