"""Renders a snapshot in the Prometheus text formats, fast: what is the same is not written anew.

prometheus-client's `generate_latest` gives the same with many times the work; a test compares the
two.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from exporters.attempts import Attempts, FailingMetrics
from exporters.catalogue import GROUPS
from exporters.catalogue.collectors import COLLECTORS
from exporters.labels import BENEFICIARY, DOMAIN
from exporters.metric import NS_PER_SECOND, Kind, Labels, Metric
from exporters.scopes import Each, View
from exporters.scrape.families import Buckets, Column, Family, Numbers, WithCreated, has_created
from exporters.scrape.labels import LabelTexts, escape, escape_help
from exporters.scrape.wanted import EVERYTHING, Wanted
from hypervisor.telemetry import HostSnapshot
from xenprof.service.exporter import ServiceStats

_TEXT_TYPES = {Kind.COUNTER: "counter", Kind.HISTOGRAM: "histogram"}
_OPENMETRICS_TYPES = {**_TEXT_TYPES, Kind.INFO: "info"}
"""All other kinds are gauges. So is a stateset, because in OpenMetrics its label would have the
name of the metric instead of `state`."""

_RESTARTING = {"xen_xenoprof_samples_total", "xen_xenoprof_idle_samples_total"}
"""Counters that go back to 0 with each session: when that was is not in a snapshot."""


class Renderer:
    """Renders the groups of a catalogue, and then how that went.

    It must not be used by two threads at a time.
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
        self._labels = LabelTexts("")
        self._host: str | None = None
        self._view: View | None = None
        self._families: dict[tuple[str, bool], Family] = {}  # by metric and "with exemplars"
        self._heads: dict[tuple[str, bool], bytes] = {}  # by metric and "as OpenMetrics"

    def render(
        self,
        host: HostSnapshot,
        stats: ServiceStats,
        *,
        openmetrics: bool,
        wanted: Wanted = EVERYTHING,
    ) -> bytes:
        """Return a scrape, in text format 0.0.4 or OpenMetrics 1.0."""
        return b"".join(self.pieces(host, stats, openmetrics=openmetrics, wanted=wanted))

    def pieces(
        self,
        host: HostSnapshot,
        stats: ServiceStats,
        *,
        openmetrics: bool,
        wanted: Wanted = EVERYTHING,
    ) -> list[bytes]:
        """Return the same in pieces, which are kept as long as they are the same."""
        if self._host != host.host:
            self._host, self._labels = host.host, LabelTexts(host.host)
            self._families.clear()
            self._view = None
        page = _Page(self, View(host, self._view), stats, openmetrics, wanted)
        attempts = Attempts(filter(wanted.has_group, self._groups), self._failing, self._clock)
        pieces: list[bytes] = []
        for group, metrics in self._groups.items():
            for metric in metrics if wanted.has_group(group) else ():
                if wanted.has_metric(metric):
                    pieces += attempts.attempt(group, metric, page.family) or ()
        page.stats = replace(stats, collectors={**stats.collectors, **attempts.runs()})
        for metric in self._last:
            if wanted.has_metric(metric):
                pieces += attempts.attempt("", metric, page.family) or ()
        page.view.forget()
        self._view = page.view
        if openmetrics:
            pieces.append(b"# EOF\n")
        return pieces

    def head(self, metric: Metric, *, openmetrics: bool) -> bytes:
        """Return the lines before the series of a metric."""
        key = (metric.name, openmetrics)
        head = self._heads.get(key)
        if head is None:
            text = _openmetrics_head(metric) if openmetrics else _text_head(metric)
            head = self._heads[key] = text.encode()
        return head

    def lines(self, page: "_Page", metric: Metric, column: Column) -> bytes:
        """Return the lines of a metric on a page."""
        is_histogram = metric.kind is Kind.HISTOGRAM
        key = (metric.name, is_histogram and page.openmetrics)
        family = self._families.get(key)
        if family is None:
            family = self._families[key] = (
                Buckets(metric, self._labels, has_exemplars=page.openmetrics)
                if is_histogram
                else Numbers(metric, self._labels)
            )
        if page.wanted.created and page.openmetrics and has_created(metric):
            return WithCreated(metric, self._labels, family, page.created(metric)).lines(column)
        return family.lines(column)


class _Page:
    """One rendering."""

    def __init__(
        self,
        renderer: Renderer,
        view: View,
        stats: ServiceStats,
        openmetrics: bool,
        wanted: Wanted,
    ) -> None:
        self.view = view
        self.stats = stats
        self.openmetrics = openmetrics
        self.wanted = wanted
        self._renderer = renderer

    def family(self, metric: Metric) -> tuple[bytes, bytes]:
        """Return the head of a metric and its lines."""
        lines = self._renderer.lines(self, metric, self._column(metric))
        return self._renderer.head(metric, openmetrics=self.openmetrics), lines

    def _column(self, metric: Metric) -> Column:
        points = metric.points
        if isinstance(points, Each) and not self.wanted.domains:
            return points.columns(self.view)
        found = list(points(self.view.host, self.stats))
        if self.wanted.domains and DOMAIN in metric.labels:
            place = metric.labels.index(DOMAIN)
            found = [point for point in found if point[0][place] in self.wanted.domains]
        return [labels for labels, _ in found], [value for _, value in found]

    def created(self, metric: Metric) -> Callable[[Labels], float | None]:
        """Return what tells when a series of a metric began: its domain, or the service.

        What a domain did for another began when there were both. None: nobody knows, as of a domain
        that has ended.
        """
        if metric.name in _RESTARTING:
            return lambda _: None
        started = self.stats.started_unix
        if DOMAIN not in metric.labels:
            return lambda _: started
        host = self.view.host
        places = [metric.labels.index(one) for one in (DOMAIN, BENEFICIARY) if one in metric.labels]
        boot_ns = host.unix_ns - host.time_ns
        known = {
            domain.name: (boot_ns + domain.created_ns) / NS_PER_SECOND
            for domain in host.domains
            if domain.created_ns is not None
        }
        of_domain = metric.labels.index(DOMAIN)
        return lambda labels: (
            max(known[labels[place]] for place in places if labels[place] in known)
            if labels[of_domain] in known
            else None
        )


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
