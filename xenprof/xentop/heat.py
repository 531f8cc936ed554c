"""Shows how busy each pcpu is by one digit, so that a thousand of them fit on a screen.

A digit is for tenths of the time between two looks: 0 for less than 10 %, 9 for 90 % and more.
"""

from collections.abc import Collection, Iterator
from itertools import groupby

from hypervisor.telemetry import HostSnapshot, PcpuSnapshot
from hypervisor.telemetry.unknown import UNKNOWN
from xenprof.xentop.span import Span
from xenprof.xentop.table import Kind, Line

_GROUP = 8  # pcpus without a blank between them
_MOST_OF_A_LINE = 64
_LABEL = 14  # characters: "socket 3  1016"
_FULL_PERCENT = 90


def busy_percents(span: Span) -> dict[int, float | None]:
    """Return for each pcpu how much of the time it was not idle; None if that is unknown."""
    earlier = {one.pcpu: one.idle_ns for one in span.before.pcpus} if span.before else {}
    return {
        one.pcpu: _busy_percent(one.idle_ns, earlier.get(one.pcpu), span.elapsed_ns)
        for one in span.now.pcpus
    }


def _busy_percent(idle_ns: int | None, before_ns: int | None, elapsed_ns: int) -> float | None:
    if idle_ns is None or before_ns is None or not elapsed_ns:
        return None
    return min(100.0, max(0.0, 100 - 100 * (idle_ns - before_ns) / elapsed_ns))


def heatmap(span: Span, cells: int) -> Iterator[Line]:
    """Yield the lines of the map, at most `cells` wide: a new one for each socket."""
    percents = busy_percents(span)
    yield Line(Kind.HEAD, (_head(percents.values()),))
    of_a_line = min(_MOST_OF_A_LINE, max(1, (cells - _LABEL) // (_GROUP + 1)) * _GROUP)
    for socket, found in groupby(_in_order(span.now), key=lambda one: one.socket):
        pcpus = list(found)
        for start in range(0, len(pcpus), of_a_line):
            place = "" if socket is None or start else f"socket {socket}"
            row = [_digit(percents[one.pcpu]) for one in pcpus[start : start + of_a_line]]
            groups = ("".join(row[n : n + _GROUP]) for n in range(0, len(row), _GROUP))
            yield Line(Kind.HEAT, (f"{place:<10}{pcpus[start].pcpu:>4}", *groups))


def _in_order(host: HostSnapshot) -> list[PcpuSnapshot]:
    return sorted(host.pcpus, key=lambda one: (-1 if one.socket is None else one.socket, one.pcpu))


def _digit(percent: float | None) -> str:
    return UNKNOWN if percent is None else str(min(9, int(percent // 10)))


def _head(percents: Collection[float | None]) -> str:
    known = [percent for percent in percents if percent is not None]
    begin = f"{len(percents)} pcpus"
    if not known:
        return f"{begin}, how busy they are is not known yet"
    full = sum(percent >= _FULL_PERCENT for percent in known)
    average = sum(known) / len(known)
    return f"{begin}, busy {average:.1f} % on average; {full} at {_FULL_PERCENT} % or more"
