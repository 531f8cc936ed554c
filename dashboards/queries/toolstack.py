"""Queries on the toolstack: what it did, how long that took, what ended badly."""

from collections.abc import Mapping

from dashboards.promql import DOMAIN, HOST, Query, heat, new, now, quantile, rate, table, total

_DURATIONS = "xen_toolstack_operation_seconds"
_FAILED = f'{HOST},result="failed"'
_COUNTS = f"{total(f'{_DURATIONS}_count', 'operation, result', HOST)} > 0"

# fmt: off
QUERIES: Mapping[str, Query] = {
    "toolstack_events": Query(
        new("xen_toolstack_events_total", "event", f'{HOST},event!="crashed"'), "{{event}}"),
    "crashes": Query(
        new("xen_toolstack_events_total", "event", f'{HOST},event="crashed"'), "{{event}}"),
    "restarts": Query(
        new("xen_domain_restarts_total", "domain", DOMAIN), "{{domain}} restarted"),
    "oom_kills": Query(
        new("xen_domain_oom_kills_total", "domain", DOMAIN), "{{domain}} out of memory"),
    "operations": Query(
        f"{rate(f'{_DURATIONS}_count', 'operation, result', HOST)} and {_COUNTS}",
        "{{operation}} {{result}}"),
    "operations_failed": now(Query(
        f"{total(f'{_DURATIONS}_count', '', _FAILED)} "
        f"or 0 * {total('xen_host_up', '', HOST)}", "{{host}} failed")),
    "operation_table": table(_COUNTS),
    "operation_mean": table(
        f"{total(f'{_DURATIONS}_sum', 'operation, result', HOST)} / "
        f"({_COUNTS})"),
    "operation_heat": heat(_DURATIONS, HOST),
    "operation_p95": Query(
        quantile(0.95, _DURATIONS, "operation", HOST), "{{operation}}", trace=True),
    "event_table": table(total("xen_toolstack_events_total", "event", HOST)),
}
# fmt: on
