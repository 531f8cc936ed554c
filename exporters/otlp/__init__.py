"""Sends metrics, logs, traces and profiles to receivers of OpenTelemetry's protocol (OTLP)."""

import logging
import os

from exporters.otlp.settings import read
from exporters.otlp.variables import IGNORED
from xenprof.service.exporter import (
    Exporter,
    ExporterSettings,
    SnapshotSource,
)

_logger = logging.getLogger(__name__)


def create(source: SnapshotSource, settings: ExporterSettings) -> Exporter | None:
    """Return the exporter (entry point of `xenprof.exporters`); none without an endpoint."""
    found = read(os.environ, settings, _logger.warning)
    if not found.targets:
        return None
    # The SDK reads some as it is imported, and ends with an error for a bad value.
    for name in IGNORED:
        os.environ.pop(name, None)
    # Its libraries take a fifth of a second and 40 MB.
    from exporters.otlp.exporter import OtlpExporter

    return OtlpExporter(source, found)
