"""Prints the catalogue as a document (`python -m exporters.reference > docs/metrics.md`)."""

import sys

from exporters.catalogue import GROUPS, HOST_ATTRIBUTE
from exporters.catalogue.collectors import COLLECTORS
from exporters.metric import Metric
from exporters.scrape.renderings import MOST_WAITING
from exporters.scrape.wanted import MOST_CHARACTERS, MOST_VALUES

_HEAD = f"""# Metrics

Written by `python -m exporters.reference`. Every series has the label `host`, which is the
resource attribute `{HOST_ATTRIBUTE}` in OpenTelemetry. What a host does not know has no series.
Rates per second of the host: divide by `rate(xen_host_uptime_seconds_total[...])`, which is the
speed of the model, and less than 1 where the host was not read for all of the window.

**Collectors.** The metrics are collected in groups: {", ".join(f"`{group}`" for group in GROUPS)}.
A metric that fails is left out of the scrape and logged once; `xenprof_collector_success` of its
group is 0 then, and 1 where a host has nothing to tell of it, as of a toolstack on a watched host.
A host that is down has no series of it. Durations are those of the scrape.

**Scraping a part.** `collect[]=GROUP`, `name[]=METRIC` (exact; the name of a sample, a metric or a
family) and `domain[]=NAME` may be given several times, {MOST_VALUES} parameters in all of at most
{MOST_CHARACTERS} characters; of domains that are not named there are no series. Other parameters
are refused with 400. A whole scrape is rendered once for all who ask for the same snapshot, a part
for each, after the whole ones that wait; {MOST_WAITING} may wait, and more get 503. With
`X-Prometheus-Scrape-Timeout-Seconds`, which Prometheus sends, an answer that cannot be ready in
time is 503.

**Created timestamps.** With `created=true`, scrapes as OpenMetrics have a sample `_created` for
each counter and histogram: when its domain was created, else when the service started. Where that
is not known there is none: for domains that have ended, for a watched host as a whole, and for
`xen_xenoprof_*`, which goes back to 0 with each session. They are not there by default because
Prometheus stores them as series of their own, which adds a third.

**Exemplars.** In OpenMetrics, buckets of `xen_vcpu_wait_seconds`, `xen_vbd_latency_seconds` and
`xen_toolstack_operation_seconds` lead by `trace_id` to the operation of xend that was measured, or
to the profiling session that ran meanwhile. Prometheus keeps them with
`--enable-feature=exemplar-storage`. A `trace_id` is looked up where traces are sent by OTLP (Tempo,
Jaeger), or without such a receiver in `/api/v1/snapshot`: an operation is in `last_operations`, the
last 256 of them, and the session that counts now in `profiling`.

**Names that change.** The label `domain` is the name that `xm list` shows at that moment, as the
original does: a domain that was destroyed is `Zombie-NAME` until its last pages are let go, and one
that is being saved is `migrating-NAME`. Its series go on under that name, and those of `NAME` end;
match `domain=~"(Zombie-|migrating-)?NAME"` to follow both.

**Ratios of events.** Cycles per instruction, and cache misses per 1000 instructions, need both
events of `xen_profile_events_total` in one session: on `p4` and `p4-ht` (no session there can count
all three), `GLOBAL_POWER_EVENTS:1000000:1` and `INSTR_RETIRED:1000000:1`, or
`BSQ_CACHE_REFERENCE:10000:0x100` and `INSTR_RETIRED:1000000:1`; each after `--profile` of
`xenprof serve` or `--event` of `xenprof profile`. The rules and dashboards show a ratio only where
both grew together.

**Native histograms and protobuf.** There are none in scrapes: prometheus-client, the library that
Prometheus keeps for Python, writes neither, and buckets with fixed bounds are what the metrics
have. As OTLP, exponential histograms can be had
(`OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION=base2_exponential_bucket_histogram`).

**How many series.** A domain has about 80, each vcpu 17, each interface 17 and each disk 40 (most
of them buckets), each other domain that domain 0 works for 3, and with profiling 20 and a few for
each event; a host has 30 for itself, 730 of its toolstack's operations (most of them buckets), 5
for each processor and what the service tells of itself. 1000
domains with a vcpu, an interface and a disk each make about 160,000. Values of labels come from
the host's domains, devices and images, or from literal sets; none comes from who scrapes.
`xen_profile_symbol_samples_total`, whose values are many, is off by default and bounded.

**The same metrics by OTLP.** Prometheus gives what it receives by OTLP names of its own, made by
the rules of OpenTelemetry from name, unit and kind. They are the same as here, but for rows whose
direction is an attribute, and for `system.*`, `process.*` and `cpython.*`, which are conventions
of OpenTelemetry. Labels have the names of the attributes with underscores (`xen_domain_name`);
`host` becomes `host_name` where Prometheus is told to promote the resource
attribute (`otlp: promote_resource_attributes: [{HOST_ATTRIBUTE}]`).

"""

_TABLE = """
| Prometheus | labels | OpenTelemetry | unit | kind | meaning |
|---|---|---|---|---|---|
"""


def markdown() -> str:
    """Return the whole document."""
    groups = [*GROUPS.items(), ("collectors", COLLECTORS)]
    return _HEAD + "\n".join(
        f"## {group.capitalize()}\n{_TABLE}{''.join(map(_row, metrics))}"
        for group, metrics in groups
    )


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label.name}`" for label in metric.labels)
    direction = "" if metric.attribute is None else " ({}={})".format(*metric.attribute)
    cells = (
        f"`{metric.name}`",
        labels,
        f"`{metric.otel}`{direction}",
        metric.unit,
        metric.kind.value,
        metric.help,
    )
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    sys.stdout.write(markdown())
