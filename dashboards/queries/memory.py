"""Queries on memory: what domains have, want and are asked to have, swapping, shared pages."""

from collections.abc import Mapping

from dashboards.promql import DOMAIN, Query, rate, state
from dashboards.states import BALLOON

# fmt: off
QUERIES: Mapping[str, Query] = {
    "memory_actual": Query(f"xen_domain_memory_actual_bytes{{{DOMAIN}}}", "{{domain}}"),
    "memory_target": Query(f"xen_domain_memory_target_bytes{{{DOMAIN}}}", "{{domain}} target"),
    "memory_maximum": Query(f"xen_domain_memory_maximum_bytes{{{DOMAIN}}}", "{{domain}} limit"),
    "memory_demand": Query(f"xen_domain_memory_demand_bytes{{{DOMAIN}}}", "{{domain}} demand"),
    "balloon": Query(
        state("xen_domain_balloon_state", "domain", "state", tuple(BALLOON)), "{{domain}}"),
    "balloon_gap": Query(
        f"max by (host, domain) (xen_domain_memory_actual_bytes{{{DOMAIN}}} - "
        f"xen_domain_memory_target_bytes{{{DOMAIN}}})", "{{domain}}"),
    "swap_used": Query(f"xen_domain_swap_used_bytes{{{DOMAIN}}}", "{{domain}}"),
    "swap_in": Query(rate("xen_domain_swap_in_pages_total", "domain"), "{{domain}} in"),
    "swap_out": Query(
        f"-1 * {rate('xen_domain_swap_out_pages_total', 'domain')}", "{{domain}} out"),
    "page_flips": Query(rate("xen_domain_page_flips_total", "domain"), "{{domain}} flips"),
    "page_copies": Query(rate("xen_domain_page_copies_total", "domain"), "{{domain}} copies"),
}
# fmt: on
