"""Queries on the credit scheduler: waits, caps, weights, priorities and what moves vcpus."""

from collections.abc import Mapping

from dashboards.promql import DOMAIN, HOST, VCPU, Query, heat, now, quantile, rate, state, total
from dashboards.states import PRIORITY

_CAPPED = f"xen_domain_sched_cap_ratio{{{DOMAIN}}} > 0"
_USED = rate("xen_domain_cpu_seconds_total", "domain", HOST)
_WAKE = f'{DOMAIN},cause="wake"'
_PREEMPTED = f'{DOMAIN},cause="preempted"'


def _share(by_domain: str, of_host: str) -> str:
    """Return what a domain has of what all domains of its host have, chosen domains only."""
    chosen = f"and on (host, domain) xen_domain_info{{{DOMAIN}}}"
    return f"({by_domain} / on (host) group_left {of_host}) {chosen}"


# fmt: off
QUERIES: Mapping[str, Query] = {
    "wake_heat": heat("xen_vcpu_wait_seconds", _WAKE),
    "preempted_heat": heat("xen_vcpu_wait_seconds", _PREEMPTED),
    "wake_p99": Query(
        quantile(0.99, "xen_vcpu_wait_seconds", "domain", _WAKE), "{{domain}}", trace=True),
    "preempted_p99": Query(
        quantile(0.99, "xen_vcpu_wait_seconds", "domain", _PREEMPTED), "{{domain}}", trace=True),
    # Caps, weights and shares.
    "cpu_of_capped": Query(
        f"{rate('xen_domain_cpu_seconds_total', 'domain')} and on (host, domain) ({_CAPPED})",
        "{{domain}}"),
    "cap": Query(_CAPPED, "{{domain}} cap"),
    "capped_by_domain": Query(rate("xen_vcpu_capped_seconds_total", "domain"), "{{domain}}"),
    "weight_share": now(Query(
        _share(total("xen_domain_sched_weight", "domain", HOST),
               total("xen_domain_sched_weight", "", HOST)), "{{domain}}")),
    "cpu_share": now(Query(
        _share(f"sum by (host, domain) ({_USED})", f"sum by (host) ({_USED})"),
        "{{domain}}")),
    "weight": Query(total("xen_domain_sched_weight", "domain"), "{{domain}}"),
    # What the scheduler did with vcpus.
    "priority": Query(
        state("xen_vcpu_sched_priority", "domain, vcpu", "priority", tuple(PRIORITY), VCPU),
        "{{domain}}/{{vcpu}}"),
    "credit_by_vcpu": Query(f"xen_vcpu_sched_credit{{{VCPU}}}", "{{domain}}/{{vcpu}}"),
    "boosts": Query(rate("xen_vcpu_boosts_total", "domain", VCPU), "{{domain}}"),
    "migrations": Query(rate("xen_vcpu_migrations_total", "domain", VCPU), "{{domain}}"),
    "steals": Query(rate("xen_vcpu_steals_total", "domain", VCPU), "{{domain}}"),
    "vcpu_switches": Query(rate("xen_vcpu_context_switches_total", "domain", VCPU), "{{domain}}"),
    "vcpus_online": Query(f"xen_domain_vcpus_online{{{DOMAIN}}}", "{{domain}}"),
    "vcpu_place": Query(f"xen_vcpu_pcpu{{{VCPU}}}", "{{domain}}/{{vcpu}}"),
    # What Xen itself counts and traces.
    "statistics": Query(rate("xen_statistics_total", "statistic", HOST), "{{statistic}}"),
    "trace_records": Query(rate("xen_trace_records_total", "cpu", HOST), "pcpu {{cpu}} taken"),
    "trace_lost": Query(rate("xen_trace_lost_records_total", "cpu", HOST), "pcpu {{cpu}} lost"),
}
# fmt: on
