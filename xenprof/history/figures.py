"""What the user wants of a history, and how it is doing. Imports nothing: programs start fast."""

from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULT_PERIOD_NS = 10 * 10**9
DEFAULT_RETENTION_NS = 3600 * 10**9
DEFAULT_BYTES = 200 * 10**6


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """What the user chose. `period_ns` is host time, as is `retention_ns`."""

    period_ns: int = DEFAULT_PERIOD_NS
    retention_ns: int = DEFAULT_RETENTION_NS
    max_bytes: int = DEFAULT_BYTES
    push_url: str | None = None  # a Pyroscope server
    push_otlp: str | None = None  # a receiver of OTLP profiles


@dataclass(frozen=True, slots=True)
class PushStats:
    """How a push goes. All but `waiting` count up."""

    sent: int = 0
    dropped: int = 0
    failures: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class HistoryStats:
    """How the history is doing; `dropped` slices could not be written."""

    slices: int = 0
    bytes: int = 0
    written: int = 0
    expired: int = 0
    dropped: int = 0
    pushes: Mapping[str, PushStats] = field(default_factory=dict)  # by the kind of receiver
