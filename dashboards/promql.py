"""Builds PromQL: selections of host, domain and vcpu, rates per virtual second, quantiles.

PromQL's own seconds are those of the wall and of the whole window, so rates are divided by the rate
of the host's clock. It goes at the speed of the model, and misses what was not scraped as they do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

HOST = 'host=~"$host"'
DOMAIN = 'host=~"$host",domain=~"$domain"'
BEHALF = f'{HOST},on_behalf_of!="(ended)"'
"""Domain 0's time for domains that are still there. What it did for one that ends moves to (ended)
at once, which a rate would take for time spent."""
VCPU = 'host=~"$host",domain=~"$domain",vcpu=~"$vcpu"'
RANGE = "[$__rate_interval]"
SPEED = f"sum by (host) (rate(xen_host_uptime_seconds_total{{{HOST}}}{RANGE}))"


@dataclass(frozen=True, slots=True)
class Query:
    """An expression with Grafana's variables in it, and the legend of its series.

    `instant` asks for the present value only (tables and single figures); `heat` asks for the
    buckets of a histogram; `trace` asks for exemplars too.
    """

    expr: str
    legend: str = ""
    instant: bool = False
    heat: bool = False
    trace: bool = False

    def filled(self, variables: Mapping[str, str]) -> str:
        """Return the expression with every `$name` replaced, longest names first."""
        text = self.expr
        for name in sorted(variables, key=len, reverse=True):
            text = text.replace(f"${name}", variables[name])
        return text


def rate(metric: str, by: str, labels: str = DOMAIN) -> str:
    """Return the sum of a counter's rates per virtual second, by `by` (host is added)."""
    summed = f"sum by ({_group(by)}) (rate({metric}{{{labels}}}{RANGE}))"
    return f"{summed} / on (host) group_left () {SPEED}"


def total(metric: str, by: str, labels: str = DOMAIN) -> str:
    """Return the sum of present values, by `by` (host is added)."""
    return f"sum by ({_group(by)}) ({metric}{{{labels}}})"


def share_of_pcpus(seconds_per_second: str) -> str:
    """Return a rate in seconds per second as a share of all pcpus of its host."""
    pcpus = f"count by (host) (count by (host, cpu) (xen_pcpu_info{{{HOST}}}))"
    return f"{seconds_per_second} / on (host) group_left {pcpus}"


def new(metric: str, by: str, labels: str) -> str:
    """Return a query of a counter's growth in the last interval, without series that did not grow.

    It does not use `increase`, which ignores a series' first value: most crashes are the first.
    The interval is that between two points of a panel, so nothing is shown at two of them.
    """
    series = f"{metric}{{{labels}}}"
    before = f"({series} offset $__interval or 0 * {series})"
    return f"sum by (host, {by}) ({series} - {before}) > 0"


def mean(sums: str, counts: str, by: str, labels: str = DOMAIN) -> str:
    """Return how much of the counter `sums` there is for each of the counter `counts`."""
    group = _group(by)
    return (
        f"sum by ({group}) (rate({sums}{{{labels}}}{RANGE})) / "
        f"(sum by ({group}) (rate({counts}{{{labels}}}{RANGE})) > 0)"
    )


def in_one_session(series: str, of: str, by: str) -> str:
    """Return how many events `of` there are for each event `by`, if both were sampled together.

    They were where both counters grew in the same scrapes, but for one in twenty. Otherwise one
    has events of a session that did not count the other, and there is no ratio. `series` selects
    counters in a range, with %s where the name of what they measure belongs.
    """
    events = f"sum by (host, domain) (rate({series}))"
    grown = f"max by (host, domain) (changes({series}))"
    return (
        f"{events % of} / ({events % by} > 0) and on (host, domain) "
        f"(abs({grown % of} - {grown % by}) <= 0.05 * {grown % by})"
    )


def quantile(share: float, histogram: str, by: str, labels: str = DOMAIN) -> str:
    """Return the value below which this share of a histogram's newest values is, if any are new."""
    buckets = f"sum by ({_group(by)}, le) (rate({histogram}_bucket{{{labels}}}{RANGE}))"
    return f"histogram_quantile({share:g}, {buckets}) >= 0"


def heat(histogram: str, labels: str = DOMAIN) -> Query:
    """Return the buckets of a histogram over time, in values per virtual second."""
    return Query(f"sum by (le) ({rate(f'{histogram}_bucket', 'le', labels)})", "{{le}}", heat=True)


def state(metric: str, by: str, label: str, states: Sequence[str], labels: str = DOMAIN) -> str:
    """Return which of `states` is 1, by its place, the last if there are several; 0 is the first.

    The first of `states` is that of a series in none of the others.
    """
    each = " or ".join(
        f'{place} * {metric}{{{labels},{label}="{name}"}}'
        for place, name in enumerate(states)
        if place
    )
    return f"max by ({_group(by)}) ({each})"


def top(expr: str) -> str:
    """Return the series with the largest values, as many as the user has chosen."""
    return f"topk($topn, {expr})"


def now(query: Query) -> Query:
    """Return a query of the present value only."""
    return replace(query, instant=True)


def table(expr: str) -> Query:
    """Return a column of a table, or its labels."""
    return Query(expr, instant=True)


def _group(by: str) -> str:
    return f"host, {by}" if by else "host"
