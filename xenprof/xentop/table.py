"""Makes xentop's table from snapshots: the head, a line for each domain, the lines below it.

Source: xentop.c (3.0.3), do_summary and top. It is only text: `xm top -b` prints it, `screen`
adds style.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from hypervisor.telemetry import DomainSnapshot, HostSnapshot
from hypervisor.telemetry.unknown import UNKNOWN, minus, shown, total
from xenprof.xentop.columns import STATES, state_flags
from xenprof.xentop.forms import Form
from xenprof.xentop.names import right
from xenprof.xentop.span import Span
from xenprof.xentop.view import View

_STATES_COUNTED = ("running", "blocked", "paused", "shutdown", "crashed", "dying")
_STATES_SHOWN = ("running", "blocked", "paused", "crashed", "dying", "shutdown")


class Kind(Enum):
    """The kind of a line of the table."""

    HEAD = "head"
    DOMAIN = "domain"
    DETAIL = "detail"
    HEAT = "heat"  # its cells are digits from 0 to 9, for what is the more the hotter


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table, cell by cell; a detail line is one cell."""

    kind: Kind
    cells: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return the line as it is printed."""
        return " ".join(self.cells)


def head(form: Form) -> Line:
    """Return the heads of the columns."""
    return Line(Kind.HEAD, tuple(f"{column.head:>{column.width}}" for column in form.columns))


def summary(now: HostSnapshot, title: str = "xentop") -> tuple[str, str, str]:
    """Return the three lines above the table; the time is the host's, in UTC."""
    time = datetime.fromtimestamp(now.unix_ns // 10**9, UTC)
    found = [_states(domain) for domain in now.domains]
    states = ", ".join(
        f"{shown(total(states[name] for states in found))} {name}" for name in _STATES_SHOWN
    )
    used_kib = minus(now.memory_kib, now.free_kib)
    return (
        f"{title} - {time:%H:%M:%S}   Xen {shown(now.xen_version)}",
        f"{len(now.domains)} domains: {states} ",
        f"Mem: {_kib(now.memory_kib)} total, {_kib(used_kib)} used, {_kib(now.free_kib)} free    "
        f"CPUs: {shown(_pcpus(now))} @ {shown(now.mhz)}MHz",
    )


def _states(domain: DomainSnapshot) -> dict[str, int | None]:
    """Return 1 for the state in which a domain is counted, 0 for others, None for unknown ones.

    A domain that waits for a pcpu is in no state.
    """
    flags = dict(zip(STATES, state_flags(domain), strict=True))
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


def table(span: Span, view: View, form: Form) -> Iterator[Line]:
    """Yield the lines of one iteration; equal ranks are ordered by name."""
    rows = list(span.rows())
    form = form.fitted(rows)
    rows.sort(key=form.columns[0].rank)
    rows.sort(key=form.columns[view.sort].rank)
    for position, row in enumerate(rows):
        if position == 0 or view.repeats_head:
            yield head(form)
        cells = tuple(right(shown(column.show(row)), column.width) for column in form.columns)
        yield Line(Kind.DOMAIN, cells)
        for text in form.details(row.domain, view):
            yield Line(Kind.DETAIL, (text,))
