"""Keeps what has happened for a while, so that exporters on other threads can send it on."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from hypervisor.telemetry import HostSnapshot, ProfilingSession
from xenprof.profile.stacks import StackProfile

T = TypeVar("T")

MOST_LOG_CHARACTERS = 4 << 20  # of xend's log; judgement
MOST_SESSIONS = 256  # judgement
MOST_PROFILES = 60  # as wait for the history's other receivers; judgement
_CHARACTERS_BESIDE_TEXT = 200  # about what an entry takes without its text


class Reading(NamedTuple, Generic[T]):
    """What a reader gets: the entries that are new to it, oldest first."""

    entries: tuple[T, ...]
    serial: int  # of the last entry, to be given the next time
    missed: int  # entries that were dropped before the reader came


class Journal(Generic[T]):
    """Keeps the last entries, numbered from 1; the oldest are dropped beyond a total weight.

    All methods may be called from any thread.
    """

    def __init__(self, heaviest: int, weigh: Callable[[T], int] = lambda entry: 1) -> None:
        """`heaviest` is the total weight to keep."""
        self._heaviest = heaviest
        self._weigh = weigh
        self._entries: deque[T] = deque()
        self._weight = 0
        self._serial = 0
        self._lock = threading.Lock()

    def append(self, entry: T) -> None:
        """Add an entry."""
        with self._lock:
            self._serial += 1
            self._entries.append(entry)
            self._weight += self._weigh(entry)
            while self._weight > self._heaviest and self._entries:
                self._weight -= self._weigh(self._entries.popleft())

    @property
    def total(self) -> int:
        """Return the number of entries that have ever been added."""
        return self._serial

    def after(self, serial: int) -> Reading[T]:
        """Return the entries after the one with this number; 0: all that are kept."""
        with self._lock:
            new = self._serial - serial
            kept = min(new, len(self._entries))
            entries = tuple(self._entries[at - kept] for at in range(kept))
            return Reading(entries, self._serial, new - kept)


class XendLine(NamedTuple):
    """An entry of xend.log as it is in the file, and the host's Unix time when it was read."""

    text: str
    unix_ns: int


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A profiling session that has ended. Times are the host's Unix time."""

    session: ProfilingSession
    began_unix_ns: int
    ended_unix_ns: int


def _characters(line: XendLine) -> int:
    return _CHARACTERS_BESIDE_TEXT + len(line.text)


class Journals:
    """The journals of a service, written on the host's thread with each snapshot."""

    def __init__(self, wall_ns: Callable[[], int] = time.time_ns) -> None:
        """`wall_ns` returns the Unix time."""
        self._wall_ns = wall_ns
        self._profiling: ProfilingSession | None = None
        self.xend: Journal[XendLine] = Journal(MOST_LOG_CHARACTERS, _characters)
        self.sessions: Journal[EndedSession] = Journal(MOST_SESSIONS)
        self.profiles: Journal[StackProfile] = Journal(MOST_PROFILES)
        self.offset_ns = 0
        """What the host's Unix time lacks to the wall's: a model may be slower or faster."""

    def note(self, host: HostSnapshot, xend_lines: Iterable[str]) -> None:
        """Note what is new in a snapshot that has just been taken, and the lines of xend.log."""
        self.offset_ns = self._wall_ns() - host.unix_ns
        for line in xend_lines:
            self.xend.append(XendLine(line, host.unix_ns))
        before, self._profiling = self._profiling, host.profiling
        if before is None or (
            self._profiling is not None and self._profiling.trace_id == before.trace_id
        ):
            return
        boot_ns = host.unix_ns - host.time_ns
        self.sessions.append(EndedSession(before, boot_ns + before.began_ns, host.unix_ns))
