"""Queries on xenprof itself: its clock, its collectors, whom it answers and what it pushes.

Rates are per wall second here, because the service lives in it.
"""

from collections.abc import Mapping

from dashboards.promql import HOST, RANGE, Query, now, table, total


def _rate(metric: str, by: str, labels: str = HOST) -> str:
    group = f"host, {by}" if by else "host"
    return f"sum by ({group}) (rate({metric}{{{labels}}}{RANGE}))"


# fmt: off
QUERIES: Mapping[str, Query] = {
    "service_up": now(Query(total("xenprof_up", "", HOST), "{{host}}")),
    "service_since": now(Query(
        f"1000 * {total('xenprof_start_time_seconds', '', HOST)}", "{{host}}")),
    "service_table": table(total("xenprof_build_info", "version, python, engine", HOST)),
    "damaged_files": now(Query(total("xenprof_damaged_files_total", "", HOST), "{{host}}")),
    "speed": Query(f"rate(xenprof_model_time_seconds_total{{{HOST}}}{RANGE})", "{{host}} speed"),
    "lag": Query(f"rate(xenprof_model_lag_seconds_total{{{HOST}}}{RANGE})", "{{host}} lag"),
    # Collectors and answers.
    "collector_success": Query(
        f"min by (host, collector) (xenprof_collector_success{{{HOST}}})", "{{collector}}"),
    "collector_duration": Query(
        f"xenprof_collector_duration_seconds{{{HOST}}}", "{{collector}}"),
    "scrapes": Query(_rate("xenprof_scrapes_total", "format"), "{{format}}"),
    "scrape_timeouts": Query(_rate("xenprof_scrape_timeouts_total", ""), "too late"),
    "scrape_bytes": Query(_rate("xenprof_scrape_bytes_total", "encoding"), "{{encoding}}"),
    "render_duration": Query(f"xenprof_render_duration_seconds{{{HOST}}}", "{{format}}"),
    "http_requests": Query(_rate("xenprof_http_requests_total", "code"), "{{code}}"),
    "authentication_failures": Query(
        _rate("xenprof_authentication_failures_total", ""), "{{host}}"),
    # Pushes.
    "push_sent": Query(_rate("xenprof_push_sent_total", "signal"), "{{signal}} sent"),
    "push_failures": Query(_rate("xenprof_push_failures_total", "signal"), "{{signal}} failures"),
    "push_dropped": Query(
        _rate("xenprof_push_dropped_total", "signal, reason"), "{{signal}} dropped: {{reason}}"),
    # The process.
    "process_cpu": Query(_rate("process_cpu_seconds_total", ""), "{{host}}"),
    "process_resident": Query(
        f"process_resident_memory_bytes{{{HOST}}}", "{{host}} resident"),
    "process_virtual": Query(f"process_virtual_memory_bytes{{{HOST}}}", "{{host}} virtual"),
    "process_fds": Query(f"process_open_fds{{{HOST}}}", "{{host}} open"),
    "process_max_fds": Query(f"process_max_fds{{{HOST}}}", "{{host}} limit"),
    "process_since": now(Query(
        f"1000 * {total('process_start_time_seconds', '', HOST)}", "{{host}}")),
    "collections": Query(
        _rate("python_gc_collections_total", "generation"), "generation {{generation}}"),
}
# fmt: on
