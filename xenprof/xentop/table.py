"""Makes xentop's table from snapshots: columns, sort orders, detail lines.

Source: xentop.c (3.0.3). It is only text: `xm top -b` prints it, `screen` adds style.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from hypervisor.telemetry import DomainSnapshot, HostSnapshot, VbdSnapshot, VifSnapshot
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

    def busy_percent(self, domain: DomainSnapshot) -> float:
        """Return CPU(%) of one pcpu: 0.0 for a domain that was not in the snapshot before."""
        if self.before is None:
            return 0.0
        elapsed_ns = self.now.time_ns - self.before.time_ns
        for earlier in self.before.domains:
            if earlier.domid == domain.domid:
                worked_ns = domain.cpu_ns - earlier.cpu_ns
                return 100 * worked_ns / elapsed_ns
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
    """A domain with the further values that its columns need. `busy_percent` is of one pcpu."""

    domain: DomainSnapshot
    busy_percent: float
    host_kib: int


Rank = Callable[[Row], "int | float | str | tuple[bool, ...] | tuple[bool, int]"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, its width, its text, and its rank to sort by, lowest first."""

    head: str
    width: int
    show: Callable[[Row], object]
    rank: Rank


def state_letters(domain: DomainSnapshot) -> str:
    """Return xentop's six letters; Domain-0 always runs, because xentop runs in it."""
    flags = zip("dsbcpr", _flags(domain), strict=True)
    return "".join(letter if flag else "-" for letter, flag in flags)


def _flags(domain: DomainSnapshot) -> tuple[bool, ...]:
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
    """Return the disks that have statistics; `tap:` disks have none."""
    return [vbd for vbd in domain.vbds if vbd.read_requests is not None]


def _percent_of_host(row: Row, kib: int | None) -> str:
    return "n/a" if kib is None else f"{100 * kib / row.host_kib:.1f}"


def _maximum(row: Row) -> str:
    kib = row.domain.maximum_kib
    return "no limit" if kib is None else str(kib)


def _sent_bytes(row: Row) -> int:
    return sum(vif.transmit_bytes for vif in row.domain.vifs)


def _received_bytes(row: Row) -> int:
    return sum(vif.receive_bytes for vif in row.domain.vifs)


def _requests(counter: Callable[[VbdSnapshot], int]) -> Callable[[Row], int]:
    return lambda row: sum(map(counter, _counted(row.domain)))


def _most_first(head: str, width: int, value: Callable[[Row], int]) -> Column:
    """Return a column that shows the number by which it sorts."""
    return Column(head, width, value, lambda row: -value(row))


def _most_memory_first(row: Row) -> tuple[bool, int]:
    """Rank by maximum memory: no limit counts as more than any limit."""
    kib = row.domain.maximum_kib
    return (True, -kib) if kib is not None else (False, 0)


COLUMNS: tuple[Column, ...] = (
    Column("NAME", 10, lambda row: row.domain.name, lambda row: row.domain.name.lower()),
    Column(
        "STATE",
        6,
        lambda row: state_letters(row.domain),
        lambda row: tuple(not flag for flag in _flags(row.domain)),
    ),
    Column("CPU(sec)", 10, lambda row: row.domain.cpu_ns // 10**9, lambda row: -row.domain.cpu_ns),
    Column("CPU(%)", 6, lambda row: f"{row.busy_percent:.1f}", lambda row: -row.busy_percent),
    _most_first("MEM(k)", 10, lambda row: row.domain.memory_kib),
    Column(
        "MEM(%)",
        6,
        lambda row: _percent_of_host(row, row.domain.memory_kib),
        lambda row: -row.domain.memory_kib,
    ),
    Column("MAXMEM(k)", 10, _maximum, _most_memory_first),
    Column(
        "MAXMEM(%)",
        9,
        lambda row: _percent_of_host(row, row.domain.maximum_kib),
        _most_memory_first,
    ),
    _most_first("VCPUS", 5, lambda row: len(row.domain.vcpus)),
    _most_first("NETS", 4, lambda row: len(row.domain.vifs)),
    Column("NETTX(k)", 8, lambda row: _sent_bytes(row) // 1024, lambda row: -_sent_bytes(row)),
    Column(
        "NETRX(k)", 8, lambda row: _received_bytes(row) // 1024, lambda row: -_received_bytes(row)
    ),
    _most_first("VBDS", 4, lambda row: len(_counted(row.domain))),
    _most_first("VBD_OO", 8, _requests(lambda vbd: vbd.out_of_requests)),
    _most_first("VBD_RD", 8, _requests(lambda vbd: vbd.read_requests)),
    _most_first("VBD_WR", 8, _requests(lambda vbd: vbd.write_requests)),
    Column("SSID", 4, lambda row: 0, lambda row: 0),
)

HEAD = Line(Kind.HEAD, tuple(f"{column.head:>{column.width}}" for column in COLUMNS))


def summary(now: HostSnapshot) -> tuple[str, str, str]:
    """Return the three lines above the table; the time is the host's, in UTC."""
    time = datetime.fromtimestamp(now.unix_ns // 10**9, UTC)
    counts = dict.fromkeys(_STATES_COUNTED, 0)
    for domain in now.domains:
        flags = dict(zip(_STATE_FLAGS, _flags(domain), strict=True))
        state = next((name for name in _STATES_COUNTED if flags[name]), None)
        if state:  # a domain that waits for a pcpu is in no state
            counts[state] += 1
    states = ", ".join(f"{counts[name]} {name}" for name in _STATES_SHOWN)
    pcpus = now.sockets * now.cores_per_socket * now.threads_per_core
    used_kib = now.memory_kib - now.free_kib
    return (
        f"xentop - {time:%H:%M:%S}   Xen {now.xen_major}.{now.xen_minor}{now.xen_extra}",
        f"{len(now.domains)} domains: {states} ",
        f"Mem: {now.memory_kib}k total, {used_kib}k used, {now.free_kib}k free    "
        f"CPUs: {pcpus} @ {now.mhz}MHz",
    )


def table(span: Span, view: View) -> Iterator[Line]:
    """Yield the lines of one iteration; equal ranks are ordered by name."""
    host_kib = span.now.memory_kib
    rows = [Row(domain, span.busy_percent(domain), host_kib) for domain in span.now.domains]
    rows.sort(key=COLUMNS[0].rank)
    rows.sort(key=COLUMNS[view.sort].rank)
    for position, row in enumerate(rows):
        if position == 0 or view.repeats_head:
            yield HEAD
        cells = tuple(f"{column.show(row)!s:>{column.width}}" for column in COLUMNS)
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
        f" {vcpu.vcpu:2}: {vcpu.running_ns // 10**9:10}s" for vcpu in domain.vcpus if vcpu.online
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


def _traffic(octets: int, packets: int, errors: int, dropped: int) -> str:
    return f"{octets:8}bytes {packets:8}pkts {errors:8}err {dropped:8}drop"


def _vbd_line(vbd: VbdSnapshot) -> str:
    major, minor = vbd.device >> 8, vbd.device & 255
    return (
        f"VBD {vbd.device:4} [{major:2x}:{minor:2x}]  OO: {vbd.out_of_requests:8}   "
        f"RD: {vbd.read_requests:8}   WR: {vbd.write_requests:8}"
    )
