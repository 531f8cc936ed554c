"""Queries on profiling: samples, losses, what it costs, and where the samples are."""

from collections.abc import Mapping

from dashboards.promql import (
    DOMAIN,
    HOST,
    RANGE,
    Query,
    in_one_session,
    now,
    rate,
    state,
    table,
    top,
    total,
)
from dashboards.states import PROFILER

_EVENTS = f'xen_profile_events_total{{{DOMAIN},measures="%s"}}{RANGE}'

# fmt: off
QUERIES: Mapping[str, Query] = {
    "profiler_state": Query(
        state("xen_xenoprof_state", "", "state", tuple(PROFILER), HOST), "{{host}}"),
    "samples_lost_share": Query(
        f"sum(rate(xenprof_samples_lost_total{{{HOST}}}{RANGE})) / "
        f"sum(rate(xen_xenoprof_samples_total{{{HOST}}}{RANGE})) >= 0 or vector(0)", "lost"),
    "samples_by_mode": Query(rate("xen_profile_samples_total", "mode"), "{{mode}}"),
    "samples_by_domain": Query(
        rate("xen_profile_samples_total", "domain, event"), "{{domain}} {{event}}"),
    "samples_by_outcome": Query(
        rate("xen_xenoprof_samples_total", "outcome", HOST), "{{outcome}}"),
    "idle_samples": Query(rate("xen_xenoprof_idle_samples_total", "", HOST), "idle"),
    "samples_lost": Query(
        rate("xenprof_samples_lost_total", "stage, reason"), "{{stage}}: {{reason}}"),
    "samples_lost_by_domain": Query(
        rate("xenprof_samples_lost_total", "domain"), "{{domain}}"),
    "overhead": Query(
        rate("xen_profile_overhead_seconds_total", "domain, stage"), "{{domain}} {{stage}}"),
    # What the samples say.
    "hot_images": table(top(
        rate("xen_profile_image_samples_total", "domain, mode, image, event"))),
    "hot_functions": table(top(
        rate("xen_profile_symbol_samples_total", "domain, image, symbol, event"))),
    "images_over_time": Query(
        top(rate("xen_profile_image_samples_total", "domain, image")), "{{domain}} {{image}}"),
    "events": Query(
        rate("xen_profile_events_total", "domain, measures"), "{{domain}} {{measures}}"),
    "cycles_per_instruction": Query(
        in_one_session(_EVENTS, "cycles", "instructions"), "{{domain}}"),
    "misses_per_kilo_instruction": Query(
        f"1000 * {in_one_session(_EVENTS, 'cache_misses', 'instructions')}", "{{domain}}"),
    # The history of samples on the disk, and who gets it.
    "history_slices": now(Query(total("xenprof_history_slices", "", HOST), "{{host}} slices")),
    "history_bytes": now(Query(total("xenprof_history_bytes", "", HOST), "{{host}}")),
    "history_dropped": now(Query(
        total("xenprof_history_dropped_slices_total", "", HOST), "{{host}} dropped")),
    "pushed_slices": Query(
        rate("xenprof_push_slices_total", "receiver, result", HOST), "{{receiver}} {{result}}"),
}
# fmt: on
