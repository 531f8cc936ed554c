"""Alerts about who gets the processors."""

from dashboards.rules.recordings import VCPUS
from dashboards.rules.rule import Alert, Severity, Unit, nothing_of

_STARVED = "xen:domain_steal:ratio_rate5m > 0.1 and xen:domain_satisfied:ratio_rate5m < 0.5"
_ITSELF = '{host="$host",domain="$domain"}'
_DOMAIN0_BUSY = f'xen:domain_cpu:rate5m{{domain="Domain-0"}} / on (host, domain) {VCPUS}'
_CAUSED = "xen:domain_caused_cpu:rate5m"
_PLACES = "max_over_time(xen:domain_pcpu:rate5m[5m])"
_NEAR = f"({_PLACES} and on (host, cpu) ({_PLACES} and on (host, domain) ({_STARVED})))"
_SERVED = (
    "label_join(max by (host, on_behalf_of) (xen:domain_on_behalf:ratio_rate5m > 0.1 "
    f'and on (host, domain) {_NEAR}), "domain", "", "on_behalf_of")'
)
_SUSPECTS = (
    f"{_CAUSED} and on (host, domain) {_NEAR} or {_CAUSED} and on (host, domain) {_SERVED} or "
    f"{_CAUSED} and on (host) ({_STARVED} unless on (host, domain) {_PLACES})"
)
"""Those who were where a starved domain was: they, or the driver domain that works for them. All of
a host where it is unknown who was where."""
_WHO_WAITS = "topk by (host) (5, xen:domain_steal:ratio_rate5m)"
_WHO_CAUSES = "topk by (host) (5, xen:domain_caused_cpu:rate5m)"
_TOP_COMMAND = ("xentop -b -i 2 -d 5", "CPU(%) of every domain: who uses the processors")
_MON = (
    "xenprof xenmon --notlive --time 5 --interval 1000",
    "for each domain what it got, waited for and spent blocked, in files log-domN.log",
)
_VCPUS = ("xm vcpu-list", "where vcpus run, and whether pinning crowds several on one processor")

ALERTS = (
    Alert(
        name="XenDomainStarved",
        severity=Severity.CRITICAL,
        for_minutes=5,
        unit=Unit.RATIO,
        expr=_STARVED,
        summary="$domain on $host waits for a processor $value of its time and runs less than half "
        "of the time that it wants to",
        meaning="The domain is ready to run, and for longer than it runs, others have the "
        "processors. Its programs are slow whatever they do; its own tools show it as steal.",
        cause="Another domain computes all the time and has a larger weight, or vcpus of several "
        "domains are pinned to the same processors, or the host simply has too few of them.",
        threshold="More waiting than running, and at least a tenth of the time: our own judgement. "
        "It is stricter than practice for steal (XenStealHigh), so it may act sooner.",
        queries=(_WHO_WAITS, _WHO_CAUSES, "xen_domain_sched_weight"),
        look=(
            _TOP_COMMAND,
            ("xm sched-credit -d $domain", "its weight and cap; 256 and 0 are the defaults"),
            _VCPUS,
            _MON,
        ),
        act=(
            ("", "Find the domain that causes it: see XenNoisyNeighbour."),
            ("xm sched-credit -d $domain -w 512", "gives it twice the share of a default domain"),
            ("xm vcpu-pin $domain 0 0-1", "lets a vcpu that was pinned run on more processors"),
        ),
        helped=f"xen:domain_steal:ratio_rate5m{_ITSELF} <= 0.1 or "
        f"xen:domain_satisfied:ratio_rate5m{_ITSELF} >= 0.5",
    ),
    Alert(
        name="XenNoisyNeighbour",
        severity=Severity.WARNING,
        for_minutes=5,
        unit=Unit.COUNT,
        expr=f"topk by (host) (1, {_SUSPECTS}) unless on (host, domain) ({_STARVED})",
        summary='$domain on $host keeps {{ printf "%.1f" $value }} processors busy, for which '
        "others wait: {{ range $i, $row := query (printf "
        '"sort_desc(xen:domain_steal:ratio_rate5m{host=%q} > 0.1 and '
        'xen:domain_satisfied:ratio_rate5m < 0.5)" $labels.host) }}'
        "{{ if $i }}, {{ end }}{{ $row.Labels.domain }} {{ $row.Value | humanizePercentage }} "
        "of its time{{ end }}",
        meaning="A domain of this host is starved, and of those that ran on the same processors "
        "this one uses most: its own time and what domain 0 does on its behalf count together. "
        "Starved domains that are pinned to other processors wait for others.",
        cause="Its weight is larger than its neighbours', it has no cap, or it has more vcpus "
        "than they have and never sleeps. Where its time is domain 0's, it is heavy traffic.",
        threshold="One that is starved as in XenDomainStarved, and the largest consumer of those "
        "that were on a processor of it, or of all where that is unknown; none if that one is "
        "starved, too: our own judgement.",
        queries=(
            _WHO_CAUSES,
            _WHO_WAITS,
            'xen:domain_pcpu:rate5m{host="$host"}',
            "xen:domain_on_behalf:ratio_rate5m",
        ),
        look=(
            ("xm sched-credit -d $domain", "its weight and cap; compare those of its neighbours"),
            _TOP_COMMAND,
            (
                "xenprof profile --active 0,$domain --for 5s",
                "what it computes (just 0 for Domain-0; an HVM guest goes after --passive)",
            ),
            _VCPUS,
        ),
        act=(
            ("xm sched-credit -d $domain -w 256", "gives it the weight of all others"),
            ("xm sched-credit -d $domain -c 100", "lets it use one processor at most"),
            ("xm vcpu-set $domain 1", "takes vcpus away from it"),
        ),
        helped=nothing_of(_STARVED),
    ),
    Alert(
        name="XenStealSustained",
        severity=Severity.INFO,
        for_minutes=30,
        unit=Unit.RATIO,
        expr="xen:domain_steal:ratio_rate5m > 0.05",
        summary="$domain on $host often waits for a processor, $value of its time",
        meaning="The domain often finds the processors taken. Short waits hurt only programs that "
        "must answer quickly.",
        cause="The host is well used. A domain that computes all the time, so that it is never "
        "blocked, always waits where others run too: then this is its share and no fault.",
        threshold="More than 5 % for 30 minutes, as alerts on steal in use elsewhere have it "
        "(rwlove/home-ops #12564; 5 % of ready time is called fine in VMware's practice).",
        queries=(
            _WHO_WAITS,
            f"xen:domain_blocked:ratio_rate5m{_ITSELF}",
            f"xen:domain_wait_seconds:p99_rate5m{_ITSELF}",
        ),
        look=(_MON, _TOP_COMMAND),
        act=(
            ("", "If it is never blocked: nothing. A larger share would starve the others."),
            ("xm sched-credit -d $domain -w 512", "gives it a larger share, if it also sleeps"),
            ("", "Move a domain to another host, or give this one fewer domains."),
        ),
        helped=f"xen:domain_steal:ratio_rate5m{_ITSELF} <= 0.05",
    ),
    Alert(
        name="XenStealHigh",
        severity=Severity.WARNING,
        for_minutes=20,
        unit=Unit.RATIO,
        expr="xen:domain_steal:ratio_rate5m > 0.1 "
        "unless on (host, domain) xen:domain_blocked:ratio_rate5m < 0.01",
        summary="$domain on $host waits for a processor $value of its time",
        meaning="The domain waits so much that its users notice.",
        cause="More busy vcpus than processors, or others with larger weights.",
        threshold="More than 10 % for 20 minutes (kube-prometheus #796; 10 % of ready time hurts, "
        "as VMware's practice has it). Not of a domain that is blocked less than 1 % of its time: "
        "one that computes all the time waits wherever others run, which is its share. Of that "
        "XenStealSustained tells, and XenDomainStarved if it gets less than half.",
        queries=(_WHO_WAITS, _WHO_CAUSES, "xen:host_busy:ratio_rate5m"),
        look=(_MON, _VCPUS, _TOP_COMMAND),
        act=(
            ("xm sched-credit -d $domain -w 512", "gives it twice the share of a default domain"),
            ("xm vcpu-pin $domain 0 0-1", "lets a vcpu that was pinned run on more processors"),
        ),
        helped=f"xen:domain_steal:ratio_rate5m{_ITSELF} <= 0.1 or "
        f"xen:domain_blocked:ratio_rate5m{_ITSELF} < 0.01",
    ),
    Alert(
        name="XenDomainCapped",
        severity=Severity.INFO,
        for_minutes=15,
        unit=Unit.RATIO,
        expr="xen:domain_capped:ratio_rate5m > 0.1",
        summary="$domain on $host was kept from running by its own cap for $value of its time",
        meaning="The domain wants more than its cap allows. Processors may be idle meanwhile: this "
        "is no lack of them.",
        cause="Somebody set a cap, and the load has grown beyond it.",
        threshold="A tenth of the time for 15 minutes: our own judgement.",
        queries=(
            'xen:domain_capped:ratio_rate5m{host="$host",domain="$domain"}',
            'xen_domain_sched_cap_ratio{host="$host",domain="$domain"}',
        ),
        look=(("xm sched-credit -d $domain", "its cap, in percent of one processor"), _TOP_COMMAND),
        act=(
            ("xm sched-credit -d $domain -c 0", "takes the cap away"),
            ("", "If the cap is what was sold, tell the owner: nothing is wrong with the host."),
        ),
        helped=f"xen:domain_capped:ratio_rate5m{_ITSELF} <= 0.1",
    ),
    Alert(
        name="XenDomain0Saturated",
        severity=Severity.CRITICAL,
        for_minutes=10,
        unit=Unit.RATIO,
        expr=f"{_DOMAIN0_BUSY} > 0.8",
        summary="Domain 0 of $host uses $value of its vcpus: disk and network of all guests depend "
        "on it",
        meaning="Domain 0 carries out the disk and network requests of every guest. When its vcpus "
        "are busy, all guests wait for answers.",
        cause="A guest with very much traffic, most often of small packets; too few vcpus in "
        "domain 0; or programs that run in domain 0 itself.",
        threshold="More than 80 % for 10 minutes: our own judgement.",
        queries=(
            'topk by (host) (5, xen:domain_on_behalf:ratio_rate5m{domain="Domain-0"})',
            'sum by (host, mode) (rate(xen_domain_cpu_mode_seconds_total{domain="Domain-0"}[5m]))',
        ),
        look=(
            ("xentop -b -n -i 2 -d 5", "the traffic of each domain's interfaces"),
            ("xenprof profile --active 0 --for 5s", "which code of domain 0 takes the time"),
        ),
        act=(
            ("xm vcpu-set Domain-0 2", "gives domain 0 more vcpus, up to what it booted with"),
            ("xm sched-credit -d Domain-0 -w 512", "lets it run before the guests"),
            ("", "Limit the traffic of the guest that it works for (rate= of its interface)."),
        ),
        helped=nothing_of(f"{_DOMAIN0_BUSY} > 0.8"),
    ),
)
