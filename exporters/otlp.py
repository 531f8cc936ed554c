"""Pushes the catalogue as OpenTelemetry metrics by OTLP, over HTTP or gRPC.

The SDK is only imported for a push, because it takes a fifth of a second and 40 MB.
"""

import logging
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.routing import Route

from xenprof.service.exporter import (
    CollectorStats,
    Exporter,
    ExporterSettings,
    SignalStats,
    SnapshotSource,
)

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter

POINTS_PER_REQUEST = 10_000
"""Larger hosts are sent in several requests, as gRPC receivers refuse messages above 4 MiB."""
FLUSH_SECONDS = 3.0
"""The longest time that `close` waits for the last push."""

_logger = logging.getLogger(__name__)


def create(source: SnapshotSource, settings: ExporterSettings) -> Exporter:
    """Return the exporter (entry point of `xenprof.exporters`); without an endpoint it is idle."""
    return OtlpExporter(source, settings)


class OtlpExporter:
    """Pushes the last snapshot every `otlp_interval_seconds`, and once more when it is closed.

    A push that fails is logged once and tried again at the next interval, never before.
    """

    routes: Sequence[Route] = ()
    pushes: Sequence[SignalStats] = ()

    def __init__(self, source: SnapshotSource, settings: ExporterSettings) -> None:
        self._source = source
        self._settings = settings
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._exporter: MetricExporter | None = None
        self._failing = False
        self.last_run: CollectorStats | None = None

    def start(self) -> None:
        """Start the pushing thread if there is an endpoint."""
        if self._settings.otlp_endpoint is None:
            return
        self._exporter = _sdk_exporter(self._settings.otlp_endpoint, self._settings.otlp_protocol)
        self._thread = threading.Thread(target=self._run, name="otlp", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Push the last snapshot and stop, at the latest after FLUSH_SECONDS."""
        if self._thread is None or self._exporter is None:
            return
        self._stopped.set()
        self._thread.join(FLUSH_SECONDS)
        self._exporter.shutdown()  # wakes a push that waits before another attempt
        self._thread.join(FLUSH_SECONDS)

    def _run(self) -> None:
        with _Reason() as said:
            while not self._stopped.wait(self._settings.otlp_interval_seconds):
                self._push(said)
            self._push(said)

    def _push(self, said: "_Reason") -> None:
        from opentelemetry.sdk.metrics.export import MetricExportResult

        from exporters.otlp_data import metrics_data

        assert self._exporter is not None
        said.text = ""
        began = time.monotonic()
        data = metrics_data(self._source.snapshot(), self._source.stats(), time.time_ns())
        failed = self._exporter.export(data) is not MetricExportResult.SUCCESS
        if failed and not self._failing:
            _logger.warning(
                "OTLP push to %s failed (%s); trying again every %g s",
                self._settings.otlp_endpoint,
                said.text or "no reason given",
                self._settings.otlp_interval_seconds,
            )
        elif self._failing and not failed:
            _logger.warning("OTLP push to %s works again", self._settings.otlp_endpoint)
        self._failing = failed
        self.last_run = CollectorStats(not failed, time.monotonic() - began)


def _sdk_exporter(endpoint: str, protocol: str) -> "MetricExporter":
    """Return the SDK's exporter; `endpoint` is a base URL as in OTEL_EXPORTER_OTLP_ENDPOINT.

    Headers, compression, certificates and time limits come from the other OTEL_EXPORTER_OTLP_
    variables.
    """
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (
            OTLPMetricExporter as GrpcExporter,
        )

        return GrpcExporter(
            endpoint=endpoint,
            insecure=not endpoint.startswith("https:"),
            max_export_batch_size=POINTS_PER_REQUEST,
        )
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import (
        OTLPMetricExporter as HttpExporter,
    )

    path = "/v1/metrics"
    return HttpExporter(
        endpoint=endpoint if endpoint.endswith(path) else endpoint.rstrip("/") + path,
        max_export_batch_size=POINTS_PER_REQUEST,
    )


class _Reason(logging.Handler):
    """Keeps the SDK exporter's first message about a push; its retries are not shown."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self._sdk = logging.getLogger("opentelemetry.exporter.otlp")

    def emit(self, record: logging.LogRecord) -> None:
        self.text = self.text or record.getMessage().partition("\n")[0]

    def __enter__(self) -> "_Reason":
        self._sdk.addHandler(self)
        self._sdk.propagate = False
        return self

    def __exit__(self, *_: object) -> None:
        self._sdk.removeHandler(self)
        self._sdk.propagate = True
