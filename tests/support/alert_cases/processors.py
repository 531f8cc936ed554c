"""Cases of alerts about processors. Each domain has one vcpu, unless it says otherwise."""

from tests.support.alert_cases.case import Case, Series, counting, domain, flat


def states(name: str, running: float, runnable: float, vcpus: int = 1) -> Series:
    """Return the series of a domain by the processors that it has and wants."""
    labels = domain(name)
    return {
        f'xen_vcpu_state_seconds_total{{{labels},vcpu="0",state="running"}}': counting(running),
        f'xen_vcpu_state_seconds_total{{{labels},vcpu="0",state="runnable"}}': counting(runnable),
        f"xen_domain_vcpus_online{{{labels}}}": flat(vcpus),
        f"xen_domain_cpu_seconds_total{{{labels}}}": counting(running),
    }


def blocked(name: str, seconds: float) -> Series:
    """Return for how many seconds in a second the vcpu of a domain wants no processor."""
    labels = f'{domain(name)},vcpu="0",state="blocked"'
    return {f"xen_vcpu_state_seconds_total{{{labels}}}": counting(seconds)}


def for_others(**seconds: float) -> Series:
    """Return what domain 0 does on behalf of domains, in seconds per second."""
    return {
        f'xen_domain_on_behalf_seconds_total{{{domain("Domain-0")},on_behalf_of="{name}",'
        'mode="kernel"}': counting(value)
        for name, value in seconds.items()
    }


def on_pcpus(**pcpus: int) -> Series:
    """Return on which pcpu the vcpu of each domain is."""
    return {f'xen_vcpu_pcpu{{{domain(name)},vcpu="0"}}': flat(pcpu) for name, pcpu in pcpus.items()}


def capped(share: float) -> Series:
    return {
        **states("sql", 0.25, 0),
        f'xen_vcpu_capped_seconds_total{{{domain("sql")},vcpu="0"}}': counting(share),
    }


AT_TWICE_THE_SPEED = {'xen_host_uptime_seconds_total{host="h"}': counting(2)}

CASES = (
    Case(
        "XenDomainStarved",
        firing={**states("web", 0.1, 0.8), **states("batch", 1.8, 0.2, vcpus=2)},
        quiet={**states("web", 0.5, 0.4), **states("mail", 0.01, 0.05)},
        labels={"domain": "web"},
        summary="web on h waits for a processor 80% of its time and runs less than half of the "
        "time that it wants to",
    ),
    Case(
        "XenDomainStarved",
        firing={**AT_TWICE_THE_SPEED, **states("web", 0.2, 1.6)},
        quiet={**AT_TWICE_THE_SPEED, **states("web", 0.08, 0.16)},
        labels={"domain": "web"},
        summary="web on h waits for a processor 80% of its time and runs less than half of the "
        "time that it wants to",
    ),
    Case(
        "XenNoisyNeighbour",
        firing={
            **states("web", 0.1, 0.8),
            **states("batch", 1.8, 0.2, vcpus=2),
            **states("mail", 0.05, 0.3),
        },
        quiet={**states("web", 0.6, 0.1), **states("batch", 1.3, 0.7, vcpus=2)},
        labels={"domain": "batch"},
        summary="batch on h keeps 1.8 processors busy, for which others wait: web 80% of its time, "
        "mail 30% of its time",
    ),
    Case(
        # Domain 0 is the busiest, but it works for the guest that sends.
        "XenNoisyNeighbour",
        firing={
            **states("web", 0.1, 0.8),
            **states("sender", 0.4, 0.1),
            **states("Domain-0", 1, 0, vcpus=2),
            **for_others(sender=0.9),
        },
        quiet={**states("web", 0.1, 0.8)},
        labels={"domain": "sender"},
        summary="sender on h keeps 1.3 processors busy, for which others wait: web 80% of its time",
        is_cured=False,
    ),
    Case(
        # A domain ends: what domain 0 did for it moves to (ended), and nobody uses a processor.
        "XenNoisyNeighbour",
        firing={
            **states("web", 0.1, 0.8),
            **states("batch", 1.2, 0.2, vcpus=2),
            **states("Domain-0", 0.3, 0, vcpus=2),
            **for_others(**{"Domain-0": 0.2, "batch": 0.1, "(ended)": 1.5}),
        },
        quiet={**states("web", 0.9, 0.05), **for_others(**{"(ended)": 1.5})},
        labels={"domain": "batch"},
        summary="batch on h keeps 1.3 processors busy, for which others wait: web 80% of its time",
    ),
    Case(
        # After a cure, those that hardly run wait for most of that little: nobody is starved.
        "XenNoisyNeighbour",
        firing={**states("web", 0.1, 0.8), **states("batch", 1.8, 0.2, vcpus=2)},
        quiet={
            **states("web", 0.6, 0.05),
            **states("batch", 1.2, 0.6, vcpus=2),
            **states("mail", 0.04, 0.06),
        },
        labels={"domain": "batch"},
        summary="batch on h keeps 1.8 processors busy, for which others wait: web 80% of its time",
    ),
    Case(
        # The busiest is pinned elsewhere: it takes nothing from the one that waits.
        "XenNoisyNeighbour",
        firing={
            **states("web", 0.1, 0.8),
            **states("batch", 0.7, 0.2),
            **states("other", 0.9, 0.1),
            **on_pcpus(web=1, batch=1, other=0),
        },
        quiet={
            **states("web", 0.1, 0.8),
            **states("other", 0.9, 0.1),
            **on_pcpus(web=1, other=0),
        },
        labels={"domain": "batch"},
        summary="batch on h keeps 0.7 processors busy, for which others wait: web 80% of its time",
        is_cured=False,
    ),
    Case(
        # What takes the processor of the one that waits is domain 0, for the guest that sends.
        "XenNoisyNeighbour",
        firing={
            **states("web", 0.1, 0.8),
            **states("sender", 0.4, 0.1),
            **states("Domain-0", 1, 0),
            **for_others(sender=0.9),
            **on_pcpus(**{"web": 1, "sender": 0, "Domain-0": 1}),
        },
        quiet={
            **states("web", 0.1, 0.8),
            **states("sender", 0.4, 0.1),
            **for_others(sender=0.9),
            **on_pcpus(**{"web": 1, "sender": 0, "Domain-0": 0}),
        },
        labels={"domain": "sender"},
        summary="sender on h keeps 1.3 processors busy, for which others wait: web 80% of its time",
        is_cured=False,
    ),
    Case(
        "XenStealSustained",
        firing=states("web", 0.5, 0.06),
        quiet=states("web", 0.5, 0.04),
        labels={"domain": "web"},
        summary="web on h often waits for a processor, 6% of its time",
    ),
    Case(
        "XenStealHigh",
        firing=states("web", 0.5, 0.12),
        quiet=states("web", 0.5, 0.09),
        labels={"domain": "web"},
        summary="web on h waits for a processor 12% of its time",
    ),
    Case(
        # One that computes all the time gets its share, and that is no fault.
        "XenStealHigh",
        firing={**states("web", 0.5, 0.12), **blocked("web", 0.38)},
        quiet={**states("web", 0.6, 0.4), **blocked("web", 0)},
        labels={"domain": "web"},
        summary="web on h waits for a processor 12% of its time",
    ),
    Case(
        "XenDomainCapped",
        firing=capped(0.3),
        quiet=capped(0.05),
        labels={"domain": "sql"},
        summary="sql on h was kept from running by its own cap for 30% of its time",
    ),
    Case(
        "XenDomain0Saturated",
        firing=states("Domain-0", 1.7, 0.1, vcpus=2),
        quiet={**states("Domain-0", 1.5, 0.1, vcpus=2), **states("web", 1, 0)},
        labels={"domain": "Domain-0"},
        summary="Domain 0 of h uses 85% of its vcpus: disk and network of all guests depend on it",
    ),
)
