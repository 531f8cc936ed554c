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
from exporters.lives import last_lives, names, profiled
from exporters.metric import NS_PER_SECOND, Kind, Labels, Metric, Point, Value
from exporters.scopes import HOST, of
from hypervisor.telemetry import HostSnapshot, Mode
from hypervisor.telemetry.losses import LOSS_STAGES
from xenprof.service.exporter import ServiceStats

COUNTER, STATESET = Kind.COUNTER, Kind.STATESET

PROFILER_STATES = ("idle", "reserved", "ready", "profiling")
MODES = tuple(mode.name.lower() for mode in Mode)
STAGES = ("interrupt", "driver", "daemon")
OUTCOMES = ("active", "passive", "others", "lost", "invalid", "corrupted")


def samples(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by domain, mode and event, those of the session that counts now from 0 on."""
    living = names(host)
    found: dict[Labels, Value] = {}
    for name, event in _counting(host):
        found |= {(name, mode, event): 0 for mode in MODES}
    for row in host.samples:
        if name := living.get(row.life, ""):
            for mode in MODES:
                found.setdefault((name, mode, row.event), 0)
            found[name, row.mode.name.lower(), row.event] = row.samples
    yield from found.items()


def counted(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by domain, mode, event and what the event measures, as `samples` does.

    What an event measures is known from its first samples on, of any domain.
    """
    living = names(host)
    known = {row.event: row.measures or "other" for row in host.samples if row.counted is not None}
    found: dict[Labels, Value] = {}
    for name, event in _counting(host):
        if event in known:
            found |= {(name, mode, event, known[event]): 0 for mode in MODES}
    for row in host.samples:
        name = living.get(row.life, "")
        if name and row.counted is not None:
            measures = row.measures or "other"
            for mode in MODES:
                found.setdefault((name, mode, row.event, measures), 0)
            found[name, row.mode.name.lower(), row.event, measures] = row.counted
    yield from found.items()


def _counting(host: HostSnapshot) -> Iterator[tuple[str, str]]:
    """Yield the domains that the present session profiles, each with each of its events."""
    session = host.profiling
    if session is not None:
        numbers = {*session.active_domains, *session.passive_domains}
        for (domid, _), name in names(host).items():
            for setting in session.events if domid in numbers else ():
                yield name, setting.partition(":")[0]


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
    """Yield points by domain and stage, those of a profiled domain from 0 on."""
    living = names(host)
    found: dict[Labels, Value] = {
        (name, stage): 0 for name in profiled(host).values() for stage in STAGES
    }
    for row in host.overhead:
        if name := living.get(row.life, ""):
            found[name, row.stage] = row.spent_ns / NS_PER_SECOND
    yield from found.items()


def lost(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by domain, stage and reason, those of a domain that is profiled from 0 on."""
    # Also for destroyed domains, whose losses must not vanish from the balance, but one series
    # has the losses of one life: those of the last that had the name.
    lives = last_lives(host)
    rows = [row for row in host.lost if lives[row.domain] == row.life]
    domains = dict.fromkeys((*profiled(host).values(), *(row.domain for row in rows)))
    found: dict[Labels, Value] = {
        (name, stage, reason): 0 for name in domains for reason, stage in LOSS_STAGES.items()
    }
    for row in rows:
        found[row.domain, row.stage, row.reason] = row.samples
    yield from found.items()


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
           "driver, daemon, store) and reason; goes on when the domain is destroyed, until another "
           "has its name.", (DOMAIN, LOSS_STAGE, REASON), lost),
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
