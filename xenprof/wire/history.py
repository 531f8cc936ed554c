"""What the service answers about the history that it keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PushStats:
    """Statistics of a push. All but `waiting` are counters."""

    sent: int = 0
    dropped: int = 0
    failures: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class HistoryFile:
    """A slice of the history on the disk."""

    name: str
    start_unix_ns: int
    end_unix_ns: int
    bytes: int


@dataclass(frozen=True, slots=True)
class History:
    """The host's time, which the slices go by; all of the answer where no history is kept."""

    now_unix_ns: int
    enabled: bool = False


@dataclass(frozen=True, slots=True)
class KeptHistory(History):
    """The answer where one is kept: its figures, and its files, oldest first."""

    slices: int = 0
    bytes: int = 0
    written: int = 0
    expired: int = 0
    dropped: int = 0
    pushes: Mapping[str, PushStats] = field(default_factory=dict)
    """By the kind of receiver."""
    files: tuple[HistoryFile, ...] = ()
