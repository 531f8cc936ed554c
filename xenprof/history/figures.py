"""Defines a history's settings and statistics. Imports little, so that programs start fast."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from xenprof.wire.history import PushStats

DEFAULT_PERIOD_NS = 10 * 10**9
DEFAULT_RETENTION_NS = 3600 * 10**9
DEFAULT_BYTES = 200 * 10**6


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """The user's settings. `period_ns` and `retention_ns` are host time."""

    period_ns: int = DEFAULT_PERIOD_NS
    retention_ns: int = DEFAULT_RETENTION_NS
    max_bytes: int = DEFAULT_BYTES
    push_url: str | None = None  # the URL of a Pyroscope server
    push_otlp: str | None = None  # the URL of a receiver of OTLP profiles


@dataclass(frozen=True, slots=True)
class HistoryStats:
    """Statistics of the history; `dropped` slices could not be written."""

    slices: int = 0
    bytes: int = 0
    written: int = 0
    expired: int = 0
    dropped: int = 0
    pushes: Mapping[str, PushStats] = field(default_factory=dict)  # by the kind of receiver
