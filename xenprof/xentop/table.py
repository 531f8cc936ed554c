"""Makes xentop's table from snapshots: columns, sort orders, detail lines.

Source: xentop.c (3.0.3). It is only text: `xm top -b` prints it, `screen` adds style.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from hypervisor.telemetry import DomainSnapshot, HostSnapshot, VbdSnapshot, VifSnapshot
from hypervisor.telemetry.unknown import UNKNOWN, minus, shown, total, whole
from xenprof.home import DOMAIN_0_ID

DEFAULT_DELAY_SECONDS = 3.0
LONGEST_DELAY_SECONDS = 1e6
_STATE_FLAGS = ("dying", "shutdown", "blocked", "crashed", "paused", "running")
_STATES_COUNTED = ("running", "blocked", "paused", "shutdown", "crashed", "dying")
_STATES_SHOWN = ("running", "blocked", "paused", "crashed", "dying", "shutdown")


@dataclass(frozen=True, slots=True)
class Span:
    """The newest snapshot and the one before it, from whose difference CPU(%) comes."""

    now: HostSnapshot
    before: HostSnapshot | None = None

    def then(self, newer: HostSnapshot) -> "Span":
        """Return the span up to `newer`.

        A snapshot of the same moment leaves the span as it is. One of an earlier moment is
        another run of the host, with which nothing can be compared.
        """
        if newer.time_ns == self.now.time_ns:
            return self
        return Span(newer, self.now if newer.time_ns > self.now.time_ns else None)

    def busy_percent(self, domain: DomainSnapshot) -> float | None:
        """Return CPU(%) of one pcpu: 0.0 for a domain that was not in the snapshot before."""
        if domain.cpu_ns is None:
            return None
        if self.before is None:
            return 0.0
        elapsed_ns = self.now.time_ns - self.before.time_ns
        for earlier in self.before.domains:
            if earlier.life == domain.life:
                worked_ns = minus(domain.cpu_ns, earlier.cpu_ns)
                return None if worked_ns is None else 100 * worked_ns / elapsed_ns
        return 0.0


@dataclass(frozen=True, slots=True)
class View:
    """The user's choice of what to see. `sort` is the number of a column."""

    sort: int = 0
    networks: bool = False
    vbds: bool = False
    vcpus: bool = False
    repeats_head: bool = False


class Kind(Enum):
    """The kind of a line of the table."""

    HEAD = "head"
    DOMAIN = "domain"
    DETAIL = "detail"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table, cell by cell; a detail line is one cell."""

    kind: Kind
    cells: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return the line as it is printed."""
        return " ".join(self.cells)


@dataclass(frozen=True, slots=True)
class Row:
    """A domain, its host, and CPU(%) of one pcpu."""

    domain: DomainSnapshot
    busy_percent: float | None
    host: HostSnapshot


Rank = Callable[[Row], "str | tuple[bool, ...] | tuple[bool, float]"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, its width, its text, and its rank to sort by, lowest first.

    What the host does not know is shown as `-`, and is last when the table is sorted by it.
    """

    head: str
    width: int
    show: Callable[[Row], object | None]
    rank: Rank


def state_letters(domain: DomainSnapshot) -> str:
    """Return xentop's six letters; Domain-0 always runs, because xentop runs in it."""
    flags = _flags(domain)
    if all(flag is None for flag in flags):
        return UNKNOWN
    return "".join(letter if flag else "-" for letter, flag in zip("dsbcpr", flags, strict=True))


def _flags(domain: DomainSnapshot) -> tuple[bool | None, ...]:
    if domain.domid == DOMAIN_0_ID:
        return tuple(name == "running" for name in _STATE_FLAGS)
    return (
        domain.dying,
        domain.shutdown,
        domain.blocked,
        domain.crashed,
        domain.paused,
        domain.running,
    )


def _counted(domain: DomainSnapshot) -> list[VbdSnapshot]:
    """Return the disks that xentop sees: blktap keeps no statistics where it looks for them."""
    return [vbd for vbd in domain.vbds if not (vbd.backend or "").startswith("tap:")]


def _percent_of_host(row: Row, kib: int | None) -> str | None:
    host_kib = row.host.memory_kib
    return None if kib is None or not host_kib else f"{100 * kib / host_kib:.1f}"


def _maximum(row: Row) -> object | None:
    return "no limit" if row.domain.is_memory_unlimited else row.domain.maximum_kib


def _maximum_percent(row: Row) -> str | None:
    if row.domain.is_memory_unlimited:
        return "n/a"
    return _percent_of_host(row, row.domain.maximum_kib)


def _vcpus(row: Row) -> int | None:
    return len(row.domain.vcpus) or None  # every domain has one


def _nets(row: Row) -> int | None:
    return len(row.domain.vifs) or (0 if row.host.is_known("vif") else None)


def _disks(row: Row) -> int | None:
    return len(_counted(row.domain)) or (0 if row.host.is_known("vbd") else None)


def _traffic_kib(head: str, octets: Callable[[VifSnapshot], int | None]) -> Column:
    """Return a column of bytes of all interfaces, shown in KiB."""

    def in_all(row: Row) -> int | None:
        return None if _nets(row) is None else total(map(octets, row.domain.vifs))

    return Column(head, 8, lambda row: whole(in_all(row), 1024), _descending(in_all))


def _requests(head: str, counter: Callable[[VbdSnapshot], int | None]) -> Column:
    """Return a column of a counter of all disks."""

    def in_all(row: Row) -> int | None:
        return None if _disks(row) is None else total(map(counter, _counted(row.domain)))

    return _most_first(head, 8, in_all)


def _most_first(head: str, width: int, value: Callable[[Row], int | None]) -> Column:
    """Return a column that shows the number by which it sorts."""
    return Column(head, width, value, _descending(value))


def _descending(value: Callable[[Row], float | None]) -> Rank:
    """Return the rank that puts the greatest value first and an unknown one last."""

    def rank(row: Row) -> tuple[bool, float]:
        found = value(row)
        return found is None, 0 if found is None else -found

    return rank


def _limit(row: Row) -> float | None:
    """Return the maximum memory: no limit counts as more than any limit."""
    return math.inf if row.domain.is_memory_unlimited else row.domain.maximum_kib


COLUMNS: tuple[Column, ...] = (
    Column("NAME", 10, lambda row: row.domain.name, lambda row: row.domain.name.lower()),
    Column(
        "STATE",
        6,
        lambda row: state_letters(row.domain),
        lambda row: tuple(not flag for flag in _flags(row.domain)),
    ),
    Column(
        "CPU(sec)",
        10,
        lambda row: whole(row.domain.cpu_ns, 10**9),
        _descending(lambda row: row.domain.cpu_ns),
    ),
    Column(
        "CPU(%)",
        6,
        lambda row: shown(row.busy_percent, ".1f"),
        _descending(lambda row: row.busy_percent),
    ),
    _most_first("MEM(k)", 10, lambda row: row.domain.memory_kib),
    Column(
        "MEM(%)",
        6,
        lambda row: _percent_of_host(row, row.domain.memory_kib),
        _descending(lambda row: row.domain.memory_kib),
    ),
    Column("MAXMEM(k)", 10, _maximum, _descending(_limit)),
    Column("MAXMEM(%)", 9, _maximum_percent, _descending(_limit)),
    _most_first("VCPUS", 5, _vcpus),
    _most_first("NETS", 4, _nets),
    _traffic_kib("NETTX(k)", lambda vif: vif.transmit_bytes),
    _traffic_kib("NETRX(k)", lambda vif: vif.receive_bytes),
    _most_first("VBDS", 4, _disks),
    _requests("VBD_OO", lambda vbd: vbd.out_of_requests),
    _requests("VBD_RD", lambda vbd: vbd.read_requests),
    _requests("VBD_WR", lambda vbd: vbd.write_requests),
    Column("SSID", 4, lambda row: 0, lambda row: (False, 0)),
)

HEAD = Line(Kind.HEAD, tuple(f"{column.head:>{column.width}}" for column in COLUMNS))


def summary(now: HostSnapshot) -> tuple[str, str, str]:
    """Return the three lines above the table; the time is the host's, in UTC."""
    time = datetime.fromtimestamp(now.unix_ns // 10**9, UTC)
    found = [_states(domain) for domain in now.domains]
    states = ", ".join(
        f"{shown(total(states[name] for states in found))} {name}" for name in _STATES_SHOWN
    )
    used_kib = minus(now.memory_kib, now.free_kib)
    return (
        f"xentop - {time:%H:%M:%S}   Xen {shown(now.xen_version)}",
        f"{len(now.domains)} domains: {states} ",
        f"Mem: {_kib(now.memory_kib)} total, {_kib(used_kib)} used, {_kib(now.free_kib)} free    "
        f"CPUs: {shown(_pcpus(now))} @ {shown(now.mhz)}MHz",
    )


def _states(domain: DomainSnapshot) -> dict[str, int | None]:
    """Return 1 for the state in which a domain is counted, 0 for others, None for unknown ones.

    A domain that waits for a pcpu is in no state.
    """
    flags = dict(zip(_STATE_FLAGS, _flags(domain), strict=True))
    is_counted = False
    counts: dict[str, int | None] = {}
    for name in _STATES_COUNTED:
        flag = False if is_counted else flags[name]
        counts[name] = None if flag is None else int(flag)
        is_counted = is_counted or bool(flag)
    return counts


def _pcpus(host: HostSnapshot) -> int | None:
    if host.sockets is None or host.cores_per_socket is None or host.threads_per_core is None:
        return len(host.pcpus) or None
    return host.sockets * host.cores_per_socket * host.threads_per_core


def _kib(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value}k"


def table(span: Span, view: View) -> Iterator[Line]:
    """Yield the lines of one iteration; equal ranks are ordered by name."""
    now = span.now
    rows = [Row(domain, span.busy_percent(domain), now) for domain in now.domains]
    rows.sort(key=COLUMNS[0].rank)
    rows.sort(key=COLUMNS[view.sort].rank)
    for position, row in enumerate(rows):
        if position == 0 or view.repeats_head:
            yield HEAD
        cells = tuple(f"{shown(column.show(row)):>{column.width}}" for column in COLUMNS)
        yield Line(Kind.DOMAIN, cells)
        for text in _details(row.domain, view):
            yield Line(Kind.DETAIL, (text,))


def parse_delay(text: str) -> float:
    """Return a delay in seconds.

    Raises: ValueError with the sentence for the user.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < LONGEST_DELAY_SECONDS:
        raise ValueError(f"the delay must be a number of seconds above 0, not '{text}'")
    return seconds


def _details(domain: DomainSnapshot, view: View) -> Iterator[str]:
    if view.vcpus:
        yield from _vcpu_lines(domain)
    if view.networks:
        yield from map(_network_line, domain.vifs)
    if view.vbds:
        yield from map(_vbd_line, _counted(domain))


def _vcpu_lines(domain: DomainSnapshot) -> Iterator[str]:
    cells = [
        f" {vcpu.vcpu:2}: {shown(whole(vcpu.running_ns, 10**9)):>10}s"
        for vcpu in domain.vcpus
        if vcpu.online is not False
    ]
    yield "VCPUs(sec): " + "".join(cells[:5])
    for start in range(5, len(cells), 5):
        yield " " * 8 + "".join(cells[start : start + 5])


def _network_line(vif: VifSnapshot) -> str:
    receive = _traffic(
        vif.receive_bytes, vif.receive_packets, vif.receive_errors, vif.receive_dropped
    )
    transmit = _traffic(
        vif.transmit_bytes, vif.transmit_packets, vif.transmit_errors, vif.transmit_dropped
    )
    return f"Net{vif.index} RX: {receive}  TX: {transmit}"


def _traffic(*counts: int | None) -> str:
    octets, packets, errors, dropped = (f"{shown(count):>8}" for count in counts)
    return f"{octets}bytes {packets}pkts {errors}err {dropped}drop"


def _vbd_line(vbd: VbdSnapshot) -> str:
    major, minor = vbd.device >> 8, vbd.device & 255
    waited, read, written = (
        f"{shown(count):>8}"
        for count in (vbd.out_of_requests, vbd.read_requests, vbd.write_requests)
    )
    return f"VBD {vbd.device:4} [{major:2x}:{minor:2x}]  OO: {waited}   RD: {read}   WR: {written}"
