"""Lists the recording rules: the figures that alerts, dashboards and people ask for.

Rates are per second of the host's clock: they are divided by its speed, which is that of the model
and 1 of a real host. Where a host was read in a part of the window only, both rates are less by as
much. A rule may use those above it.

A host that is scraped twice, or under a new address, has two series where there is one else. So all
series are joined by host and domain, never as they are; what is counted twice is divided by the
speed, which is so, too.
"""

from dashboards.promql import in_one_session
from dashboards.rules.rule import Recording

VCPUS = "max by (host, domain) (xen_domain_vcpus_online)"
SPEED = "xen:host_model_speed:ratio_rate5m"
_PER_HOST = f"/ on (host) group_left () {SPEED}"


def rate(metric: str, by: str, labels: str = "") -> str:
    """Return the sum of a counter's rates per virtual second by host and the labels `by`."""
    series = f"{metric}{{{labels}}}" if labels else metric
    group = f"host, {by}" if by else "host"
    return f"sum by ({group}) (rate({series}[5m])) {_PER_HOST}"


def _quantile(metric: str, by: str) -> str:
    return f"histogram_quantile(0.99, sum by (host, {by}, le) (rate({metric}_bucket[5m])) > 0)"


def _of_vcpus(rated: str) -> str:
    return f"{rated} / on (host, domain) {VCPUS}"


_BEHALF = 'rate(xen_domain_on_behalf_seconds_total{on_behalf_of!="(ended)"}[5m])'
"""Without (ended): what was done for a domain moves there when it ends, which is no time spent."""

_IDLE = 'mode="idle"'  # a real host knows no other mode
_RUNNING = 'state="running"'
_IN_STATE = 'sum by (host, domain) (rate(xen_vcpu_state_seconds_total{state="%s"}[5m]))'
_EVENTS = 'xen_profile_events_total{measures="%s"}[5m]'
_TOGETHER = ", while one session samples both and none has sampled one alone within the window."
_DROPS = "sum by (host, domain, vif) (rate(xen_vif_drops_total[5m]))"
_PACKETS = " + ".join(
    f"sum by (host, domain, vif) (rate(xen_vif_{way}_packets_total[5m]))"
    for way in ("receive", "transmit")
)
_LOST = "sum by (host, domain) (rate(xenprof_samples_lost_total[5m]))"
_STORED = "sum by (host, domain) (rate(xen_profile_samples_total[5m]))"

RECORDINGS = (
    Recording(
        SPEED,
        "Seconds of a host's clock per second: the speed of a model, 1 of a real host, less where "
        "it was not read all the time; of all scrapes of a host together.",
        "sum by (host) (rate(xen_host_uptime_seconds_total[5m]))",
    ),
    Recording(
        "xen:host_busy:ratio_rate5m",
        "Share of the physical processors' time in which they were not idle.",
        f"1 - {rate('xen_pcpu_seconds_total', '', _IDLE)} / on (host) "
        f"count by (host) (count by (host, cpu) (xen_pcpu_seconds_total{{{_IDLE}}}))",
    ),
    Recording(
        "xen:domain_cpu:rate5m",
        "Physical processors that a domain uses.",
        rate("xen_domain_cpu_seconds_total", "domain"),
    ),
    Recording(
        "xen:vcpu_steal:ratio_rate5m",
        "Share of its time for which a vcpu wanted to run and waited for a processor.",
        rate("xen_vcpu_state_seconds_total", "domain, vcpu", 'state="runnable"'),
    ),
    Recording(
        "xen:domain_steal:ratio_rate5m",
        "The same for all online vcpus of a domain together.",
        _of_vcpus(rate("xen_vcpu_state_seconds_total", "domain", 'state="runnable"')),
    ),
    Recording(
        "xen:domain_blocked:ratio_rate5m",
        "Share of its time for which the online vcpus of a domain wanted no processor.",
        _of_vcpus(rate("xen_vcpu_state_seconds_total", "domain", 'state="blocked"')),
    ),
    Recording(
        "xen:domain_capped:ratio_rate5m",
        "Share of its time for which the online vcpus of a domain were parked by its cap.",
        _of_vcpus(rate("xen_vcpu_capped_seconds_total", "domain")),
    ),
    Recording(
        "xen:domain_satisfied:ratio_rate5m",
        "Share of the time for which a domain wanted to run in which it did run, where waits are "
        "known.",
        f"{_IN_STATE % 'running'} / ({_IN_STATE % 'running'} + {_IN_STATE % 'runnable'})",
    ),
    Recording(
        "xen:domain_wait_seconds:p99_rate5m",
        "The 99th percentile of a domain's waits for a processor, by what made it wait.",
        _quantile("xen_vcpu_wait_seconds", "domain, cause"),
    ),
    Recording(
        "xen:domain_on_behalf:ratio_rate5m",
        "Share of a driver domain's time by the domain that it worked for, of those still there.",
        f"sum by (host, domain, on_behalf_of) ({_BEHALF}) / "
        f"on (host, domain) group_left () sum by (host, domain) ({_BEHALF})",
    ),
    Recording(
        "xen:domain_caused_cpu:rate5m",
        "Physical processors that a domain keeps busy: its own time, and that of driver domains "
        "on its behalf.",
        f"sum by (host, domain) (label_replace(sum by (host, on_behalf_of) ({_BEHALF}), "
        '"domain", "$1", "on_behalf_of", "(.+)") or '
        "(sum by (host, domain) (rate(xen_domain_cpu_seconds_total[5m])) "
        f"unless on (host, domain) xen_domain_on_behalf_seconds_total)) {_PER_HOST}",
    ),
    Recording(
        "xen:domain_pcpu:rate5m",
        "Physical processors that the vcpus of a domain use, by that, `cpu`, which they run on or "
        "last ran on.",
        "sum by (host, domain, cpu) (count_values by (host, domain, vcpu) "
        '("cpu", max by (host, domain, vcpu) (xen_vcpu_pcpu)) * on (host, domain, vcpu) '
        "group_left () sum by (host, domain, vcpu) "
        f"(rate(xen_vcpu_state_seconds_total{{{_RUNNING}}}[5m]))) {_PER_HOST}",
    ),
    Recording(
        "xen:domain_cycles_per_instruction:ratio_rate5m",
        f"Cycles per instruction of a domain{_TOGETHER}",
        in_one_session(_EVENTS, "cycles", "instructions"),
    ),
    Recording(
        "xen:domain_cache_misses_per_kilo_instruction:rate5m",
        f"Cache misses of a domain in 1000 instructions{_TOGETHER}",
        f"1000 * {in_one_session(_EVENTS, 'cache_misses', 'instructions')}",
    ),
    Recording(
        "xen:vbd_latency_seconds:p99_rate5m",
        "The 99th percentile of the latency of a block device, by operation.",
        _quantile("xen_vbd_latency_seconds", "domain, vbd, operation"),
    ),
    Recording(
        "xen:vif_dropped:ratio_rate5m",
        "Share of the packets of an interface, in both directions, that were dropped.",
        f"{_DROPS} / ({_DROPS} + {_PACKETS} > 0)",
    ),
    Recording(
        "xen:vif_rate_limited:ratio_rate5m",
        "Share of its time for which an interface held packets back for its rate limit.",
        rate("xen_vif_rate_limited_seconds_total", "domain, vif"),
    ),
    Recording(
        "xen:domain_samples_lost:ratio_rate5m",
        "Share of a domain's profile samples that were lost on the way.",
        f"{_LOST} / ({_LOST} + ({_STORED} or 0 * {_LOST}) > 0)",
    ),
    Recording(
        "xen:host_profiling_overhead:ratio_rate5m",
        "Share of the physical processors' time that profiling itself takes.",
        f"{rate('xen_profile_overhead_seconds_total', '')} / on (host) "
        "count by (host) (count by (host, cpu) (xen_pcpu_info))",
    ),
)
"""In the order in which Prometheus evaluates them."""
