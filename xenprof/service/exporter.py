"""What an exporter is to the service, and the service to an exporter.

Exporters live in packages above this one and are found by the entry point group
`xenprof.exporters`; each entry point is a `CreateExporter`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from starlette.routing import Route

from hypervisor.telemetry import HostSnapshot
from xenprof.history.figures import HistoryStats

ENTRY_POINT_GROUP = "xenprof.exporters"

OtlpProtocol = Literal["http/protobuf", "grpc"]


class CollectorStats(NamedTuple):
    """How the last run of one collector or exporter went."""

    success: bool
    duration_seconds: float


@dataclass(frozen=True, slots=True)
class ServiceStats:
    """What the service knows about itself."""

    up: bool  # False once the model's thread has died
    model_seconds: float  # virtual seconds since the service started
    speed: float  # virtual seconds per wall second, measured
    lag_seconds: float  # wall seconds slipped behind schedule, cumulative
    started_unix: float
    version: str
    collectors: Mapping[str, CollectorStats] = field(default_factory=dict)
    history: HistoryStats | None = None  # None: none is kept


@dataclass(frozen=True, slots=True)
class ExporterSettings:
    """What the user chose; an exporter takes what concerns it."""

    otlp_endpoint: str | None = None  # None: no OTLP push
    otlp_protocol: OtlpProtocol = "http/protobuf"
    otlp_interval_seconds: float = 15.0
    telemetry_path: str = "/metrics"


class SnapshotSource(Protocol):
    """Where an exporter reads. Both methods may be called from any thread and never block."""

    def snapshot(self) -> HostSnapshot:
        """Return the last published state of the host, at most about a second old."""
        ...

    def stats(self) -> ServiceStats:
        """Return the service's own figures."""
        ...


class Exporter(Protocol):
    """Something that carries snapshots out of the service."""

    @property
    def routes(self) -> Sequence[Route]:
        """Return the HTTP routes it answers (may be empty)."""
        ...

    @property
    def last_run(self) -> "CollectorStats | None":
        """Return how its last work of its own (a push) went; None if it has done none."""
        ...

    def start(self) -> None:
        """Begin to work; the source has its first snapshot by then."""
        ...

    def close(self) -> None:
        """Send what is pending and stop; called once, after the last snapshot."""
        ...


class CreateExporter(Protocol):
    """The callable behind an entry point."""

    def __call__(self, source: SnapshotSource, settings: ExporterSettings) -> Exporter:
        """Build the exporter; no threads and no connections yet."""
        ...
