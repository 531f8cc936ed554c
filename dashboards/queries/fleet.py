"""Queries on many hosts: one series or one row for each host."""

from collections.abc import Mapping

from dashboards.promql import (
    HOST,
    RANGE,
    SPEED,
    Query,
    quantile,
    rate,
    share_of_pcpus,
    table,
    top,
    total,
)

_IDLE = share_of_pcpus(rate("xen_pcpu_seconds_total", "", f'{HOST},mode="idle"'))
_BUSY = f"1 - {_IDLE}"
_STEAL = rate("xen_vcpu_state_seconds_total", "", f'{HOST},state="runnable"')
_FREE = (
    f"{total('xen_host_memory_free_bytes', '', HOST)} / {total('xen_host_memory_bytes', '', HOST)}"
)
_LOST = (
    f"sum by (host) (rate(xenprof_samples_lost_total{{{HOST}}}{RANGE})) / "
    f"(sum by (host) (rate(xen_xenoprof_samples_total{{{HOST}}}{RANGE})) > 0) "
    f"or 0 * {SPEED}"
)

# fmt: off
QUERIES: Mapping[str, Query] = {
    "fleet_up": Query(f"count(xen_host_up{{{HOST}}} == 1)", "up", instant=True),
    "fleet_down": Query(
        f"count(xen_host_up{{{HOST}}} == 0) or vector(0)", "not reading their host", instant=True),
    "fleet_domains": Query(f"count(xen_domain_info{{{HOST}}})", "domains", instant=True),
    "fleet_table": table(total("xen_host_info", "cpu_type, xen_version, tools", HOST)),
    "fleet_table_up": table(total("xen_host_up", "", HOST)),
    "fleet_table_domains": table(f"count by (host) (xen_domain_info{{{HOST}}})"),
    "fleet_table_pcpus": table(f"count by (host) (xen_pcpu_info{{{HOST}}})"),
    "fleet_table_busy": table(_BUSY),
    "fleet_table_steal": table(_STEAL),
    "fleet_table_free": table(_FREE),
    "fleet_table_lost": table(_LOST),
    "fleet_busy": Query(_BUSY, "{{host}}"),
    "fleet_steal": Query(_STEAL, "{{host}}"),
    "fleet_free": Query(_FREE, "{{host}}"),
    "fleet_wait_p99": Query(quantile(0.99, "xen_vcpu_wait_seconds", "", HOST), "{{host}}"),
    "fleet_worst": Query(
        top(rate("xen_vcpu_state_seconds_total", "domain", f'{HOST},state="runnable"')),
        "{{host}} {{domain}}"),
    "fleet_network": Query(
        f"8 * ({rate('xen_nic_receive_bytes_total', '', HOST)}"
        f" + {rate('xen_nic_transmit_bytes_total', '', HOST)})", "{{host}}"),
    "fleet_disk": Query(
        f"{rate('xen_disk_read_bytes_total', '', HOST)}"
        f" + {rate('xen_disk_write_bytes_total', '', HOST)}", "{{host}}"),
}
# fmt: on
