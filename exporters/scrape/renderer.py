"""Renders snapshots in the Prometheus text formats, fast: what is the same is not written anew.

prometheus-client's `generate_latest` gives the same with many times the work; a test compares the
two.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from exporters.attempts import Attempts, FailingMetrics
from exporters.catalogue import GROUPS, OF_SERVICE
from exporters.catalogue.collectors import COLLECTORS
from exporters.metric import Kind, Metric
from exporters.scrape.hostlines import HostLines, Page
from exporters.scrape.labels import escape, escape_help
from exporters.scrape.wanted import EVERYTHING, Wanted
from hypervisor.telemetry import HostSnapshot
from xenprof.service.exporter import ServiceStats

_TEXT_TYPES = {Kind.COUNTER: "counter", Kind.HISTOGRAM: "histogram"}
_OPENMETRICS_TYPES = {**_TEXT_TYPES, Kind.INFO: "info"}
"""All other kinds are gauges. So is a stateset, because in OpenMetrics its label would have the
name of the metric instead of `state`."""

_Collected = tuple[Page, Attempts]


class Renderer:
    """Renders the groups of a catalogue, and then how that went.

    The series of a metric stand together, those of one host after those of the other. What a
    service tells of itself has the name of the first host. It must not be used by two threads at
    a time.
    """

    def __init__(
        self,
        groups: Mapping[str, tuple[Metric, ...]] = GROUPS,
        last: tuple[Metric, ...] = COLLECTORS,
        *,
        failing: FailingMetrics | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`last` are the rows of `xenprof_collector_success`; `clock` returns seconds."""
        self._groups = groups
        self._last = last
        self._failing = FailingMetrics() if failing is None else failing
        self._clock = clock
        self._kept: dict[str, HostLines] = {}  # by host
        self._heads: dict[tuple[str, bool], bytes] = {}  # by metric and "as OpenMetrics"

    def render(
        self,
        host: HostSnapshot,
        stats: ServiceStats,
        *,
        openmetrics: bool,
        wanted: Wanted = EVERYTHING,
    ) -> bytes:
        """Return the scrape of one host, in text format 0.0.4 or OpenMetrics 1.0."""
        return b"".join(self.pieces((host,), stats, openmetrics=openmetrics, wanted=wanted))

    def pieces(
        self,
        hosts: Sequence[HostSnapshot],
        stats: ServiceStats,
        *,
        openmetrics: bool,
        wanted: Wanted = EVERYTHING,
    ) -> list[bytes]:
        """Return a scrape in pieces, which are kept as long as they are the same."""
        collected = self._collected(hosts, stats, wanted, openmetrics=openmetrics)
        pieces: list[bytes] = []
        for group, metrics in self._groups.items():
            shown = collected[:1] if group in OF_SERVICE else collected
            for metric in metrics if wanted.has_group(group) else ():
                if wanted.has_metric(metric):
                    pieces += self._family(group, metric, shown)
        for host, (page, attempts) in zip(hosts, collected, strict=True):
            runs = attempts.runs(is_up=host.is_up)
            page.stats = replace(page.stats, collectors={**page.stats.collectors, **runs})
        for metric in self._last:
            if wanted.has_metric(metric):
                pieces += self._family("", metric, collected)
        for page, _ in collected:
            page.close()
        if openmetrics:
            pieces.append(b"# EOF\n")
        return pieces

    def _collected(
        self,
        hosts: Sequence[HostSnapshot],
        stats: ServiceStats,
        wanted: Wanted,
        *,
        openmetrics: bool,
    ) -> list[_Collected]:
        """Return a page for each host, and the attempts to fill it."""
        self._kept = {
            host.host: self._kept.get(host.host) or HostLines(host.host) for host in hosts
        }
        groups = [group for group in self._groups if wanted.has_group(group)]
        found = []
        for number, host in enumerate(hosts):
            of = f" of {host.host}" if number else ""
            attempts = Attempts(groups, self._failing, self._clock, of)
            kept = self._kept[host.host]
            found.append((kept.page(host, stats, wanted, openmetrics=openmetrics), attempts))
            if not number:  # the others are hosts only, not services
                groups = [group for group in groups if group not in OF_SERVICE]
                stats = replace(stats, collectors={})
        return found

    def _family(self, group: str, metric: Metric, collected: Sequence[_Collected]) -> list[bytes]:
        """Return the head of a metric and its lines of all hosts; nothing if it fails for all."""
        made = [attempts.attempt(group, metric, page.lines) for page, attempts in collected]
        lines = [one for one in made if one is not None]
        return [self._head(metric, collected[0][0].openmetrics), *lines] if lines else []

    def _head(self, metric: Metric, openmetrics: bool) -> bytes:
        """Return the lines before the series of a metric."""
        key = (metric.name, openmetrics)
        head = self._heads.get(key)
        if head is None:
            text = _openmetrics_head(metric) if openmetrics else _text_head(metric)
            head = self._heads[key] = text.encode()
        return head


def openmetrics_type(kind: Kind) -> str:
    """Return the type of a kind in OpenMetrics."""
    return _OPENMETRICS_TYPES.get(kind, "gauge")


def _text_head(metric: Metric) -> str:
    kind = _TEXT_TYPES.get(metric.kind, "gauge")
    return f"# HELP {metric.name} {escape_help(metric.help)}\n# TYPE {metric.name} {kind}\n"


def _openmetrics_head(metric: Metric) -> str:
    name, unit = metric.family, metric.prometheus_unit
    head = f"# HELP {name} {escape(metric.help)}\n# TYPE {name} {openmetrics_type(metric.kind)}\n"
    return f"{head}# UNIT {name} {unit}\n" if unit else head
