"""Declares what metrics have series of: the host, its domains, vcpus, devices and processors.

A row of the catalogue names a scope and how a value is found in each of its subjects. So a
renderer can take the values of a metric as one column, and keep the labels of the scope for all
its metrics, from one snapshot to the next as long as they are the same.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from exporters.metric import Labels, Point, Points, Value
from hypervisor.telemetry import (
    BridgeSnapshot,
    DiskSnapshot,
    DomainSnapshot,
    HostSnapshot,
    NicSnapshot,
    PcpuSnapshot,
    VbdSnapshot,
    VcpuSnapshot,
    VifSnapshot,
)
from xenprof.service.exporter import ServiceStats

S = TypeVar("S")
Subject = tuple[Labels, S]
Find = Callable[[S], Value | None]
Parts = Mapping[str, Find[S]]


@dataclass(frozen=True, slots=True, eq=False)
class Scope(Generic[S]):
    """A kind of subjects: `subjects` finds those of a host, with the labels of each."""

    name: str
    subjects: Callable[[HostSnapshot], list[Subject[S]]]


class View:
    """A host by scopes: the subjects and labels of each are found once for all metrics."""

    def __init__(self, host: HostSnapshot, before: "View | None" = None) -> None:
        """Where labels are as in `before`, they are the same objects, too."""
        self.host = host
        self._before = before
        self._subjects: dict[str, Sequence[object]] = {}
        self._labels: dict[tuple[str, tuple[str, ...]], Sequence[Labels]] = {}

    def subjects(self, scope: Scope[S]) -> Sequence[S]:
        """Return the subjects of a scope."""
        found = self._subjects.get(scope.name)
        if found is None:
            pairs = scope.subjects(self.host)
            self._subjects[scope.name] = found = [subject for _, subject in pairs]
            key = (scope.name, ())
            self._labels[key] = self._kept(key, [labels for labels, _ in pairs])
        return cast(Sequence[S], found)

    def labels(self, scope: Scope[S], parts: tuple[str, ...]) -> Sequence[Labels]:
        """Return the labels of all subjects, for each part in turn; without parts, one time."""
        self.subjects(scope)
        own = self._labels[scope.name, ()]
        key = (scope.name, parts)
        found = self._labels.get(key)
        if found is None:
            before = self._before
            if before is not None and before._labels.get((scope.name, ())) is own:
                found = before._labels.get(key)
            if found is None:
                found = [(*labels, part) for part in parts for labels in own]
            self._labels[key] = found
        return found

    def _kept(self, key: tuple[str, tuple[str, ...]], made: Sequence[Labels]) -> Sequence[Labels]:
        """Return the labels of the view before, if they are equal."""
        before = None if self._before is None else self._before._labels.get(key)
        return made if before is None or before != made else before

    def forget(self) -> None:
        """Let go of the view before, and of what no later view needs."""
        self._before = None
        self._subjects.clear()


@dataclass(frozen=True, slots=True)
class Each(Generic[S]):
    """Makes points of each subject of a scope: one, or one for each part.

    `parts` has how a value is found, by the value of the last label (one part, "", has no label);
    `per` divides all values: nanoseconds by NS_PER_SECOND, for example.
    """

    scope: Scope[S]
    parts: tuple[tuple[str, Find[S]], ...]
    per: int = 1

    def __call__(self, host: HostSnapshot, stats: ServiceStats, /) -> Iterator[Point]:
        """Yield the points of the values that are known."""
        labels, values = self.columns(View(host))
        return (
            (one, value) for one, value in zip(labels, values, strict=True) if value is not None
        )

    def columns(self, view: View) -> tuple[Sequence[Labels], Sequence[Value | None]]:
        """Return the labels of all series and their values; None is unknown."""
        subjects = view.subjects(self.scope)
        values: list[Value | None] = []
        for _, find in self.parts:
            values.extend(map(find, subjects))
        if self.per != 1:
            numbers = cast(list[int | None], values)
            values = [None if number is None else number / self.per for number in numbers]
        names = tuple(name for name, _ in self.parts)
        return view.labels(self.scope, () if names == ("",) else names), values


def each_domain(host: HostSnapshot) -> Sequence[DomainSnapshot]:
    """Return the domains that series can tell apart: of several with one name, the newest."""
    by_name = {domain.name: domain for domain in host.domains}
    return host.domains if len(by_name) == len(host.domains) else tuple(by_name.values())


HOST: Scope[HostSnapshot] = Scope("host", lambda host: [((), host)] if host.is_up else [])
PCPUS: Scope[PcpuSnapshot] = Scope("pcpus", lambda host: [((str(p.pcpu),), p) for p in host.pcpus])
DOMAINS: Scope[DomainSnapshot] = Scope(
    "domains", lambda host: [((d.name,), d) for d in each_domain(host)]
)
VCPUS: Scope[VcpuSnapshot] = Scope(
    "vcpus",
    lambda host: [((d.name, str(v.vcpu)), v) for d in each_domain(host) for v in d.vcpus],
)
VIFS: Scope[VifSnapshot] = Scope(
    "vifs", lambda host: [((d.name, str(v.index)), v) for d in each_domain(host) for v in d.vifs]
)
VBDS: Scope[VbdSnapshot] = Scope(
    "vbds", lambda host: [((d.name, vbd_label(v)), v) for d in each_domain(host) for v in d.vbds]
)
NICS: Scope[NicSnapshot] = Scope("nics", lambda host: [((nic.name,), nic) for nic in host.nics])
DISKS: Scope[DiskSnapshot] = Scope(
    "disks", lambda host: [((disk.name,), disk) for disk in host.disks]
)
BRIDGES: Scope[BridgeSnapshot] = Scope(
    "bridges", lambda host: [((b.name,), b) for b in host.bridges]
)


def vbd_label(vbd: VbdSnapshot) -> str:
    """Return the name of a block device, or its number where the host knows no name."""
    return str(vbd.device) if vbd.name is None else vbd.name


def of(scope: Scope[S], find: Find[S], *, per: int = 1) -> Each[S]:
    """Return points for one value of each subject."""
    return Each(scope, (("", find),), per)


def parts_of(scope: Scope[S], parts: Parts[S], *, per: int = 1) -> Each[S]:
    """Return points for several values of each subject, by the value of the last label."""
    return Each(scope, tuple(parts.items()), per)


def states_of(scope: Scope[S], states: Sequence[str], find: Callable[[S], str | None]) -> Each[S]:
    """Return points for all states of each subject: 1 for the one that is found, 0 for the rest."""

    def holds(state: str) -> Find[S]:
        def value(subject: S) -> int | None:
            found = find(subject)
            return None if found is None else int(found == state)

        return value

    return Each(scope, tuple((state, holds(state)) for state in states))


def of_service(find: Callable[[ServiceStats], float | None]) -> Points:
    """Return points for one value of the service; None is unknown and not exported."""

    def points(_: HostSnapshot, stats: ServiceStats, /) -> Iterator[Point]:
        found = find(stats)
        if found is not None:
            yield (), found

    return points
