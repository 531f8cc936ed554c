"""Metrics of the memory of domains: what they have, want and swap, and pages that change hands."""

from exporters.labels import BALLOON_STATE, DOMAIN, SWAP_IN, SWAP_OUT
from exporters.metric import Kind, Metric, kib
from exporters.scopes import DOMAINS, of, states_of

COUNTER, UPDOWN, STATESET = Kind.COUNTER, Kind.UPDOWN, Kind.STATESET

BALLOON_STATES = (
    "reached",
    "growing",
    "shrinking",
    "no_driver",
    "host_short",
    "guest_short",
    "maximum",
)


# fmt: off
MEMORY: tuple[Metric, ...] = (
    Metric("xen_domain_memory_actual_bytes", "xen.domain.memory.actual", UPDOWN, "By",
           "Memory that the domain has now.", (DOMAIN,), of(DOMAINS, lambda d: kib(d.memory_kib))),
    Metric("xen_domain_memory_target_bytes", "xen.domain.memory.target", UPDOWN, "By",
           "Memory that the balloon driver of the domain is asked to reach.", (DOMAIN,),
           of(DOMAINS, lambda d: kib(d.target_kib))),
    Metric("xen_domain_memory_maximum_bytes", "xen.domain.memory.maximum", UPDOWN, "By",
           "Most memory the domain may have; no series = no limit.", (DOMAIN,),
           of(DOMAINS, lambda d: kib(d.maximum_kib))),
    Metric("xen_domain_balloon_state", "xen.domain.balloon.state", STATESET, "1",
           "1 for what the balloon does, or why actual and target differ: reached, growing, "
           "shrinking, no_driver, host_short (of free memory), guest_short (it needs what it has), "
           "maximum.", (DOMAIN, BALLOON_STATE),
           states_of(DOMAINS, BALLOON_STATES, lambda d: d.balloon)),
    Metric("xen_domain_memory_demand_bytes", "xen.domain.memory.demand", UPDOWN, "By",
           "Memory that kernel and programs of the domain want; beyond what it has, it swaps.",
           (DOMAIN,), of(DOMAINS, lambda d: kib(d.demand_kib))),
    Metric("xen_domain_swap_used_bytes", "xen.domain.swap.used", UPDOWN, "By",
           "Memory of the domain's programs that is on its swap device.", (DOMAIN,),
           of(DOMAINS, lambda d: kib(d.swapped_kib))),
    Metric("xen_domain_swap_in_pages_total", "xen.domain.swap.pages", COUNTER, "{page}",
           "Pages that the domain has read back from swap.", (DOMAIN,),
           of(DOMAINS, lambda d: d.page_ins), SWAP_IN),
    Metric("xen_domain_swap_out_pages_total", "xen.domain.swap.pages", COUNTER, "{page}",
           "Pages that the domain has written to swap.", (DOMAIN,),
           of(DOMAINS, lambda d: d.page_outs), SWAP_OUT),
    Metric("xen_domain_oom_kills_total", "xen.domain.oom_kills", COUNTER, "{process}",
           "Processes that the domain has killed for want of memory.", (DOMAIN,),
           of(DOMAINS, lambda d: d.oom_kills)),
    Metric("xen_domain_page_flips_total", "xen.domain.page_flips", COUNTER, "{page}",
           "Pages that were transferred to the domain or from it, as netback does.", (DOMAIN,),
           of(DOMAINS, lambda d: d.page_flips)),
    Metric("xen_domain_page_copies_total", "xen.domain.page_copies", COUNTER, "{copy}",
           "Grant copies into the domain's pages or out of them.", (DOMAIN,),
           of(DOMAINS, lambda d: d.page_copies)),
)
# fmt: on
