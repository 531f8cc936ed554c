"""Queries on what guests ask of Xen, and on what their kernels count of themselves."""

from collections.abc import Mapping

from dashboards.promql import DOMAIN, Query, now, rate, total


def _used(metric: str) -> Query:
    """Return how much of a limit is used, now."""
    used = f"{total(metric, 'domain')} / {total(f'{metric}_limit', 'domain')}"
    return now(Query(used, "{{domain}}"))


# fmt: off
QUERIES: Mapping[str, Query] = {
    "hypercalls": Query(rate("xen_domain_hypercalls_total", "domain"), "{{domain}}"),
    "virqs": Query(rate("xen_domain_virqs_total", "domain"), "{{domain}} interrupts"),
    "notifications": Query(
        rate("xen_domain_event_notifications_total", "domain"), "{{domain}} notifications"),
    "event_channels": Query(
        total("xen_domain_event_channels", "domain"), "{{domain}} channels"),
    "event_channels_used": _used("xen_domain_event_channels"),
    "grants": Query(total("xen_domain_grants", "domain"), "{{domain}} grants"),
    "grants_used": _used("xen_domain_grants"),
    "load1": Query(f"xen_guest_load1{{{DOMAIN}}}", "{{domain}} 1 minute"),
    "load5": Query(f"xen_guest_load5{{{DOMAIN}}}", "{{domain}} 5 minutes"),
    "load15": Query(f"xen_guest_load15{{{DOMAIN}}}", "{{domain}} 15 minutes"),
    "guest_switches": Query(
        rate("xen_guest_context_switches_total", "domain"), "{{domain}} switches"),
    "guest_interrupts": Query(
        rate("xen_guest_interrupts_total", "domain"), "{{domain}} interrupts"),
}
# fmt: on
