"""Prints a summary: times of each vcpu by runstate, then the counts."""

from collections.abc import Iterator

from hypervisor.trace_events import IDLE_DOMAIN
from xenprof.trace.states import LOST, OFFLINE, RUNNABLE, STATE_NAMES
from xenprof.trace.summary import TraceSummary, VcpuSummary


def lines(summary: TraceSummary) -> Iterator[str]:
    """Return the lines. Times run from a vcpu's first record to the last record of the trace."""
    span = summary.seconds(summary.last_tsc - summary.first_tsc)
    yield f"Format: {summary.format}"
    yield f"Total time: {span:.2f} seconds (using cpu speed {summary.mhz / 1000:.2f} GHz)"
    each = ", ".join(f"cpu {pcpu}: {count}" for pcpu, count in summary.by_pcpu.items())
    yield f"Records: {summary.records} ({each}), lost: {summary.lost_records}"
    if summary.skipped_bytes:
        yield f"Damaged: skipped {summary.skipped_bytes} bytes"
    domains = sorted({vcpu.domain for vcpu in summary.vcpus} | set(summary.domains))
    for domid in domains:
        mine = [vcpu for vcpu in summary.vcpus if vcpu.domain == domid]
        yield f"|-- Domain {domid}{' (idle)' if domid == IDLE_DOMAIN else ''} --|"
        yield from _totals(summary, domid, mine)
        for vcpu in mine:
            yield from _vcpu(summary, vcpu)


def _totals(summary: TraceSummary, domid: int, vcpus: list[VcpuSummary]) -> Iterator[str]:
    times = [
        sum(vcpu.cycles[state] + vcpu.open_cycles[state] for vcpu in vcpus)
        for state in range(len(STATE_NAMES))
    ]
    shown = "  ".join(
        f"{name} {summary.seconds(cycles):.3f}s"
        for name, cycles in zip(STATE_NAMES, times, strict=True)
        if cycles
    )
    if shown:
        yield f"  all vcpus: {shown}"
    counts = summary.domains.get(domid, {})
    if counts:
        yield "  " + "  ".join(f"{_words(name)} {number}" for name, number in counts.items())


def _vcpu(summary: TraceSummary, vcpu: VcpuSummary) -> Iterator[str]:
    yield f"-- v{vcpu.vcpu} --"
    for state, name in enumerate(STATE_NAMES):
        cycles = vcpu.cycles[state] + vcpu.open_cycles[state]
        number = vcpu.intervals[state]
        if not cycles and not number and state in (OFFLINE, LOST):
            continue
        mean_us = summary.seconds(vcpu.cycles[state]) / number * 1e6 if number else 0.0
        more = ""
        if state == RUNNABLE:
            more = f"  ({vcpu.woken} by wake, {vcpu.preempted} by losing the cpu)"
        spent = f"{number:7d} {summary.seconds(cycles):9.3f}s  mean {mean_us:11.1f}us"
        yield f"  {name:>8}: {spent}{more}"
    counts = "  ".join(f"{_words(name)} {number}" for name, number in sorted(vcpu.counts.items()))
    if counts:
        yield f"  {counts}"


def _words(name: str) -> str:
    return name.replace("_", " ")
