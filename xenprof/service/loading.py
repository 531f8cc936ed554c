"""Finds exporters by entry points, as they live above this package, and runs them."""

import logging
import time
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points

from starlette.routing import Route

from xenprof.service.exporter import (
    ENTRY_POINT_GROUP,
    CollectorStats,
    CreateExporter,
    Exporter,
    ExporterSettings,
    SnapshotSource,
)

log = logging.getLogger(__name__)

Loaders = Mapping[str, Callable[[], CreateExporter]]
"""Functions that import an exporter, by name."""


def installed() -> Loaders:
    """Return the exporters that installed packages offer."""
    return {point.name: point.load for point in entry_points(group=ENTRY_POINT_GROUP)}


class Exporters:
    """Runs the exporters of a service. One that fails is logged and counted, the others run on."""

    def __init__(self, loaders: Loaders) -> None:
        """Keep the loaders; nothing is imported before `create`."""
        self._loaders = loaders
        self._running: dict[str, Exporter] = {}
        self._stats: dict[str, CollectorStats] = {}  # of creating and starting

    @property
    def stats(self) -> Mapping[str, CollectorStats]:
        """Return the last run of each exporter by name, or its start if there was none."""
        stats = dict(self._stats)
        for name, exporter in self._running.items():
            last_run = exporter.last_run
            if last_run is not None and stats[name].success:
                stats[name] = last_run
        return stats

    def create(self, source: SnapshotSource, settings: ExporterSettings) -> None:
        """Import and build all exporters."""
        for name, load in sorted(self._loaders.items()):

            def build(load: Callable[[], CreateExporter] = load, name: str = name) -> None:
                exporter = load()(source, settings)
                if exporter is not None:
                    self._running[name] = exporter

            self._attempt(name, build)
            if name not in self._running and self._stats[name].success:
                del self._stats[name]  # it has nothing to do

    @property
    def routes(self) -> list[Route]:
        """Return the HTTP routes of all exporters."""
        return [route for exporter in self._running.values() for route in exporter.routes]

    def start(self) -> None:
        """Start all exporters."""
        for name, exporter in self._running.items():
            self._attempt(name, exporter.start)

    def close(self) -> None:
        """Close all exporters."""
        for name, exporter in self._running.items():
            self._attempt(name, exporter.close)

    def _attempt(self, name: str, act: Callable[[], None]) -> None:
        began = time.monotonic()
        try:
            act()
        except Exception as error:  # the service runs on after any error of an exporter
            log.exception("exporter %s failed: %s", name, error)
        else:
            if name not in self._stats or self._stats[name].success:
                self._stats[name] = CollectorStats(True, time.monotonic() - began)
            return
        self._stats[name] = CollectorStats(False, time.monotonic() - began)
