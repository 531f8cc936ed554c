"""Finds the points of a metric in what is shown: one for each domain, vcpu or device."""

from typing import Callable, Iterator, List, Optional, Sequence, Tuple

from hypervisor.live.agent.pages.exposition import Labels, Point, Value
from hypervisor.live.agent.pages.shown import Shown
from hypervisor.live.agent.polling.readings import NS_PER_SECOND
from hypervisor.live.agent.report.fields import DomainReport, VcpuReport

Points = Callable[[Shown], Iterator[Point]]
Find = Callable[..., Optional[Value]]


def of_host(find: Find) -> Points:
    """Return one point, found in what is shown."""

    def points(shown: Shown) -> Iterator[Point]:
        yield (), find(shown)

    return points


def of_each(rows: Callable[[Shown], Sequence[Tuple[Labels, object]]], find: Find) -> Points:
    """Return a point for each row."""

    def points(shown: Shown) -> Iterator[Point]:
        for labels, one in rows(shown):
            yield labels, find(one)

    return points


def parts_of(
    rows: Callable[[Shown], Sequence[Tuple[Labels, object]]], parts: Sequence[Tuple[str, Find]]
) -> Points:
    """Return a point for each part of each row; the name of the part is the last label."""

    def points(shown: Shown) -> Iterator[Point]:
        for part, find in parts:
            for labels, one in rows(shown):
                yield (*labels, part), find(one)

    return points


def of_domains(find: Find) -> Points:
    """Return a point for each domain."""
    return of_each(domain_rows, find)


def of_vcpus(find: Find) -> Points:
    """Return a point for each vcpu."""
    return of_each(vcpu_rows, find)


def of_vifs(find: Find) -> Points:
    """Return a point for each network interface."""
    return of_each(lambda shown: shown.vifs, find)


def of_vbds(find: Find) -> Points:
    """Return a point for each block device."""
    return of_each(lambda shown: shown.vbds, find)


def domain_rows(shown: Shown) -> List[Tuple[Labels, DomainReport]]:
    """Return the domains with their labels."""
    return [((name,), domain) for name, domain in shown.domains]


def vcpu_rows(shown: Shown) -> List[Tuple[Labels, VcpuReport]]:
    """Return the vcpus with their labels."""
    return shown.vcpus


def seconds(spent_ns: Optional[int]) -> Optional[float]:
    """Return nanoseconds in seconds; None stays None."""
    return None if spent_ns is None else spent_ns / NS_PER_SECOND


def of_kib(value: Optional[int]) -> Optional[int]:
    """Return KiB in bytes; None stays None."""
    return None if value is None else value * 1024


def number(flag: Optional[bool]) -> Optional[int]:
    """Return 1 for true, 0 for false; None stays None."""
    return None if flag is None else int(flag)
