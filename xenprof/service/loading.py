"""Finds and runs the exporters: entry points, so that they may live above this package."""

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
"""What imports each exporter, by name."""


def installed() -> Loaders:
    """Return the exporters that installed packages offer."""
    return {point.name: point.load for point in entry_points(group=ENTRY_POINT_GROUP)}


class Exporters:
    """The exporters of a service. One that fails is logged and counted, the others run on."""

    def __init__(self, loaders: Loaders) -> None:
        """Nothing is imported before `create`."""
        self._loaders = loaders
        self._running: dict[str, Exporter] = {}
        self.stats: dict[str, CollectorStats] = {}
        """How creating and starting went, by name."""

    def create(self, source: SnapshotSource, settings: ExporterSettings) -> None:
        """Import and build all."""
        for name, load in sorted(self._loaders.items()):

            def build(load: Callable[[], CreateExporter] = load, name: str = name) -> None:
                self._running[name] = load()(source, settings)

            self._attempt(name, build)

    @property
    def routes(self) -> list[Route]:
        """Return the HTTP routes of all."""
        return [route for exporter in self._running.values() for route in exporter.routes]

    def start(self) -> None:
        """Start all."""
        for name, exporter in self._running.items():
            self._attempt(name, exporter.start)

    def close(self) -> None:
        """Close all."""
        for name, exporter in self._running.items():
            self._attempt(name, exporter.close)

    def _attempt(self, name: str, act: Callable[[], None]) -> None:
        began = time.monotonic()
        try:
            act()
        except Exception as error:  # whatever an exporter does wrong, the service runs on
            log.exception("exporter %s failed: %s", name, error)
        else:
            if name not in self.stats or self.stats[name].success:
                self.stats[name] = CollectorStats(True, time.monotonic() - began)
            return
        self.stats[name] = CollectorStats(False, time.monotonic() - began)
