"""Writes the series of one host, metric by metric, and keeps what is the same next time."""

from collections.abc import Callable

from exporters.labels import BENEFICIARY, DOMAIN
from exporters.metric import NS_PER_SECOND, Kind, Labels, Metric
from exporters.scopes import Each, View
from exporters.scrape.families import Buckets, Column, Family, Numbers, WithCreated, has_created
from exporters.scrape.labels import LabelTexts
from exporters.scrape.wanted import Wanted
from hypervisor.telemetry import HostSnapshot
from xenprof.service.exporter import ServiceStats

_RESTARTING = {"xen_xenoprof_samples_total", "xen_xenoprof_idle_samples_total"}
"""Counters that go back to 0 with each session: when that was is not in a snapshot."""


class HostLines:
    """Keeps the texts of a host: its labels, and the lines of its metrics as last written."""

    def __init__(self, name: str) -> None:
        """`name` is the label `host` of all series."""
        self._labels = LabelTexts(name)
        self._view: View | None = None
        self._families: dict[tuple[str, bool], Family] = {}  # by metric and "with exemplars"

    def page(
        self, host: HostSnapshot, stats: ServiceStats, wanted: Wanted, *, openmetrics: bool
    ) -> "Page":
        """Return what writes a snapshot; it is to be closed."""
        return Page(self, View(host, self._view), stats, wanted, openmetrics=openmetrics)

    def keep(self, view: View) -> None:
        """Keep what a page has found for the next one."""
        view.forget()
        self._view = view

    def lines(self, page: "Page", metric: Metric, column: Column) -> bytes:
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


class Page:
    """One rendering of one host."""

    def __init__(
        self,
        kept: HostLines,
        view: View,
        stats: ServiceStats,
        wanted: Wanted,
        *,
        openmetrics: bool,
    ) -> None:
        """`kept` writes the lines."""
        self.stats = stats
        self.wanted = wanted
        self.openmetrics = openmetrics
        self._kept = kept
        self._view = view

    def lines(self, metric: Metric) -> bytes:
        """Return the lines of a metric."""
        return self._kept.lines(self, metric, self._column(metric))

    def close(self) -> None:
        """Let the next rendering use what this one has found."""
        self._kept.keep(self._view)

    def _column(self, metric: Metric) -> Column:
        points = metric.points
        if isinstance(points, Each) and not self.wanted.domains:
            return points.columns(self._view)
        found = list(points(self._view.host, self.stats))
        if self.wanted.domains and DOMAIN in metric.labels:
            place = metric.labels.index(DOMAIN)
            found = [point for point in found if point[0][place] in self.wanted.domains]
        return [labels for labels, _ in found], [value for _, value in found]

    def created(self, metric: Metric) -> Callable[[Labels], float | None]:
        """Return what tells when a series of a metric began: its domain, its host, or the service.

        What a domain did for another began when there were both. None: nobody knows, as of a domain
        that has ended.
        """
        if metric.name in _RESTARTING:
            return lambda _: None
        host = self._view.host
        started = self.stats.started_unix
        if DOMAIN not in metric.labels:
            # A host that is watched counted before the service was; when that began moves with
            # its clock.
            is_watched = host.boot is not None and metric.name.startswith("xen_")
            return lambda _: None if is_watched else started
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
