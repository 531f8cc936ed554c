"""Metrics of profiling: samples, what they stand for, what was lost, and what it all costs.

A series has the samples of one life of a domain: that which has the name now.
"""

from collections.abc import Iterator

from exporters.labels import (
    DOMAIN,
    EVENT,
    IMAGE,
    LOSS_STAGE,
    MEASURES,
    OUTCOME,
    OVERHEAD_STAGE,
    PROFILER_STATE,
    REASON,
    SAMPLE_MODE,
    SYMBOL,
)
from exporters.lives import last_lives, names
from exporters.metric import NS_PER_SECOND, Kind, Metric, Point
from exporters.scopes import HOST, of
from hypervisor.telemetry import HostSnapshot
from xenprof.service.exporter import ServiceStats

COUNTER, STATESET = Kind.COUNTER, Kind.STATESET

PROFILER_STATES = ("idle", "reserved", "ready", "profiling")
OUTCOMES = ("active", "passive", "others", "lost", "invalid", "corrupted")


def samples(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by domain, mode and event."""
    living = names(host)
    for row in host.samples:
        if name := living.get(row.life):
            yield (name, row.mode.name.lower(), row.event), row.samples


def counted(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by domain, mode, event and what the event measures."""
    living = names(host)
    for row in host.samples:
        name = living.get(row.life)
        if name and row.counted is not None:
            mode = row.mode.name.lower()
            yield (name, mode, row.event, row.measures or "other"), row.counted


def by_image(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by domain, mode, image and event."""
    living = names(host)
    for row in host.image_samples:
        if name := living.get(row.life):
            yield (name, row.mode.name.lower(), row.image, row.event), row.samples


def by_symbol(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by domain, image, symbol and event."""
    living = names(host)
    for row in host.symbol_samples:
        if name := living.get(row.life):
            yield (name, row.image, row.symbol, row.event), row.samples


def overhead(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by domain and stage."""
    living = names(host)
    for row in host.overhead:
        if name := living.get(row.life):
            yield (name, row.stage), row.spent_ns / NS_PER_SECOND


def lost(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by domain, stage and reason."""
    # Also for destroyed domains, whose losses must not vanish from the balance, but one series
    # has the losses of one life: those of the last that had the name.
    lives = last_lives(host)
    for row in host.lost:
        if lives[row.domain] == row.life:
            yield (row.domain, row.stage, row.reason), row.samples


def outcomes(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by outcome."""
    if host.xenoprof is not None:
        for outcome in OUTCOMES:
            yield (outcome,), getattr(host.xenoprof, outcome)


def profiler_state(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by state."""
    if host.xenoprof is not None:
        for state in PROFILER_STATES:
            yield (state,), int(host.xenoprof.state == state)


def _idle_samples(host: HostSnapshot) -> int | None:
    return None if host.xenoprof is None else host.xenoprof.idle


# fmt: off
PROFILING: tuple[Metric, ...] = (
    Metric("xen_profile_samples_total", "xen.profile.samples", COUNTER, "{sample}",
           "Profile samples of the domain, by where the processor was and the event that was "
           "counted.", (DOMAIN, SAMPLE_MODE, EVENT), samples),
    Metric("xen_profile_events_total", "xen.profile.events", COUNTER, "{event}",
           "Events that the samples stand for: each for as many as its session's count. measures "
           "is what the event counts: cycles, instructions, cache_misses or other.",
           (DOMAIN, SAMPLE_MODE, EVENT, MEASURES), counted),
    Metric("xen_profile_image_samples_total", "xen.profile.image_samples", COUNTER, "{sample}",
           "Profile samples of the domain that were stored, by the image in which they were taken.",
           (DOMAIN, SAMPLE_MODE, IMAGE, EVENT), by_image),
    Metric("xen_profile_symbol_samples_total", "xen.profile.symbol_samples", COUNTER, "{sample}",
           "Profile samples of the functions that have most of them; off by default.",
           (DOMAIN, IMAGE, SYMBOL, EVENT), by_symbol),
    Metric("xen_profile_overhead_seconds_total", "xen.profile.overhead", COUNTER, "s",
           "Time that profiling has cost the domain: in the hypervisor's interrupt, in its driver "
           "and in its daemon.", (DOMAIN, OVERHEAD_STAGE), overhead),
    Metric("xenprof_samples_lost_total", "xenprof.samples.lost", COUNTER, "{sample}",
           "Profile samples of the domain that were taken but not stored, by stage (hypervisor, "
           "driver, daemon, store, import) and reason; goes on when the domain is destroyed, until "
           "another has its name.", (DOMAIN, LOSS_STAGE, REASON), lost),
    Metric("xen_xenoprof_samples_total", "xen.xenoprof.samples", COUNTER, "{sample}",
           "Samples by what Xenoprof in the hypervisor did with them; the sum is all it took.",
           (OUTCOME,), outcomes),
    Metric("xen_xenoprof_idle_samples_total", "xen.xenoprof.idle_samples", COUNTER, "{sample}",
           "Samples that Xenoprof saw while a processor was idle.", (),
           of(HOST, _idle_samples)),
    Metric("xen_xenoprof_state", "xen.xenoprof.state", STATESET, "1",
           "1 for the state that Xenoprof in the hypervisor is in.", (PROFILER_STATE,),
           profiler_state),
)
# fmt: on
