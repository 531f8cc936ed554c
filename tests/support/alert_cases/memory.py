"""Cases of alerts about memory, and about domains that end. Sizes are in MiB where it is equal."""

from tests.support.alert_cases.case import Case, Series, counting, domain, flat

WEB = domain("web")
STATES = ("reached", "growing", "shrinking", "no_driver", "host_short", "guest_short", "maximum")


def balloon(state: str) -> Series:
    return {
        f'xen_domain_balloon_state{{{WEB},state="{one}"}}': flat(int(one == state))
        for one in STATES
    }


def host_memory(free: int, *, has: int, needs: int) -> Series:
    return {
        'xen_host_memory_bytes{host="h"}': flat(4096),
        'xen_host_memory_free_bytes{host="h"}': flat(free),
        f"xen_domain_memory_actual_bytes{{{WEB}}}": flat(has),
        f"xen_domain_memory_demand_bytes{{{WEB}}}": flat(needs),
    }


CASES = (
    Case(
        "XenBalloonStuck",
        firing=balloon("no_driver"),
        quiet=balloon("reached"),
        labels={"domain": "web", "state": "no_driver"},
        summary="The balloon of web on h does not reach its target: no_driver",
    ),
    Case(
        "XenHostMemoryShort",
        firing=host_memory(free=64, has=512, needs=600),
        quiet=host_memory(free=64, has=512, needs=500),
        labels={},
        summary="h has 1.562% of its memory left, and a domain needs more than it has",
    ),
    Case(
        "XenHostMemoryShort",
        firing={**host_memory(free=64, has=512, needs=500), **balloon("host_short")},
        quiet={**host_memory(free=1024, has=512, needs=600), **balloon("host_short")},
        labels={},
        summary="h has 1.562% of its memory left, and a domain needs more than it has",
    ),
    Case(
        "XenDomainSwapping",
        firing={f"xen_domain_swap_in_pages_total{{{WEB}}}": counting(40)},
        quiet={
            f"xen_domain_swap_in_pages_total{{{WEB}}}": counting(1),
            f"xen_domain_swap_out_pages_total{{{WEB}}}": counting(500),
        },
        labels={"domain": "web"},
        summary="web on h reads pages back from swap, 40.0 per second",
    ),
    Case(
        "XenDomainOutOfMemory",
        # The domain began 30 minutes ago with one kill: there is no value before it.
        firing={f"xen_domain_oom_kills_total{{{WEB}}}": "_x35 1x25"},
        quiet={f"xen_domain_oom_kills_total{{{WEB}}}": "1x60"},
        labels={"domain": "web"},
        summary="web on h killed 1 of its processes for want of memory",
    ),
    Case(
        "XenDomainCrashLoop",
        firing={f"xen_domain_restarts_total{{{WEB}}}": "4x30 5 6 7x30"},
        quiet={f"xen_domain_restarts_total{{{WEB}}}": "4x30 5 6x30"},
        labels={"domain": "web"},
        summary="xend has restarted web on h 3 times lately",
    ),
    Case(
        # The service is new, and after the second crash the domain is gone with its restarts.
        "XenDomainsCrashing",
        firing={
            f"xen_domain_restarts_total{{{WEB}}}": "_x38 0 1 stale",
            'xen_toolstack_events_total{host="h",event="crashed"}': "_x38 0 1 2x20",
            'xen_host_up{host="h"}': "_x38 1x22",
        },
        quiet={'xen_toolstack_events_total{host="h",event="crashed"}': "7x40 8x20"},
        labels={},
        summary="Domains on h have crashed 2 times lately",
    ),
)
