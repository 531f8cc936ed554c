"""Queries on domains: what they are, their states, their processor time and its limits."""

from collections.abc import Mapping

from dashboards.promql import BEHALF, DOMAIN, HOST, VCPU, Query, quantile, rate, state, table, total
from dashboards.states import DOMAIN as DOMAIN_STATES

# fmt: off
QUERIES: Mapping[str, Query] = {
    "domain_table": table(total("xen_domain_info", "domain, domid, kind, uuid, os, arch")),
    "domain_vcpus": table(total("xen_domain_vcpus", "domain")),
    "domain_online_vcpus": table(total("xen_domain_vcpus_online", "domain")),
    "domain_weight": table(total("xen_domain_sched_weight", "domain")),
    "domain_cap": table(total("xen_domain_sched_cap_ratio", "domain")),
    "domain_state_now": table(
        f"sum by (host, domain, state) (xen_domain_state{{{DOMAIN}}} == 1)"),
    "domain_uptime": table(
        f"max by (host) (xen_host_time_seconds{{{HOST}}}) - on (host) group_right "
        f"max by (host, domain) (xen_domain_start_time_seconds{{{DOMAIN}}})"),
    "domain_restarts": table(total("xen_domain_restarts_total", "domain")),
    "domain_oom_kills": table(total("xen_domain_oom_kills_total", "domain")),
    "domain_memory_maximum": table(total("xen_domain_memory_maximum_bytes", "domain")),
    "domain_states": Query(
        state("xen_domain_state", "domain", "state", tuple(DOMAIN_STATES)), "{{domain}}"),
    "domain_shutdown_reason": table(total("xen_domain_shutdown_reason", "domain, reason")),
    # Processor time.
    "cpu_by_domain_and_mode": Query(
        rate("xen_domain_cpu_mode_seconds_total", "domain, mode"), "{{domain}} {{mode}}"),
    "time_by_state": Query(
        rate("xen_vcpu_state_seconds_total", "domain, vcpu, state", VCPU),
        "{{domain}}/{{vcpu}} {{state}}"),
    "capped_by_vcpu": Query(
        rate("xen_vcpu_capped_seconds_total", "domain, vcpu", VCPU),
        "{{domain}}/{{vcpu}} capped"),
    "wait_p99_by_cause": Query(
        quantile(0.99, "xen_vcpu_wait_seconds", "domain, cause"), "{{domain}} {{cause}} 99 %",
        trace=True),
    "wait_p50_by_cause": Query(
        quantile(0.5, "xen_vcpu_wait_seconds", "domain, cause"), "{{domain}} {{cause}} median"),
    "behalf_by_domain": Query(
        rate("xen_domain_on_behalf_seconds_total", "on_behalf_of, mode",
             f'{BEHALF},on_behalf_of=~"$domain"'), "for {{on_behalf_of}}: {{mode}}"),
    # Vcpus.
    "vcpu_table": table(total("xen_vcpu_affinity_info", "domain, vcpu, cpus", VCPU)),
    "vcpu_pcpu": table(total("xen_vcpu_pcpu", "domain, vcpu", VCPU)),
    "vcpu_online": table(total("xen_vcpu_online", "domain, vcpu", VCPU)),
    "vcpu_running": table(
        rate("xen_vcpu_state_seconds_total", "domain, vcpu", f'{VCPU},state="running"')),
}
# fmt: on
