"""Holds the PromQL of every dashboard, by name.

YAML definitions name queries and never contain them, because grafana-dashboard-builder expands
braces in every string. Each query can be run alone after `Query.filled`.

Rates are per virtual second. At a speed other than 1, PromQL's own seconds are wall seconds, so
rates are divided by the rate of the model's time.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_HOST = 'host=~"$host"'
_DOMAIN = 'host=~"$host",domain=~"$domain"'
_RANGE = "[$__rate_interval]"
_SPEED = f"sum by (host) (rate(xenprof_model_time_seconds_total{{{_HOST}}}{_RANGE}))"


@dataclass(frozen=True, slots=True)
class Query:
    """An expression with Grafana's variables in it, and the legend of its series.

    `instant` asks for the present value only (tables and single figures).
    """

    expr: str
    legend: str = ""
    instant: bool = False

    def filled(self, variables: Mapping[str, str]) -> str:
        """Return the expression with every `$name` replaced, longest names first."""
        text = self.expr
        for name in sorted(variables, key=len, reverse=True):
            text = text.replace(f"${name}", variables[name])
        return text


def _rate(metric: str, by: str, labels: str = _DOMAIN) -> str:
    """Return the sum of a counter's rates per virtual second, by `by` (host is added)."""
    group = f"host, {by}" if by else "host"
    rate = f"sum by ({group}) (rate({metric}{{{labels}}}{_RANGE}))"
    return f"{rate} / on (host) group_left {_SPEED}"


def _share_of_pcpus(rate: str) -> str:
    """Return a rate in seconds per second as a share of all pcpus of its host."""
    return f"{rate} / on (host) group_left count by (host) (xen_pcpu_info{{{_HOST}}})"


def _new(metric: str, by: str, labels: str) -> str:
    """Return a query of a counter's growth in the last interval, without series that did not grow.

    It does not use `increase`, which ignores a series' first value: most crashes are the first.
    """
    series = f"{metric}{{{labels}}}"
    before = f"({series} offset $__rate_interval or 0 * {series})"
    return f"sum by (host, {by}) ({series} - {before}) > 0"


_WAIT_BUCKETS = (
    f"sum by (host, domain, le) (rate(xen_vcpu_wait_seconds_bucket{{{_DOMAIN}}}{_RANGE}))"
)
_BUSY = 'host=~"$host",mode!="idle"'
_RUNNABLE = f'{_DOMAIN},state="runnable"'
_RUNNING = f'{_DOMAIN},state="running"'
_CAPPED = f"xen_domain_sched_cap_ratio{{{_DOMAIN}}} > 0"
_DISK_REQUESTS = " + ".join(
    f"sum by (host, domain, vbd) (rate(xen_vbd_{way}_operations_total{{{_DOMAIN}}}{_RANGE}))"
    for way in ("read", "write")
)

VARIABLES: Mapping[str, str] = {
    "host": "label_values(xen_host_info, host)",
    "domain": f"label_values(xen_domain_info{{{_HOST}}}, domain)",
}
"""The series from which the dashboards' variables are chosen."""

# fmt: off
QUERIES: Mapping[str, Query] = {
    # Single figures.
    "up": Query(f"min(xenprof_up{{{_HOST}}})", "up", instant=True),
    "domains": Query(f"count(xen_domain_info{{{_HOST}}})", "domains", instant=True),
    "host_busy": Query(
        f"sum({_share_of_pcpus(_rate('xen_pcpu_seconds_total', '', _BUSY))}) / count({_SPEED})",
        "busy"),
    "host_memory_used": Query(
        f"1 - sum(xen_host_memory_free_bytes{{{_HOST}}}) / sum(xen_host_memory_bytes{{{_HOST}}})",
        "used", instant=True),
    "speed_now": Query(f"avg(xenprof_model_speed_ratio{{{_HOST}}})", "speed", instant=True),
    "samples_lost_share": Query(
        f"sum(rate(xenprof_samples_lost_total{{{_HOST}}}{_RANGE})) / "
        f"sum(rate(xen_xenoprof_samples_total{{{_HOST}}}{_RANGE})) >= 0 or vector(0)", "lost"),
    # Domains as a table and over time.
    "domain_table": Query(
        "sum by (host, domain, domid, kind, uuid) "
        f"(xen_domain_info{{{_DOMAIN}}})", instant=True),
    "domain_vcpus": Query(f"sum by (host, domain) (xen_domain_vcpus{{{_DOMAIN}}})", instant=True),
    "domain_online_vcpus": Query(
        f"sum by (host, domain) (xen_domain_vcpus_online{{{_DOMAIN}}})", instant=True),
    "domain_weight": Query(
        f"sum by (host, domain) (xen_domain_sched_weight{{{_DOMAIN}}})", instant=True),
    "domain_cap": Query(
        f"sum by (host, domain) (xen_domain_sched_cap_ratio{{{_DOMAIN}}})", instant=True),
    "domain_state_now": Query(
        f"sum by (host, domain, state) (xen_domain_state{{{_DOMAIN}}} == 1)", instant=True),
    "domain_uptime": Query(
        f"sum by (host, domain) (xen_host_time_seconds{{{_HOST}}} - on (host) group_right "
        f"xen_domain_start_time_seconds{{{_DOMAIN}}})", instant=True),
    "domain_restarts": Query(
        f"sum by (host, domain) (xen_domain_restarts_total{{{_DOMAIN}}})", instant=True),
    "domain_oom_kills": Query(
        f"sum by (host, domain) (xen_domain_oom_kills_total{{{_DOMAIN}}})", instant=True),
    "domain_memory_maximum": Query(
        f"sum by (host, domain) (xen_domain_memory_maximum_bytes{{{_DOMAIN}}})", instant=True),
    # Operations of the toolstack, and events of domains.
    "toolstack_events": Query(
        _new("xen_toolstack_events_total", "event", f'{_HOST},event!="crashed"'), "{{event}}"),
    "crashes": Query(
        _new("xen_toolstack_events_total", "event", f'{_HOST},event="crashed"'), "{{event}}"),
    "restarts": Query(
        _new("xen_domain_restarts_total", "domain", _DOMAIN), "{{domain}} restarted"),
    "oom_kills": Query(
        _new("xen_domain_oom_kills_total", "domain", _DOMAIN), "{{domain}} out of memory"),
    "vcpu_table": Query(
        f"sum by (host, domain, vcpu, cpus) (xen_vcpu_affinity_info{{{_DOMAIN}}})", instant=True),
    "vcpu_pcpu": Query(f"sum by (host, domain, vcpu) (xen_vcpu_pcpu{{{_DOMAIN}}})", instant=True),
    "vcpu_online": Query(
        f"sum by (host, domain, vcpu) (xen_vcpu_online{{{_DOMAIN}}})", instant=True),
    "vcpu_running": Query(
        _rate("xen_vcpu_state_seconds_total", "domain, vcpu", _RUNNING), instant=True),
    "vcpus_online": Query(f"xen_domain_vcpus_online{{{_DOMAIN}}}", "{{domain}}"),
    "cpu_of_capped": Query(
        f"{_rate('xen_domain_cpu_seconds_total', 'domain')} and on (host, domain) ({_CAPPED})",
        "{{domain}}"),
    "cap": Query(_CAPPED, "{{domain}} cap"),
    # Processors.
    "cpu_by_mode": Query(
        _share_of_pcpus(_rate("xen_pcpu_seconds_total", "mode", _BUSY)), "{{mode}}"),
    "cpu_by_domain": Query(_rate("xen_domain_cpu_seconds_total", "domain"), "{{domain}}"),
    "cpu_by_domain_and_mode": Query(
        _rate("xen_domain_cpu_mode_seconds_total", "domain, mode"), "{{domain}} {{mode}}"),
    "steal_by_domain": Query(
        _rate("xen_vcpu_state_seconds_total", "domain", _RUNNABLE), "{{domain}}"),
    "wait_p99_by_domain": Query(f"histogram_quantile(0.99, {_WAIT_BUCKETS})", "{{domain}}"),
    "domain0_by_beneficiary": Query(
        _rate("xen_domain_on_behalf_seconds_total", "on_behalf_of", _HOST), "{{on_behalf_of}}"),
    "credit_by_vcpu": Query(f"xen_vcpu_sched_credit{{{_DOMAIN}}}", "{{domain}}/{{vcpu}}"),
    # Memory.
    "memory_actual": Query(f"xen_domain_memory_actual_bytes{{{_DOMAIN}}}", "{{domain}}"),
    "memory_target": Query(f"xen_domain_memory_target_bytes{{{_DOMAIN}}}", "{{domain}} target"),
    "memory_demand": Query(f"xen_domain_memory_demand_bytes{{{_DOMAIN}}}", "{{domain}} demand"),
    "swap_used": Query(f"xen_domain_swap_used_bytes{{{_DOMAIN}}}", "{{domain}}"),
    "swap_in": Query(_rate("xen_domain_swap_in_pages_total", "domain"), "{{domain}} in"),
    "swap_out": Query(
        f"-1 * {_rate('xen_domain_swap_out_pages_total', 'domain')}", "{{domain}} out"),
    # Network, in bits; transmitted bits are drawn downwards.
    "network_receive": Query(
        f"8 * {_rate('xen_vif_receive_bytes_total', 'domain')}", "{{domain}} receive"),
    "network_transmit": Query(
        f"-8 * {_rate('xen_vif_transmit_bytes_total', 'domain')}", "{{domain}} transmit"),
    "network_ring_full": Query(_rate("xen_vif_ring_full_total", "domain"), "{{domain}} network"),
    "network_dropped": Query(_rate("xen_vif_receive_dropped_total", "domain"), "{{domain}} drops"),
    # Disk.
    "disk_read": Query(_rate("xen_vbd_read_bytes_total", "domain"), "{{domain}} read"),
    "disk_write": Query(f"-1 * {_rate('xen_vbd_write_bytes_total', 'domain')}", "{{domain}} write"),
    "disk_read_operations": Query(
        _rate("xen_vbd_read_operations_total", "domain"), "{{domain}} read"),
    "disk_write_operations": Query(
        f"-1 * {_rate('xen_vbd_write_operations_total', 'domain')}", "{{domain}} write"),
    "disk_ring_full": Query(_rate("xen_vbd_ring_full_total", "domain"), "{{domain}} disk"),
    "disk_busy": Query(_rate("xen_vbd_busy_seconds_total", "domain, vbd"), "{{domain}} {{vbd}}"),
    "disk_wait": Query(
        f"sum by (host, domain, vbd) (rate(xen_vbd_wait_seconds_total{{{_DOMAIN}}}{_RANGE})) / "
        f"({_DISK_REQUESTS})", "{{domain}} {{vbd}}"),
    # Profiling.
    "samples_by_mode": Query(_rate("xen_profile_samples_total", "mode"), "{{mode}}"),
    "samples_by_domain": Query(
        _rate("xen_profile_samples_total", "domain, event"), "{{domain}} {{event}}"),
    "samples_lost": Query(_rate("xenprof_samples_lost_total", "reason"), "{{reason}}"),
    "samples_by_outcome": Query(
        _rate("xen_xenoprof_samples_total", "outcome", _HOST), "{{outcome}}"),
    # The service itself.
    "speed": Query(f"rate(xenprof_model_time_seconds_total{{{_HOST}}}{_RANGE})", "speed"),
    "lag": Query(f"rate(xenprof_model_lag_seconds_total{{{_HOST}}}{_RANGE})", "lag"),
    "collector_duration": Query(
        f"xenprof_collector_duration_seconds{{{_HOST}}}", "{{collector}}"),
}
# fmt: on
