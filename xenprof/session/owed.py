"""Keeps the notes that a full disk refuses at the end of a daemon, until they can be written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from xenprof.disk import Disk
from xenprof.errors import StoreError
from xenprof.session.store import StoreThread
from xenprof.store.sessiondir import SessionDir
from xenprof.store.unseen import whole_unseen

_PATIENCE_NS = 10_000_000_000
"""The time after which a full disk is tried again unasked."""


@dataclass(frozen=True, slots=True)
class DumpEnd:
    """What ends a dump of a session: statistics, notes, and `complete_dump`."""

    directory: SessionDir
    stats: Mapping[str, int]
    notes: tuple[str, ...]

    def write(self, disk: Disk, damaged: Callable[[StoreError], None]) -> None:
        """Write all; `damaged` is told of notes that are set aside. Raises: StoreError."""
        whole_unseen(self.directory.current, disk, damaged)
        self.directory.end_dump(self.stats, self.notes, disk)

    def by_key(self) -> dict[str, str]:
        """Return the notes by key."""
        return {key: value for key, _, value in (line.partition(" ") for line in self.notes)}


class Owed:
    """Keeps the last notes of sessions whose daemons have ended. Used on the host's thread."""

    def __init__(self, store: StoreThread) -> None:
        self._store = store
        self._waiting: dict[Path, DumpEnd] = {}
        self._due_ns = 0

    def write(self, end: DumpEnd) -> None:
        """Write the last notes of a session, now or later."""
        self._waiting[end.directory.current] = end
        self.retry()

    def look(self, now_ns: int) -> None:
        """Try again after a while; called often."""
        if self._waiting and now_ns >= self._due_ns:
            self._due_ns = now_ns + _PATIENCE_NS
            self.retry()

    def retry(self) -> None:
        """Try again."""
        for path, end in list(self._waiting.items()):
            if not path.is_dir() or self._is_written(end):
                del self._waiting[path]

    def left(self) -> list[Path]:
        """Try for the last time; return the sessions whose notes are lost."""
        self.retry()
        return sorted(self._waiting)

    def take(self, directory: SessionDir) -> DumpEnd | None:
        """Return what a session still has to get, and forget it."""
        return self._waiting.pop(directory.current, None)

    def settle(self, directory: SessionDir, *, is_deleted: bool) -> bool:
        """Try again before a session is saved or deleted; return whether its notes are settled."""
        self.retry()
        if is_deleted:
            self._waiting.pop(directory.current, None)
        return directory.current not in self._waiting

    def _is_written(self, end: DumpEnd) -> bool:
        store = self._store
        try:
            store.call(lambda: end.write(store.disk, store.damaged))
        except StoreError:
            return False
        return True
