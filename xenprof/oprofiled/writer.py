"""Writes histograms to sample files on the store's thread, and keeps those that fail.

Call graphs are written too; the counts here do not include arcs, which are not samples.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from xenprof.disk import DISK, Disk
from xenprof.errors import StoreError
from xenprof.oprofiled.outcome import Outcome, can_pass
from xenprof.profile.flat import SampleFile
from xenprof.store.placing import place

HELD_ROWS = 1_000_000
"""The most (offset, count) rows, of 16 bytes each, that are kept for another attempt."""
STORE_WRITE_FAILED = "store_write_failed"
COUNT_OVERFLOW = "count_overflow"
"""The reason of samples beyond the 2**32 - 1 that a count in a sample file can hold."""


def _nothing(_: StoreError) -> None:
    pass


class SampleWriter:
    """Adds samples to the files of a session. `write` and `discard` run on the store's thread.

    Samples that a full or failing disk refuses are held and tried again at the next write; beyond
    `held_rows` the oldest are given up. Every sample is in the end stored, held or lost.
    """

    def __init__(
        self,
        session: Path,
        log: Callable[[str], None],
        held_rows: int = HELD_ROWS,
        *,
        disk: Disk = DISK,
        damaged: Callable[[StoreError], None] = _nothing,
    ) -> None:
        """`session` is the directory of the current session; `log` writes lines to the log file.

        `damaged` is told of each file that was damaged and has been set aside.
        """
        self.session = session
        self._log = log
        self._held_rows = held_rows
        self._disk = disk
        self._damaged = damaged
        self._held: list[SampleFile] = []
        self.outcome = Outcome()
        """Replaced as a whole, so that any thread may read it."""

    def moved(self, session: Path) -> None:
        """Go on in another directory: the session is there now."""
        self.session = session

    def write(self, files: Sequence[SampleFile]) -> None:
        """Add held files and `files` to the session. Never raises a StoreError."""
        given = (*self._held, *files)
        placed = place(self.session, given, self._disk, self._set_aside)
        stored = lost = excess = 0
        held: list[SampleFile] = []
        for number, file in enumerate(given):
            error = placed.failed.get(number)
            if error is None:
                beyond = placed.excess.get(number, 0) if file.key.callee is None else 0
                stored += _samples(file) - beyond
                excess += beyond
            elif can_pass(error):
                held.append(file)
            else:
                lost += _samples(file)
        lost += self._give_up(held)
        kept = sum(map(_samples, held))
        problem = cause = None
        if placed.failed:
            first, *others = placed.failed.values()
            more = f" (and {len(others)} more files)" if others else ""
            cause = f"{first}{more}"
            problem = f"{cause}: {kept} samples kept for the next dump, {lost} lost"
        elif placed.unsynced is not None:
            problem = f"{placed.unsynced}: what was written may not survive a power loss"
        if problem is not None:
            self._log(problem)
        self._held = held
        self.outcome = self.outcome.after_write(stored, kept, lost, problem, excess, cause)

    def discard(self) -> None:
        """Give up what is held: its session is no longer the current one."""
        self._held = []
        self.outcome = self.outcome.after_discard()

    def _set_aside(self, error: StoreError) -> None:
        self._log(f"{error}: set aside, a new file has been begun")
        self._damaged(error)

    def _give_up(self, held: list[SampleFile]) -> int:
        """Shorten `held` to the limit, oldest first; return the number of samples given up."""
        rows = sum(len(file.offsets) for file in held)
        lost = 0
        while rows > self._held_rows:
            file = held.pop(0)
            rows -= len(file.offsets)
            lost += _samples(file)
        return lost


def _samples(file: SampleFile) -> int:
    """Return the number of samples in a file; arcs do not count."""
    return file.total if file.key.callee is None else 0
