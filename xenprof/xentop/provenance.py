"""The panel of data sources: where each kind of data comes from, and what is unknown and why."""

from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Final

from hypervisor.telemetry import HostSnapshot
from hypervisor.telemetry.sources import DATA_KINDS
from hypervisor.telemetry.unknown import UNKNOWN, shown
from xenprof.xentop.forms import XENPROF
from xenprof.xentop.names import safe, shortened
from xenprof.xentop.span import Span
from xenprof.xentop.table import Kind, Line

_NARROWEST = 20  # columns for the text, however narrow the screen
_BEFORE = 26
_SOURCE_CELLS = 9

SOURCES: Final[Mapping[str, str]] = {
    "model": "measured in the simulated host",
    "hypercall": "asked of the hypervisor",
    "trace": "added up from trace records: exact while a trace runs",
    "sampled": "estimated from samples, shown with ~",
    "xenstore": "read in xenstore",
    "sysfs": "read in domain 0's files",
}
"""What each source stands for."""
REASONS: Final[Mapping[str, str]] = {
    "vcpu_time": "no answer to getdomaininfo and getvcpuinfo",
    "runstates": "a stock Xen tells only running times: sample the vcpus' flags, or trace",
    "waits": "only a trace tells single waits",
    "scheduler": "a real Xen tells weight and cap, if its scheduler has them; no credits",
    "memory": "no answer to getdomaininfo and physinfo",
    "balloon": "only a guest's own driver knows why it is not at its target",
    "vif": "no counters of vif interfaces are found in domain 0",
    "vbd": "no counters of blkback are found in domain 0; qdisk tells QEMU alone",
    "guest_kernel": "what a guest counts of itself is seen inside it alone",
    "nic": "not read in domain 0",
    "disk": "not read in domain 0",
    "bridge": "not read in domain 0",
    "hypercalls": "Xen counts them only if it was built with performance counters",
    "event_channels": "not read on this host",
    "grants": "not read on this host",
    "toolstack": "this host is watched, not managed",
    "profile": "no profiler on this host",
    "trace": "only a service that records the trace buffers itself counts their records",
}
"""Why a host may not know a kind of data."""


def provenance(span: Span, cells: int) -> Iterator[Line]:
    """Yield the lines of the panel, wrapped at `cells`."""
    now = span.now
    yield Line(Kind.HEAD, (f"{'DATA':<15} {'FROM':<9} WHAT THAT IS, OR WHY IT IS UNKNOWN",))
    for kind in DATA_KINDS:
        source, text = _told(now, kind)
        yield from _wrapped(f"{kind:<15} {source:<{_SOURCE_CELLS}} ", text, cells)
    yield Line(Kind.DETAIL, ("",))
    found = list(_unknown_columns(span))
    text = ", ".join(found) if found else "none"
    yield from _wrapped(f"{'COLUMNS WITH -':<25} ", text, cells)


def _told(host: HostSnapshot, kind: str) -> tuple[str, str]:
    if not host.sources:
        return "?", "this host does not say where its data come from"
    source = host.sources.get(kind)
    if source is None:
        return UNKNOWN, f"unknown: {REASONS[kind]}"
    return shortened(safe(source), _SOURCE_CELLS), SOURCES.get(source, "")  # a recording's own text


def _unknown_columns(span: Span) -> Iterator[str]:
    """Yield the columns with unknown values, and of how many domains they are unknown."""
    rows = list(span.rows())
    for column in XENPROF.columns:
        unknown = sum(shown(column.show(row)) == UNKNOWN for row in rows)
        if unknown:
            yield f"{column.head} {unknown} of {len(rows)}"


def _wrapped(begin: str, text: str, cells: int) -> Iterator[Line]:
    lines = wrap(text, max(_NARROWEST, cells - _BEFORE)) or [""]
    for number, line in enumerate(lines):
        yield Line(Kind.DETAIL, ((begin if number == 0 else " " * _BEFORE) + line,))
