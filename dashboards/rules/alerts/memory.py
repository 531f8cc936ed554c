"""Alerts about memory, and about domains that end."""

from dashboards.rules.recordings import rate
from dashboards.rules.rule import Alert, Severity, Unit, nothing_of


def _grown(metric: str, labels: str = "") -> str:
    """Return by how much a domain's counter has grown in 15 minutes; its first value is growth.

    The host must have been scraped all the time, or an old counter would look new.
    """
    series = f"{metric}{labels}"
    return (
        f"max by (host, domain) ({series} - ({series} offset 15m or 0 * {series}) "
        f"and on (host) xen_host_up offset 15m)"
    )


_THE_DOMAIN = 'host="$host",domain="$domain"'
_ITSELF = f"{{{_THE_DOMAIN}}}"
_CRASHES = 'xen_toolstack_events_total{event="crashed"}'
_NEW_CRASHES = f"max by (host) ({_CRASHES} - min_over_time({_CRASHES}[15m]))"
_XM_LIST = ("xm list", "the memory that each domain was told to have")
_XENTOP = ("xentop -b -i 1", "MEM(k) that each domain has, and MAXMEM(k) that it may have")
_FREE = ("echo free | xm console $domain", "what the guest's kernel has and uses")
_VMSTAT = ("echo 'vmstat 1 3' | xm console $domain", "si and so: pages from and to swap")
_HOST = ("xm info", "free_memory and total_memory of the host, in MiB")
_XEND_LOG = ("xm log", "what xend did with the domain, and why")
_FREE_SHARE = "min by (host) (xen_host_memory_free_bytes / xen_host_memory_bytes)"
_WANTS = (
    'max by (host) (xen_domain_balloon_state{state="host_short"} == 1) or '
    "max by (host) (xen_domain_memory_demand_bytes > xen_domain_memory_actual_bytes)"
)
_SHORT = f"{_FREE_SHARE} < 0.05 and on (host) ({_WANTS})"

ALERTS = (
    Alert(
        name="XenBalloonStuck",
        severity=Severity.WARNING,
        for_minutes=10,
        unit=Unit.COUNT,
        expr='max by (host, domain, state) (xen_domain_balloon_state{state!="reached"} == 1)',
        summary="The balloon of $domain on $host does not reach its target: $state",
        meaning="The domain has another amount of memory than it was told to have, for so long "
        "that this will not change by itself.",
        cause="state tells: no_driver (the guest has no balloon driver), host_short (the host has "
        "no free memory to give), guest_short (the guest cannot spare more), maximum (it may not "
        "have as much); growing and shrinking for so long mean that it is very slow.",
        threshold="10 minutes: our own judgement; a balloon moves hundreds of MiB in a second.",
        queries=(
            f"xen_domain_memory_target_bytes{_ITSELF} - xen_domain_memory_actual_bytes",
            "xen_host_memory_free_bytes",
        ),
        look=(_XENTOP, _HOST, _FREE),
        act=(
            ("xm mem-set $domain 256", "gives a target that can be reached, in MiB"),
            ("xm mem-max $domain 512", "lets it have more, where state is maximum"),
            ("xm mem-set Domain-0 512", "makes domain 0 give memory to the host"),
        ),
        helped='xen_domain_balloon_state{host="$host",domain="$domain",state="reached"} == 1',
    ),
    Alert(
        name="XenHostMemoryShort",
        severity=Severity.WARNING,
        for_minutes=10,
        unit=Unit.RATIO,
        expr=_SHORT,
        summary="$host has $value of its memory left, and a domain needs more than it has",
        meaning="A domain cannot be given memory, and none can be created unless domain 0 gives up "
        "some. A host without free memory where no domain lacks any is no fault.",
        cause="More domains than the host has memory for, or one that was given too much.",
        threshold="Less than 5 % free, for 10 minutes: our own judgement.",
        queries=(
            "topk by (host) (5, max by (host, domain) "
            "(xen_domain_memory_actual_bytes - xen_domain_memory_demand_bytes))",
            "xen_host_memory_free_bytes",
        ),
        look=(_HOST, _XM_LIST, _XENTOP),
        act=(
            ("xm mem-set Domain-0 512", "takes memory from domain 0"),
            ("", "Take memory from the domain that has much more than it needs."),
        ),
        helped=nothing_of(_SHORT),
    ),
    Alert(
        name="XenDomainSwapping",
        severity=Severity.WARNING,
        for_minutes=10,
        unit=Unit.PER_SECOND,
        expr=f"{rate('xen_domain_swap_in_pages_total', 'domain')} > 10",
        summary="$domain on $host reads pages back from swap, $value",
        meaning="Programs of the guest wait for the disk when they touch their own memory. Pages "
        "that are only written to swap do no harm.",
        cause="The guest has less memory than its programs use: a balloon that was made too large, "
        "or a load that has grown.",
        threshold="More than 10 pages a second for 10 minutes: our own judgement.",
        queries=(
            'xen_domain_memory_demand_bytes{host="$host",domain="$domain"}',
            'xen_domain_memory_actual_bytes{host="$host",domain="$domain"}',
        ),
        look=(_VMSTAT, _FREE, _XENTOP),
        act=(
            ("xm mem-set $domain 512", "gives it memory, up to its maximum"),
            ("xm mem-max $domain 512", "raises the maximum"),
        ),
        helped=f"{rate('xen_domain_swap_in_pages_total', 'domain', _THE_DOMAIN)} <= 10",
    ),
    Alert(
        name="XenDomainOutOfMemory",
        severity=Severity.CRITICAL,
        for_minutes=0,
        unit=Unit.COUNT,
        expr=f"{_grown('xen_domain_oom_kills_total')} > 0",
        summary="$domain on $host killed $value of its processes for want of memory",
        meaning="The guest's kernel had neither memory nor swap left and ended a process.",
        cause="Its memory was lowered below what its programs need, or a program leaks.",
        threshold="Any kill within 15 minutes.",
        queries=(
            'xen_domain_swap_used_bytes{host="$host",domain="$domain"}',
            'xen_domain_memory_demand_bytes{host="$host",domain="$domain"}',
        ),
        look=(_FREE, _XENTOP, _XEND_LOG),
        act=(
            ("xm mem-set $domain 512", "gives it memory, up to its maximum"),
            ("", "Start again what was killed."),
        ),
        helped=nothing_of(f"{_grown('xen_domain_oom_kills_total', _ITSELF)} > 0"),
    ),
    Alert(
        name="XenDomainCrashLoop",
        severity=Severity.CRITICAL,
        for_minutes=0,
        unit=Unit.COUNT,
        expr=f"{_grown('xen_domain_restarts_total')} >= 3",
        summary="xend has restarted $domain on $host $value times lately",
        meaning="The domain ends soon after it starts, and xend starts it again as on_crash, "
        "on_reboot or on_poweroff say.",
        cause="Its kernel or a device does not come up; on_crash = restart hides it.",
        threshold="Three restarts in 15 minutes: our own judgement, after the kubernetes mixin's "
        "alert on crash loops.",
        queries=(
            'xen_domain_restarts_total{host="$host",domain="$domain"}',
            "sum by (host, event) (xen_toolstack_events_total)",
        ),
        look=(_XEND_LOG, ("xm list --long $domain", "what xend does when it ends"), _XM_LIST),
        act=(
            ("xm pause $domain", "stops it where it is"),
            ("xm destroy $domain", "ends it, and xend does not start it again"),
        ),
        helped=nothing_of(f"{_grown('xen_domain_restarts_total', _ITSELF)} >= 3"),
    ),
    Alert(
        name="XenDomainsCrashing",
        severity=Severity.CRITICAL,
        for_minutes=0,
        unit=Unit.COUNT,
        expr=f"{_NEW_CRASHES} >= 2",
        summary="Domains on $host have crashed $value times lately",
        meaning="Kernels of guests end without being told to. One that crashes again soon after a "
        "restart is not started once more, and then it is gone with all its series: this counter "
        "is the host's, and stays.",
        cause="xend's log names the domains. A kernel or a driver that does not come up, a disk "
        "that is missing, or somebody who has crashed them (xm sysrq DOMAIN c).",
        threshold="Two crashes in 15 minutes: our own judgement. xend itself gives up on a domain "
        "whose second crash comes within 20 s.",
        queries=("sum by (host, event) (xen_toolstack_events_total)", "xen_domain_restarts_total"),
        look=(
            (_XEND_LOG[0], "which domains have crashed, and whether they were started again"),
            _XM_LIST,
        ),
        act=(
            ("", "Start the domain paused (xm create -p), and read its console when it goes on."),
            ("", "Set on_crash = 'preserve' in its configuration, to look at what is left of it."),
        ),
        helped=nothing_of(f"{_NEW_CRASHES} >= 2"),
    ),
)
