"""Writes call stacks to their file on the store's thread, and keeps those that fail."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from xenprof.disk import DISK, Disk
from xenprof.errors import CorruptSampleFile, StoreError, VersionMismatch
from xenprof.oprofiled.outcome import Outcome, can_pass
from xenprof.profile.stacks import StackProfile
from xenprof.store import stackfile
from xenprof.store.placing import set_aside

HELD_STACKS = 200_000
"""The most stacks that are kept for another attempt."""


class StackWriter:
    """Adds stacks to a session's file. Every sample is in the end stored, held or lost."""

    def __init__(
        self,
        session: Path,
        log: Callable[[str], None],
        held_stacks: int = HELD_STACKS,
        *,
        disk: Disk = DISK,
        damaged: Callable[[StoreError], None] = lambda error: None,
    ) -> None:
        """`session` is the directory of the current session; `log` writes lines to the log file.

        `damaged` is told if the file was damaged and has been set aside.
        """
        self.session = session
        self._log = log
        self._held_stacks = held_stacks
        self._disk = disk
        self._damaged = damaged
        self._held: StackProfile | None = None
        self.outcome = Outcome()
        """Replaced as a whole, so that any thread may read it."""

    def moved(self, session: Path) -> None:
        """Go on in another directory: the session is there now."""
        self.session = session

    def write(self, profile: StackProfile | None) -> None:
        """Add held stacks and a profile to the session. Never raises a StoreError."""
        parts = [part for part in (self._held, profile) if part is not None]
        if not parts:
            return
        whole = parts[0] if len(parts) == 1 else stackfile.added(parts)
        samples = sum(whole.totals)
        held: StackProfile | None = None
        stored = kept = lost = 0
        problem = None
        try:
            self._merge(whole)
        except StoreError as error:
            if can_pass(error) and len(whole.stacks) <= self._held_stacks:
                held, kept = whole, samples
                problem = f"{error}: stacks of {samples} samples kept for the next dump"
            else:
                lost = samples
                problem = f"{error}: stacks of {samples} samples lost"
            self._log(problem)
        else:
            stored = samples
        self._held = held
        self.outcome = self.outcome.after_write(stored, kept, lost, problem)

    def _merge(self, whole: StackProfile) -> None:
        """Add stacks to the file; a damaged one is set aside. Raises: StoreError."""
        try:
            stackfile.merge(self.session, whole, self._disk)
        except (CorruptSampleFile, VersionMismatch) as error:
            set_aside(self.session, stackfile.stack_path(self.session), self._disk)
            self._log(f"{error}: set aside, a new file has been begun")
            self._damaged(error)
            stackfile.merge(self.session, whole, self._disk)

    def discard(self) -> None:
        """Give up what is held: its session is no longer the current one."""
        self._held = None
        self.outcome = self.outcome.after_discard()


def with_times(profile: StackProfile, start_unix_ns: int, until_unix_ns: int) -> StackProfile:
    """Return the profile with the times of its recording."""
    return replace(
        profile, start_unix_ns=start_unix_ns, duration_ns=max(0, until_unix_ns - start_unix_ns)
    )
