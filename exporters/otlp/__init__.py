"""Sends metrics, logs, traces and profiles to receivers of OpenTelemetry's protocol (OTLP)."""

import logging
import os
from collections.abc import Sequence

from starlette.routing import Route

from exporters.otlp.settings import read
from exporters.otlp.variables import IGNORED
from xenprof.service.exporter import (
    CollectorStats,
    Exporter,
    ExporterSettings,
    SnapshotSource,
)

_logger = logging.getLogger(__name__)


class Idle:
    """The exporter where nothing is to be sent."""

    routes: Sequence[Route] = ()
    last_run: CollectorStats | None = None

    def start(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def create(source: SnapshotSource, settings: ExporterSettings) -> Exporter:
    """Return the exporter (entry point of `xenprof.exporters`); without an endpoint it is idle."""
    found = read(os.environ, settings, _logger.warning)
    if not found.targets:
        return Idle()
    # The SDK reads some as it is imported, and ends with an error for a bad value.
    for name in IGNORED:
        os.environ.pop(name, None)
    # Its libraries take a fifth of a second and 40 MB.
    from exporters.otlp.exporter import OtlpExporter

    return OtlpExporter(source, found)
