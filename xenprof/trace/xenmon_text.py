"""Formats xenmon's two outputs: rows of its log files, and the lines of its screen.

Source: tools/xenmon/xenmon.py (3.0.3).
"""

from collections.abc import Iterator, Mapping

from hypervisor.trace_events import IDLE_DOMAIN
from xenprof.trace.xenmon import Usage

LOG_HEADER = (
    "# passed(ms) cpu dom cpu(tot) cpu(%) cpu/ex allocated/ex blocked(tot) blocked(%) blocked/io "
    "waited(tot) waited(%) waited/ex ex/s io(tot) io/ex"
)
"""Totals are ns (pages) per second; `/ex` and `/io` are ns per execution and per page."""
LABELS = ("Gotten", "Allocated", "Blocked", "Waited", "Execution count", "I/O Count")


def log_row(pcpu: int, domid: int, usage: Usage) -> str:
    """Return the 16 columns of one domain on one pcpu over one interval."""
    values = (
        usage.per_second(usage.gotten_ns),
        usage.percent(usage.gotten_ns),
        usage.each(usage.gotten_ns),
        usage.each(usage.allocated_ns),
        usage.per_second(usage.blocked_ns),
        usage.percent(usage.blocked_ns),
        usage.each_io(usage.blocked_ns),
        usage.per_second(usage.waited_ns),
        usage.percent(usage.waited_ns),
        usage.each(usage.waited_ns),
        usage.per_second(usage.executions),
        usage.per_second(usage.ios),
        usage.each(usage.ios),
    )
    numbers = " ".join(f"{value:.3f}" for value in values)
    return f"{usage.passed_ns / 1e6:.3f} {pcpu} {domid} {numbers}"


def log_name(prefix: str, domid: int) -> str:
    """Return the name of a domain's log file."""
    return f"{prefix}-idle.log" if domid == IDLE_DOMAIN else f"{prefix}-dom{domid}.log"


def scaled(ns: float) -> str:
    """Return a time with a unit that suits it."""
    for unit, size in (("ns", 1.0), ("us", 1e3), ("ms", 1e6)):
        if ns < size * 1000:
            return f"{ns / size:.2f} {unit}"
    return f"{ns / 1e9:.2f} s"


def screen(
    pcpu: int,
    ten: Mapping[tuple[int, int], Usage],
    one: Mapping[tuple[int, int], Usage],
    labels: tuple[str, ...] = LABELS,
) -> Iterator[str]:
    """Return the lines for one pcpu: each domain's last ten seconds and last second."""
    domains = sorted({domid for place, domid in [*ten, *one] if place == pcpu})
    blank = Usage(0)
    yield f"CPU = {pcpu}"
    yield f"{'':5} {'Last 10 seconds':^36} {'Last 1 second':^36}"
    for domid in domains:
        name = "Idle" if domid == IDLE_DOMAIN else str(domid)
        halves = [_cells(source.get((pcpu, domid), blank)) for source in (ten, one)]
        for label in labels:
            if domid == IDLE_DOMAIN and label != "Gotten":
                continue
            row = " ".join(half[label] for half in halves)
            yield f"{name:>5} {row} {label}"
        yield "-" * 96
    for half, source in (("10 s", ten), ("1 s", one)):
        idle = source.get((pcpu, IDLE_DOMAIN))
        if idle is not None:
            yield f"Gotten without idle, last {half}: {100 - idle.percent(idle.gotten_ns):.2f} %"


def _cells(usage: Usage) -> dict[str, str]:
    def times(ns: int, each: float, per: str) -> str:
        percent = f"{usage.percent(ns):.2f}%"
        return f"{scaled(usage.per_second(ns)):>12} {percent:>8} {scaled(each) + per:>15}"

    blocked_each = usage.each_io(usage.blocked_ns)
    return {
        "Gotten": times(usage.gotten_ns, usage.each(usage.gotten_ns), "/ex"),
        "Allocated": f"{'':12} {'':8} {scaled(usage.each(usage.allocated_ns)) + '/ex':>15}",
        "Blocked": times(usage.blocked_ns, blocked_each, "/io"),
        "Waited": times(usage.waited_ns, usage.each(usage.waited_ns), "/ex"),
        "Execution count": f"{_count(usage.per_second(usage.executions)) + '/s':>12} {'':24}",
        "I/O Count": f"{_count(usage.per_second(usage.ios)) + '/s':>12} {'':8} "
        f"{usage.each(usage.ios):>12.2f}/ex",
    }


def _count(value: float) -> str:
    return f"{value:.0f}"
