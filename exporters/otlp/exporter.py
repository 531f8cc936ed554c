"""Sends metrics, logs, traces and profiles by OTLP, over HTTP or gRPC."""

import time
from collections.abc import Sequence

from starlette.routing import Route

from exporters.otlp.courier import Courier
from exporters.otlp.ledger import Ledger
from exporters.otlp.logs import LogFeed
from exporters.otlp.metrics import MetricFeed
from exporters.otlp.overgrpc import GrpcSender
from exporters.otlp.overhttp import HttpSender
from exporters.otlp.sending import Feed, Sender
from exporters.otlp.settings import OtlpSettings
from exporters.otlp.targets import Target
from exporters.otlp.traces import TraceFeed
from xenprof.service.exporter import CollectorStats, SnapshotSource
from xenprof.version import version

STOP_SECONDS = 1.5
"""The longest time that `close` waits for the last pushes; stopping takes 2 s with the rest."""


class OtlpExporter:
    """Sends each signal on a thread of its own, and once more when it is closed."""

    routes: Sequence[Route] = ()

    def __init__(self, source: SnapshotSource, settings: OtlpSettings) -> None:
        self._source = source
        self._settings = settings
        self._ledgers = [Ledger(signal, source.counts) for signal in settings.targets]
        self._couriers: list[Courier] = []
        self._log_feed: LogFeed | None = None

    @property
    def last_run(self) -> CollectorStats | None:
        """Return whether the last push of each signal went well, and how long they took."""
        runs = [run for courier in self._couriers if (run := courier.last_run) is not None]
        if not runs:
            return None
        return CollectorStats(
            all(run.success for run in runs), sum(run.duration_seconds for run in runs)
        )

    def start(self) -> None:
        """Start a thread for each signal that has a target."""
        for ledger in self._ledgers:
            target = self._settings.targets[ledger.signal]
            courier = Courier(
                target.shown_url,
                self._feed(ledger),
                _sender(target, ledger.signal),
                self._settings.schedules[ledger.signal],
                target.timeout_seconds,
                ledger,
            )
            self._couriers.append(courier)
            courier.start()

    def close(self) -> None:
        """Send what waits and stop, at the latest after STOP_SECONDS."""
        at = time.monotonic() + STOP_SECONDS
        for courier in self._couriers:
            courier.stop(at)
        for courier in self._couriers:
            courier.join()
        if self._log_feed is not None:
            self._log_feed.close()

    def _feed(self, ledger: Ledger) -> Feed:
        schedule = self._settings.schedules[ledger.signal]
        if ledger.signal == "metrics":
            return MetricFeed(self._source, self._settings.shape)
        if ledger.signal == "traces":
            return TraceFeed(self._source, schedule, ledger)
        if ledger.signal == "profiles":
            from exporters.otlp.profiles import ProfileFeed  # numpy and stubs, for some only

            return ProfileFeed(self._source, schedule, ledger)
        self._log_feed = LogFeed(self._source, schedule, ledger)
        return self._log_feed


def _sender(target: Target, signal: str) -> Sender:
    agent = f"xenprof/{version()}"
    if target.protocol == "grpc":
        return GrpcSender(target, signal, agent)
    return HttpSender(target, agent)
