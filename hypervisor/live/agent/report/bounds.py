"""Bounds the numbers of a report, which exporters tell in 64 bits.

A number that is beyond them is no measurement: a counter that went below zero, or a text in
xenstore that a toolstack would not write.
"""

from itertools import chain
from operator import itemgetter
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    get_type_hints,
)

from hypervisor.live.agent.report.fields import (
    DomainReport,
    HostReport,
    PcpuReport,
    VbdReport,
    VcpuReport,
    VifReport,
    WaitsReport,
)

LARGEST = (1 << 62) - 1
"""Of a number; 146 years in ns."""
LARGEST_SCALED = 1 << 43
"""Of KiB and MHz, 8 EiB and 9 EHz, which exporters tell in bytes and Hz."""
_LARGEST_NUMBERS = {"domid": 0x7FEF, "vcpu": 8191, "pcpu": 8191, "affinity": 8191}
"""Of what Xen numbers. Source: DOMID_FIRST_RESERVED and MAX_VIRT_CPUS; of pcpus judgement."""


def largest(name: str) -> int:
    """Return the largest number that a field of this name may have."""
    if name == "mhz" or name.endswith("_kib"):
        return LARGEST_SCALED
    return _LARGEST_NUMBERS.get(name, LARGEST)


class _Field(NamedTuple):
    """A number of a record that may be unknown."""

    at: int
    name: str
    largest: int


def _fields(kind: Any) -> List[_Field]:
    hints = get_type_hints(kind)
    return [
        _Field(at, name, largest(name))
        for at, name in enumerate(kind._fields)
        if hints[name] == Optional[int]
    ]


_KINDS = (HostReport, PcpuReport, DomainReport, VcpuReport, VifReport, VbdReport)
_FIELDS: Dict[type, List[_Field]] = {kind: _fields(kind) for kind in _KINDS}


class _Group(NamedTuple):
    """The numbers of one kind of record that have one bound."""

    kind: int  # its place among `_KINDS`
    get: Callable[[Any], Iterable[Optional[int]]]


def _groups() -> Dict[int, List[_Group]]:
    """Return the groups by their bounds."""
    found: Dict[int, List[_Group]] = {}
    for at, kind in enumerate(_KINDS):
        places: Dict[int, List[int]] = {}
        for field in _FIELDS[kind]:
            places.setdefault(field.largest, []).append(field.at)
        for most, fields in places.items():  # the first twice: one alone is got as no tuple
            found.setdefault(most, []).append(_Group(at, itemgetter(fields[0], *fields)))
    return found


_GROUPS = _groups()


def within_bounds(report: HostReport) -> HostReport:
    """Return a report in which numbers beyond their bounds are unknown, and its problems tell so.

    One problem is told for each name of a field, of the first that has it.
    """
    if _is_within(report):  # all but strange hosts: looking is cheaper than making anew
        return report
    problems: Dict[str, str] = {}
    cut: HostReport = _cut(report, "", problems)
    made = cut._replace(
        pcpus=tuple(_cut(one, "pcpu %d: " % one.pcpu, problems) for one in report.pcpus),
        domains=tuple(_domain(one, problems) for one in report.domains),
    )
    return made._replace(problems=(*report.problems, *problems.values()))


def _is_within(report: HostReport) -> bool:
    domains = report.domains
    waits = [
        one
        for domain in domains
        for one in (domain.wake_waits, domain.preempted_waits)
        if one is not None
    ]
    kinds: Tuple[Sequence[Any], ...] = (
        (report,),
        report.pcpus,
        domains,
        [one for domain in domains for one in domain.vcpus],
        [one for domain in domains if domain.vifs for one in domain.vifs],
        [one for domain in domains if domain.vbds for one in domain.vbds],
    )
    for most, groups in _GROUPS.items():
        numbers: List[int] = []
        for kind, get in groups:
            numbers += filter(None, chain.from_iterable(map(get, kinds[kind])))
        if numbers and not (min(numbers) >= 0 and max(numbers) <= most):
            return False
    return all(map(_are_counts, waits))


def _are_counts(waits: WaitsReport) -> bool:
    return all(0 <= one <= LARGEST for one in (*waits.counts, waits.sum_ns))


def _domain(domain: DomainReport, problems: Dict[str, str]) -> DomainReport:
    where = "domain %d: " % domain.domid
    cut: DomainReport = _cut(domain, where, problems)
    return cut._replace(
        wake_waits=_waits(domain.wake_waits, where, problems),
        preempted_waits=_waits(domain.preempted_waits, where, problems),
        vcpus=_rows(domain.vcpus, where, problems),
        vifs=None if domain.vifs is None else _rows(domain.vifs, where, problems),
        vbds=None if domain.vbds is None else _rows(domain.vbds, where, problems),
    )


def _rows(rows: Any, where: str, problems: Dict[str, str]) -> Tuple[Any, ...]:
    return tuple([_cut(one, where, problems) for one in rows])


def _waits(
    waits: Optional[WaitsReport], where: str, problems: Dict[str, str]
) -> Optional[WaitsReport]:
    if waits is None or _are_counts(waits):
        return waits
    _tell("waits", where, problems)
    return None


def _cut(record: Any, where: str, problems: Dict[str, str]) -> Any:
    """Return a record without the numbers that are beyond their bounds."""
    for at, name, most in _FIELDS[type(record)]:
        number = record[at]
        if number is not None and not 0 <= number <= most:
            _tell(name, where, problems)
            record = record._replace(**{name: None})
    return record


def _tell(name: str, where: str, problems: Dict[str, str]) -> None:
    problems.setdefault(name, "bounds: %s%s is beyond what can be, and left out" % (where, name))
