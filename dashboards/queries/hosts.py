"""Queries on hosts as a whole: who waits, who causes it, processors, where figures come from."""

from collections.abc import Mapping

from dashboards.promql import (
    BEHALF,
    DOMAIN,
    HOST,
    Query,
    now,
    quantile,
    rate,
    share_of_pcpus,
    table,
    top,
    total,
)

_BUSY = f'{HOST},mode!="idle"'
_IDLE = f'{HOST},mode="idle"'  # a real host knows no other mode
_RUNNABLE = f'{DOMAIN},state="runnable"'
_DRIVERS = f"xen_domain_on_behalf_seconds_total{{{HOST}}}"
_BEHALF = rate("xen_domain_on_behalf_seconds_total", "on_behalf_of", BEHALF)

_WAITING = rate("xen_vcpu_state_seconds_total", "domain", _RUNNABLE)
_OWN = f"{rate('xen_domain_cpu_seconds_total', 'domain', HOST)} unless on (host, domain) {_DRIVERS}"
_CAUSING = (
    f"sum by (host, domain) ({_OWN} or "
    f'label_replace({_BEHALF}, "domain", "$1", "on_behalf_of", "(.*)"))'
)
"""Own time of domains, and time of driver domains by the domain that they worked for.

A driver domain's own time is not added again: what it does for itself is in the second part.
"""
_FREE = total("xen_host_memory_free_bytes", "", HOST)

# fmt: off
QUERIES: Mapping[str, Query] = {
    "waiting_top": now(Query(top(_WAITING), "{{domain}}")),
    "causing_top": now(Query(top(_CAUSING), "{{domain}}")),
    "waiting_top_over_time": Query(top(_WAITING), "{{domain}}"),
    "causing_top_over_time": Query(top(_CAUSING), "{{domain}}"),
    # Single figures.
    "up": Query(f"min(xen_host_up{{{HOST}}})", "up", instant=True),
    "domains": Query(f"count(xen_domain_info{{{HOST}}})", "domains", instant=True),
    "host_busy": Query(
        f"1 - avg({share_of_pcpus(rate('xen_pcpu_seconds_total', '', _IDLE))})",
        "busy"),
    "host_memory_used": Query(
        f"1 - sum(xen_host_memory_free_bytes{{{HOST}}}) / sum(xen_host_memory_bytes{{{HOST}}})",
        "given out", instant=True),
    "speed_now": Query(f"avg(xenprof_model_speed_ratio{{{HOST}}})", "speed", instant=True),
    # Processors.
    "cpu_by_mode": Query(
        share_of_pcpus(rate("xen_pcpu_seconds_total", "mode", _BUSY)), "{{mode}}"),
    "cpu_by_pcpu": Query(f"1 - {rate('xen_pcpu_seconds_total', 'cpu', _IDLE)}", "{{cpu}}"),
    "cpu_by_domain": Query(rate("xen_domain_cpu_seconds_total", "domain"), "{{domain}}"),
    "steal_by_domain": Query(_WAITING, "{{domain}}"),
    "wait_p99_by_domain": Query(
        quantile(0.99, "xen_vcpu_wait_seconds", "domain"), "{{domain}}", trace=True),
    "domain0_by_beneficiary": Query(_BEHALF, "{{on_behalf_of}}"),
    "domain0_by_mode": Query(
        rate("xen_domain_on_behalf_seconds_total", "mode", BEHALF), "{{mode}}"),
    # What the host is, and where the figures come from.
    "host_table": table(total("xen_host_info", "cpu_type, xen_version, tools, scheduler", HOST)),
    "host_clock": table(total("xen_host_cpu_frequency_hertz", "", HOST)),
    "host_time": table(f"1000 * {total('xen_host_time_seconds', '', HOST)}"),
    "source_table": table(total("xen_source_info", "data, source", HOST)),
    "pcpu_table": table(total("xen_pcpu_info", "cpu, socket, core, thread", HOST)),
    "host_memory_free": Query(_FREE, "{{host}} free"),
    "host_memory_scrub": Query(total("xen_host_memory_scrub_bytes", "", HOST), "{{host}} to wipe"),
    "host_memory": Query(total("xen_host_memory_bytes", "", HOST), "{{host}} all"),
}
# fmt: on
