"""Makes slices of collected samples on a thread, keeps the retention, and feeds the push."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from xenprof.errors import StoreError
from xenprof.history.collector import Cut
from xenprof.history.figures import HistorySettings, HistoryStats
from xenprof.history.slices import FOLDER, Slice, SliceStore
from xenprof.history.symbolising import Symboliser
from xenprof.profile.stacks import StackProfile
from xenprof.wire.history import PushStats

log = logging.getLogger(__name__)

MAX_WAITING = 8  # cuts collected and not yet written; beyond that slices get longer. Judgement


class Push(Protocol):
    """Takes profiles that are for a receiver; never blocks."""

    @property
    def kind(self) -> str:
        """Return the kind of the receiver."""
        ...

    def offer(self, profile: StackProfile) -> None:
        """Queue a profile."""
        ...

    def stats(self) -> PushStats:
        """Return the statistics of the push."""
        ...

    def stop(self) -> None:
        """Send waiting profiles for a short while yet; do not wait."""
        ...

    def close(self) -> None:
        """Wait until that while is over, and end."""
        ...


@dataclass(frozen=True, slots=True)
class _Job:
    cut: Cut
    start_unix_ns: int
    end_unix_ns: int


class Recorder:
    """Owns the folder of slices and a thread. `record` never waits."""

    def __init__(
        self,
        home: Path,
        settings: HistorySettings,
        host: str,
        pushes: tuple[Push, ...] = (),
        warn: Callable[[str], None] = log.warning,
    ) -> None:
        """Open the folder and start. `host` is the name in the profiles. Raises: StoreError."""
        self._store = SliceStore(
            home / FOLDER, retention_ns=settings.retention_ns, max_bytes=settings.max_bytes
        )
        self._store.open()
        self._symboliser = Symboliser(host, warn)
        self._pushes = pushes
        self._warn = warn
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._written = 0
        self._dropped = 0
        self._problem = ""
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._thread.start()

    @property
    def is_behind(self) -> bool:
        """Return whether so many cuts wait that none should be collected now."""
        return self._jobs.qsize() >= MAX_WAITING

    def record(self, cut: Cut, start_unix_ns: int, end_unix_ns: int) -> None:
        """Queue a cut to become a slice; one without samples only applies the retention."""
        self._jobs.put(_Job(cut, start_unix_ns, end_unix_ns))

    def stats(self) -> HistoryStats:
        """Return the statistics of the history; from any thread."""
        kept = self._store.slices
        return HistoryStats(
            len(kept),
            sum(each.bytes for each in kept),
            self._written,
            self._store.expired,
            self._dropped,
            {push.kind: push.stats() for push in self._pushes},
        )

    @property
    def slices(self) -> Sequence[Slice]:
        """Return the slices on the disk, oldest first; from any thread."""
        return self._store.slices

    def stop(self) -> None:
        """Write what was collected, and have all pushes try a last time at once."""
        self._jobs.put(None)
        self._thread.join()
        for push in self._pushes:
            push.stop()

    def close(self) -> None:
        """Wait for the pushes; after `stop`."""
        for push in self._pushes:
            push.close()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self._make(job)
            except Exception:  # a bug must not end the history
                self._dropped += 1
                log.exception("a slice of the history could not be made")

    def _make(self, job: _Job) -> None:
        try:
            if job.cut.parts:
                profile = self._symboliser.profile(job.cut, job.start_unix_ns, job.end_unix_ns)
                for push in self._pushes:
                    push.offer(profile)
                self._write(profile, job)
            self._store.expire(job.end_unix_ns)
        except StoreError as error:
            self._tell(f"history: {error}")
        else:
            self._problem = ""

    def _write(self, profile: StackProfile, job: _Job) -> None:
        """Write a slice. Raises: StoreError; then the slice counts as dropped."""
        try:
            self._store.add(profile, job.start_unix_ns, job.end_unix_ns)
        except StoreError:
            self._dropped += 1
            self._store.expire(job.end_unix_ns)
            raise
        self._written += 1

    def _tell(self, line: str) -> None:
        """Log an error once, until a slice has been written again."""
        if line != self._problem:
            self._problem = line
            self._warn(line)
