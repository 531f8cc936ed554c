"""Declares what the service and its exporters offer each other.

Exporters live in packages above this one and are found by the entry point group
`xenprof.exporters`; each entry point is a `CreateExporter`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from starlette.routing import Route

from hypervisor.telemetry import HostSnapshot
from xenprof.history.figures import HistoryStats
from xenprof.service.counts import Counts, Figures
from xenprof.service.journal import Journals
from xenprof.service.process import ProcessStats

ENTRY_POINT_GROUP = "xenprof.exporters"

OtlpProtocol = Literal["http/protobuf", "grpc"]


class CollectorStats(NamedTuple):
    """Success and duration of the last run of a collector or exporter."""

    success: bool
    duration_seconds: float


@dataclass(frozen=True, slots=True)
class ServiceStats:
    """The service's figures of itself."""

    up: bool  # False after the model's thread has died
    model_seconds: float  # virtual seconds since the service started
    speed: float  # virtual seconds per wall second, measured
    lag_seconds: float  # wall seconds slipped behind schedule, cumulative
    started_unix: float
    version: str
    engine: str  # what the model runs as: compiled or pure
    collectors: Mapping[str, CollectorStats] = field(default_factory=dict)
    damaged_files: int = 0
    """Files of the state that were damaged and have been set aside."""
    history: HistoryStats | None = None  # None: no history is kept
    counts: Figures = field(default_factory=dict)
    render_seconds: Mapping[str, float] = field(default_factory=dict)
    """How long the last rendering of a scrape took, by format."""
    process: ProcessStats | None = None


@dataclass(frozen=True, slots=True)
class ExporterSettings:
    """The user's settings, of which an exporter uses those that concern it."""

    otlp_endpoint: str | None = None  # this and the next two: None leaves it to OTEL_ variables
    otlp_protocol: OtlpProtocol | None = None
    otlp_interval_seconds: float | None = None
    otlp_profiles: str | None = None  # where slices of the history are pushed; None: nowhere
    telemetry_path: str = "/metrics"
    page_links: Mapping[str, str] = field(default_factory=dict)
    """Names and addresses of further places that the page at / leads to: dashboards, docs."""


class SnapshotSource(Protocol):
    """The source of an exporter. Its methods may be called from any thread and never block."""

    @property
    def journals(self) -> Journals:
        """Return what has happened on the host lately."""
        ...

    def snapshot(self) -> HostSnapshot:
        """Return the last published state of the host, at most about a second old."""
        ...

    def snapshots(self) -> Sequence[HostSnapshot]:
        """Return the last published state of every host of the service.

        The first is the one of `snapshot`. The others have telemetry only; their names differ.
        """
        ...

    def stats(self) -> ServiceStats:
        """Return the service's own figures."""
        ...

    @property
    def is_ready(self) -> bool:
        """Return whether the model runs, as `stats` says with all else."""
        ...

    @property
    def counts(self) -> Counts:
        """Return what an exporter counts its scrapes and pushes with."""
        ...


class Exporter(Protocol):
    """Exports snapshots from the service."""

    @property
    def routes(self) -> Sequence[Route]:
        """Return the HTTP routes that it answers (may be empty)."""
        ...

    @property
    def last_run(self) -> "CollectorStats | None":
        """Return the success and duration of its last push; None if there was none."""
        ...

    def start(self) -> None:
        """Start to work; the source has its first snapshot by then."""
        ...

    def close(self) -> None:
        """Send what is pending and stop; called once, after the last snapshot."""
        ...


class CreateExporter(Protocol):
    """The callable behind an entry point."""

    def __call__(self, source: SnapshotSource, settings: ExporterSettings) -> Exporter | None:
        """Build the exporter, without threads and connections yet; None: it has nothing to do."""
        ...
