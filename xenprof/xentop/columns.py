"""Columns of xentop's table: what each shows of a domain, and how it orders domains.

Source: xentop.c (3.0.3, and 4.17 for sectors and columns that grow).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from hypervisor.telemetry import DomainSnapshot, VbdSnapshot, VifSnapshot
from hypervisor.telemetry.unknown import UNKNOWN, shown, total, whole
from xenprof.home import DOMAIN_0_ID
from xenprof.xentop.names import cut, safe, shortened, width
from xenprof.xentop.span import Counter, Row, capped_ns, waited_ns

SECTOR_BYTES = 512
STATES = ("dying", "shutdown", "blocked", "crashed", "paused", "running")
"""What `state_flags` returns, in the order of xentop's letters."""

Rank = Callable[[Row], "str | tuple[bool, ...] | tuple[bool, float]"]
Number = Callable[[Row], int | None]
Disks = Callable[[DomainSnapshot], "list[VbdSnapshot]"]
"""Returns the disks of a domain whose requests are counted."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, its width, its text, and its rank to sort by, lowest first.

    What the host does not know is shown as `-`, and is last when the table is sorted by it.
    """

    head: str
    width: int
    show: Callable[[Row], object | None]
    rank: Rank
    room: Callable[[Row], int] | None = None
    """The width that a row needs; None: the column keeps its own."""


def state_flags(domain: DomainSnapshot) -> tuple[bool | None, ...]:
    """Return what holds of STATES; Domain-0 always runs, because xentop runs in it."""
    if domain.domid == DOMAIN_0_ID:
        return tuple(name == "running" for name in STATES)
    return (
        domain.dying,
        domain.shutdown,
        domain.blocked,
        domain.crashed,
        domain.paused,
        domain.running,
    )


def state_letters(domain: DomainSnapshot) -> str:
    """Return xentop's six letters."""
    flags = state_flags(domain)
    if all(flag is None for flag in flags):
        return UNKNOWN
    return "".join(letter if flag else "-" for letter, flag in zip("dsbcpr", flags, strict=True))


def not_tapped(domain: DomainSnapshot) -> list[VbdSnapshot]:
    """Return the disks that xentop 3.0.3 sees: blktap keeps no statistics where it looks."""
    return [vbd for vbd in domain.vbds if not (vbd.backend or "").startswith("tap:")]


def all_disks(domain: DomainSnapshot) -> list[VbdSnapshot]:
    """Return all disks."""
    return list(domain.vbds)


def most_first(head: str, width: int, value: Number) -> Column:
    """Return a column that shows the number by which it sorts."""
    return Column(head, width, value, _descending(value))


def growing(column: Column) -> Column:
    """Return a column of numbers that gets wider for great ones, as 4.17's do.

    Source: xentop.c, INT_FIELD_WIDTH: it makes room for the number plus 1.
    """

    def room(row: Row) -> int:
        found = column.show(row)
        return len(str(found + 1)) if isinstance(found, int) else 0

    return replace(column, room=room)


def _descending(value: Callable[[Row], float | None]) -> Rank:
    """Return the rank that puts the greatest value first and an unknown one last."""

    def rank(row: Row) -> tuple[bool, float]:
        found = value(row)
        return found is None, 0 if found is None else -found

    return rank


def traffic(head: str, octets: Callable[[VifSnapshot], int | None]) -> Column:
    """Return a column of bytes of all interfaces, shown in KiB."""

    def in_all(row: Row) -> int | None:
        return None if _nets(row) is None else total(map(octets, row.domain.vifs))

    return Column(head, 8, lambda row: whole(in_all(row), 1024), _descending(in_all))


def is_counted(vbd: VbdSnapshot) -> bool:
    """Return whether anything of a disk is known; xentop leaves one that it cannot read out."""
    counts = (vbd.read_requests, vbd.write_requests, vbd.out_of_requests)
    return any(count is not None for count in counts)


def disk_count(disks: Disks) -> Column:
    """Return the column of the number of disks."""
    return most_first("VBDS", 4, _number_of(disks))


def _number_of(disks: Disks) -> Number:
    return lambda row: len(disks(row.domain)) or (0 if row.host.is_known("vbd") else None)


def disk_total(
    head: str, width: int, counter: Callable[[VbdSnapshot], int | None], disks: Disks
) -> Column:
    """Return a column of a counter of all disks of which anything is counted."""
    number = _number_of(disks)

    def in_all(row: Row) -> int | None:
        if number(row) is None:
            return None
        found = disks(row.domain)
        counted = [vbd for vbd in found if is_counted(vbd)]
        return None if found and not counted else total(map(counter, counted))

    return most_first(head, width, in_all)


def _percent_of_host(row: Row, kib: int | None) -> str | None:
    host_kib = row.host.memory_kib
    return None if kib is None or not host_kib else f"{100 * kib / host_kib:.1f}"


def _maximum(row: Row) -> object | None:
    return "no limit" if row.domain.is_memory_unlimited else row.domain.maximum_kib


def _maximum_percent(row: Row) -> str | None:
    if row.domain.is_memory_unlimited:
        return "n/a"
    return _percent_of_host(row, row.domain.maximum_kib)


def _limit(row: Row) -> float | None:
    """Return the maximum memory: no limit counts as more than any limit."""
    return math.inf if row.domain.is_memory_unlimited else row.domain.maximum_kib


def _vcpus(row: Row) -> int | None:
    """Return the highest number plus 1, as xentop does; every domain has one."""
    return max((vcpu.vcpu + 1 for vcpu in row.domain.vcpus), default=None)


def _ssid(row: Row) -> int | None:
    """Return the security label; without a policy, as in the model's Xen 3, it is 0."""
    return 0 if row.host.boot is None else row.domain.ssid


def _nets(row: Row) -> int | None:
    return len(row.domain.vifs) or (0 if row.host.is_known("vif") else None)


def _named(row: Row) -> str:
    return safe(row.domain.name)


def _by_name(row: Row) -> str:
    return row.domain.name.lower()


NAME = Column("NAME", 10, _named, _by_name)
NAME_CUT = Column("NAME", 10, lambda row: cut(_named(row), 10), _by_name)
NAME_IN_FULL = Column("NAME", 10, _named, _by_name, room=lambda row: width(_named(row)))
LONGEST_NAME = 24
NAME_SHORTENED = Column(
    "NAME",
    10,
    lambda row: shortened(_named(row), LONGEST_NAME),
    _by_name,
    room=lambda row: min(LONGEST_NAME, width(_named(row))),
)
STATE = Column(
    "STATE",
    6,
    lambda row: state_letters(row.domain),
    lambda row: tuple(not flag for flag in state_flags(row.domain)),
)
CPU_SECONDS = Column(
    "CPU(sec)",
    10,
    lambda row: whole(row.domain.cpu_ns, 10**9),
    _descending(lambda row: row.domain.cpu_ns),
)
CPU_PERCENT = Column(
    "CPU(%)",
    6,
    lambda row: shown(row.busy_percent, ".1f"),
    _descending(lambda row: row.busy_percent),
)
MEMORY = (
    most_first("MEM(k)", 10, lambda row: row.domain.memory_kib),
    Column(
        "MEM(%)",
        6,
        lambda row: _percent_of_host(row, row.domain.memory_kib),
        _descending(lambda row: row.domain.memory_kib),
    ),
    Column("MAXMEM(k)", 10, _maximum, _descending(_limit)),
    Column("MAXMEM(%)", 9, _maximum_percent, _descending(_limit)),
)
VCPUS = most_first("VCPUS", 5, _vcpus)
NETS = most_first("NETS", 4, _nets)
TRANSMITTED = traffic("NETTX(k)", lambda vif: vif.transmit_bytes)
RECEIVED = traffic("NETRX(k)", lambda vif: vif.receive_bytes)
# From Xen 4 on xentop does not turn the interfaces of domain 0 round any more: it transmits what
# the guest receives. Source: xenstat_linux.c (4.17), xenstat_collect_networks.
DOM0_TRANSMITTED = traffic("NETTX(k)", lambda vif: vif.receive_bytes)
DOM0_RECEIVED = traffic("NETRX(k)", lambda vif: vif.transmit_bytes)
SSID = Column("SSID", 4, _ssid, lambda row: (_ssid(row) is None, _ssid(row) or 0))


def measured_percent(head: str, width: int, counter: Counter, *, is_runstate: bool) -> Column:
    """Return a column of time as percent of one pcpu; `-` until there is something to compare.

    One of runstates has `~` before it where the host estimates them from samples.
    """

    def show(row: Row) -> str | None:
        found = row.percent(counter)
        about = "~" if is_runstate and row.host.sources.get("runstates") == "sampled" else ""
        return None if found is None else f"{about}{found:.1f}"

    return Column(head, width, show, _descending(lambda row: row.percent(counter)))


USED_PERCENT = measured_percent("CPU(%)", 6, lambda domain: domain.cpu_ns, is_runstate=False)
STEAL_PERCENT = measured_percent("STEAL(%)", 8, waited_ns, is_runstate=True)
CAPPED_PERCENT = measured_percent("CAPPED(%)", 9, capped_ns, is_runstate=True)
