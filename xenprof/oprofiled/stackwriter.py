"""Writes call stacks to their file on the store's thread, and keeps those that fail."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from xenprof.errors import StoreError
from xenprof.oprofiled.writer import can_pass
from xenprof.profile.stacks import StackProfile
from xenprof.store import stackfile

HELD_STACKS = 200_000
"""The most stacks that are kept for another attempt."""


class StackWriter:
    """Adds stacks to a session's file. Every sample is in the end stored, held or lost."""

    def __init__(
        self, session: Path, log: Callable[[str], None], held_stacks: int = HELD_STACKS
    ) -> None:
        """`session` is the directory of the current session; `log` writes lines to the log file."""
        self.session = session
        self._log = log
        self._held_stacks = held_stacks
        self._held: StackProfile | None = None
        self._lock = threading.Lock()
        self._stored = 0
        self._lost = 0
        self._problem: str | None = None

    @property
    def stored(self) -> int:
        """Return the number of samples in the file."""
        with self._lock:
            return self._stored

    @property
    def lost(self) -> int:
        """Return the number of samples given up."""
        with self._lock:
            return self._lost

    @property
    def held(self) -> int:
        """Return the number of samples kept for the next write."""
        with self._lock:
            return 0 if self._held is None else sum(self._held.totals)

    @property
    def problem(self) -> str | None:
        """Return a line about stacks that the last write could not write, if there are any."""
        with self._lock:
            return self._problem

    def write(self, profile: StackProfile | None) -> None:
        """Add held stacks and a profile to the session. Never raises a StoreError."""
        parts = [part for part in (self._held, profile) if part is not None]
        if not parts:
            return
        whole = parts[0] if len(parts) == 1 else stackfile.added(parts)
        samples = sum(whole.totals)
        held: StackProfile | None = None
        stored = lost = 0
        problem = None
        try:
            stackfile.merge(self.session, whole)
        except StoreError as error:
            if can_pass(error) and len(whole.stacks) <= self._held_stacks:
                held = whole
                problem = f"{error}: stacks of {samples} samples kept for the next dump"
            else:
                lost = samples
                problem = f"{error}: stacks of {samples} samples lost"
            self._log(problem)
        else:
            stored = samples
        with self._lock:
            self._held = held
            self._stored += stored
            self._lost += lost
            self._problem = problem

    def discard(self) -> None:
        """Give up the held stacks, whose session is no longer the current one."""
        with self._lock:
            self._lost += 0 if self._held is None else sum(self._held.totals)
            self._held = None


def with_times(profile: StackProfile, start_unix_ns: int, until_unix_ns: int) -> StackProfile:
    """Return the profile with the times of its recording."""
    return replace(
        profile, start_unix_ns=start_unix_ns, duration_ns=max(0, until_unix_ns - start_unix_ns)
    )
