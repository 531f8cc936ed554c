"""Alerts about profiling."""

from dashboards.rules.rule import Alert, Severity, Unit

_STATUS = ("opcontrol --status", "events, counts and buffers of the session")

ALERTS = (
    Alert(
        name="XenprofSamplesLost",
        severity=Severity.WARNING,
        for_minutes=5,
        unit=Unit.RATIO,
        expr="xen:domain_samples_lost:ratio_rate5m > 0.05",
        summary="$value of the profile samples of $domain on $host are lost",
        meaning="Samples were taken that are in no profile. A profile without them shows less than "
        "there was, most of all of what was busy while they were lost.",
        cause="The labels stage and reason tell. In the hypervisor or the driver: buffers too "
        "small or a count too low. In the daemon: code outside of the images it was given. In the "
        "store: the disk.",
        threshold="More than 5 % for 5 minutes: our own judgement; oprofile warns of any.",
        queries=(
            'sum by (stage, reason) (rate(xenprof_samples_lost_total{host="$host",'
            'domain="$domain"}[5m]))',
        ),
        look=(_STATUS, ("opreport --merge all", "its notes say what was lost, and why")),
        act=(
            ("opcontrol --setup --buffer-size=262144", "makes the kernel's buffer larger"),
            (
                "opcontrol --setup --event=GLOBAL_POWER_EVENTS:1000000:1",
                "samples less often (opcontrol --shutdown first)",
            ),
        ),
        helped='xen:domain_samples_lost:ratio_rate5m{host="$host",domain="$domain"} <= 0.05',
    ),
    Alert(
        name="XenprofOverheadHigh",
        severity=Severity.WARNING,
        for_minutes=10,
        unit=Unit.RATIO,
        expr="xen:host_profiling_overhead:ratio_rate5m > 0.05",
        summary="Profiling takes $value of the processors of $host",
        meaning="Interrupts, drivers and daemons of the profiler use time that guests could have, "
        "and the profile shows a host that is slower than without it.",
        cause="A count that is too low for the event, or call stacks that are too deep.",
        threshold="More than 5 % for 10 minutes: our own judgement. Today's always-on profilers "
        "promise 1 %, which Xenoprof reaches with larger counts.",
        queries=("sum by (host, domain, stage) (rate(xen_profile_overhead_seconds_total[5m]))",),
        look=(_STATUS,),
        act=(
            ("opcontrol --shutdown", "ends profiling"),
            ("opcontrol --setup --event=GLOBAL_POWER_EVENTS:1000000:1", "samples less often"),
            ("opcontrol --setup --callgraph=0", "records no call stacks"),
        ),
        helped='xen:host_profiling_overhead:ratio_rate5m{host="$host"} <= 0.05',
    ),
)
