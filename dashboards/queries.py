"""The PromQL of every dashboard, by name.

YAML definitions name a query, they never contain one: grafana-dashboard-builder expands braces
in every string. Each query runs by itself after `Query.filled`.

Rates are per virtual second: at a speed other than 1, PromQL's own seconds are those of the
wall, so they are divided by the rate of the model's time.
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
        """Return the expression with `$name` replaced, longest names first."""
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


_WAIT_BUCKETS = (
    f"sum by (host, domain, le) (rate(xen_vcpu_wait_seconds_bucket{{{_DOMAIN}}}{_RANGE}))"
)
_BUSY = 'host=~"$host",mode!="idle"'
_RUNNABLE = f'{_DOMAIN},state="runnable"'

VARIABLES: Mapping[str, str] = {
    "host": "label_values(xen_host_info, host)",
    "domain": f"label_values(xen_domain_info{{{_HOST}}}, domain)",
}
"""The series that the dashboards' variables choose from."""

# fmt: off
QUERIES: Mapping[str, Query] = {
    # One figure each.
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
    # Domains as a table and through time.
    "domain_table": Query(
        "sum by (host, domain, domid, kind, uuid) "
        f"(xen_domain_info{{{_DOMAIN}}})", instant=True),
    "domain_vcpus": Query(f"sum by (host, domain) (xen_domain_vcpus{{{_DOMAIN}}})", instant=True),
    "domain_online_vcpus": Query(
        f"sum by (host, domain) (xen_vcpu_online{{{_DOMAIN}}})", instant=True),
    "domain_weight": Query(
        f"sum by (host, domain) (xen_domain_sched_weight{{{_DOMAIN}}})", instant=True),
    "domain_cap": Query(
        f"sum by (host, domain) (xen_domain_sched_cap_ratio{{{_DOMAIN}}})", instant=True),
    "domain_state_now": Query(
        f"sum by (host, domain, state) (xen_domain_state{{{_DOMAIN}}} == 1)", instant=True),
    # Processors.
    "cpu_by_mode": Query(
        _share_of_pcpus(_rate("xen_pcpu_seconds_total", "mode", _BUSY)), "{{mode}}"),
    "cpu_by_domain": Query(_rate("xen_domain_cpu_seconds_total", "domain"), "{{domain}}"),
    "steal_by_domain": Query(
        _rate("xen_vcpu_state_seconds_total", "domain", _RUNNABLE), "{{domain}}"),
    "wait_p99_by_domain": Query(f"histogram_quantile(0.99, {_WAIT_BUCKETS})", "{{domain}}"),
    "domain0_by_beneficiary": Query(
        _rate("xen_domain_on_behalf_seconds_total", "on_behalf_of", _HOST), "{{on_behalf_of}}"),
    "credit_by_vcpu": Query(f"xen_vcpu_sched_credit{{{_DOMAIN}}}", "{{domain}}/{{vcpu}}"),
    # Memory.
    "memory_actual": Query(f"xen_domain_memory_actual_bytes{{{_DOMAIN}}}", "{{domain}}"),
    "memory_target": Query(f"xen_domain_memory_target_bytes{{{_DOMAIN}}}", "{{domain}} target"),
    # Network, in bits; what the guest sends is drawn downwards.
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
    # Profiling.
    "samples_by_mode": Query(_rate("xen_profile_samples_total", "mode"), "{{mode}}"),
    "samples_by_domain": Query(
        _rate("xen_profile_samples_total", "domain, event"), "{{domain}} {{event}}"),
    "samples_lost": Query(_rate("xenprof_samples_lost_total", "reason"), "{{reason}}"),
    "samples_by_outcome": Query(
        _rate("xen_xenoprof_samples_total", "outcome", _HOST), "{{outcome}}"),
    # Ourselves.
    "speed": Query(f"rate(xenprof_model_time_seconds_total{{{_HOST}}}{_RANGE})", "speed"),
    "lag": Query(f"rate(xenprof_model_lag_seconds_total{{{_HOST}}}{_RANGE})", "lag"),
    "collector_duration": Query(
        f"xenprof_collector_duration_seconds{{{_HOST}}}", "{{collector}}"),
}
# fmt: on
