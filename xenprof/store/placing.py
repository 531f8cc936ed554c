"""Adds samples to the files of a session, all together, and sets damaged files aside.

A damaged file is moved to `samples/SESSION/damaged`, where no reader looks, and a new one begun.
"""

import glob
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xenprof.disk import Batch, Disk, free_name, make_folder
from xenprof.errors import CorruptSampleFile, StoreError, StoreFull, VersionMismatch
from xenprof.profile.flat import SampleFile
from xenprof.store.samplefile import failure, merged
from xenprof.store.samplepath import format_path

DAMAGED = "damaged"
"""The folder of a session with the files that were set aside."""


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of samples: by the number of their file, why it failed, or what did not fit.

    `unsynced` is an error after which files are at their places, but perhaps not for good.
    """

    failed: Mapping[int, StoreError]
    excess: Mapping[int, int]
    unsynced: StoreError | None = None


class _Placing:
    """Places files. A full disk, and a second file of one path, make it commit in between."""

    def __init__(self, session: Path, disk: Disk, damaged: Callable[[StoreError], None]) -> None:
        self._session = session
        self._disk = disk
        self._damaged = damaged
        self._batch = Batch(disk)
        self._numbers: dict[Path, int] = {}
        self.failed: dict[int, StoreError] = {}
        self.excess: dict[int, int] = {}
        self.unsynced: StoreError | None = None

    def add(self, number: int, file: SampleFile) -> None:
        """Add a file to those of the next commit. Raises: StoreError."""
        path = self._session / format_path(file.key)
        if path in self._batch:
            self.commit()
        try:
            self._add(number, path, file)
        except StoreFull:
            if not self._batch:
                raise
            self.commit()  # the files that are replaced give their room back
            self._add(number, path, file)

    def _add(self, number: int, path: Path, file: SampleFile) -> None:
        try:
            data, excess = merged(path, file.header, file.offsets, file.counts)
        except (CorruptSampleFile, VersionMismatch) as error:
            set_aside(self._session, path, self._disk)
            self._damaged(error)
            data, excess = merged(path, file.header, file.offsets, file.counts)
        try:
            self._batch.add(path, data, self._session)
        except OSError as error:
            raise failure(path, error) from error
        self._numbers[path] = number
        if excess:
            self.excess[number] = excess

    def commit(self) -> None:
        """Bring the files to their places; note what failed."""
        for path, error in self._batch.commit().items():
            number = self._numbers.get(path)
            if number is None:
                self.unsynced = failure(path, error)
            else:
                self.failed[number] = failure(path, error)
                self.excess.pop(number, None)
        self._numbers.clear()


def place(
    session: Path, files: Sequence[SampleFile], disk: Disk, damaged: Callable[[StoreError], None]
) -> Placed:
    """Add samples to the files of a session (its directory); `damaged` is told of each such file.

    Each file is on the disk, or as it was before and in `failed`.
    """
    placing = _Placing(session, disk, damaged)
    failed: dict[int, StoreError] = {}
    for number, file in enumerate(files):
        try:
            placing.add(number, file)
        except StoreError as error:
            failed[number] = error
    placing.commit()
    return Placed(failed | placing.failed, placing.excess, placing.unsynced)


def set_aside(session: Path, path: Path, disk: Disk) -> Path:
    """Move a damaged file of a session (its directory) aside; return where. Raises: StoreError."""
    try:
        aside = free_name(session / DAMAGED / path.relative_to(session))
        make_folder(aside.parent, disk)
        disk.rename(path, aside)
        disk.sync(aside.parent)
    except OSError as error:
        raise failure(path, error) from error
    return aside


def was_set_aside(session: Path, path: Path) -> bool:
    """Return whether a damaged file of a session has been moved aside; there may be a new one."""
    aside = session / DAMAGED / path.relative_to(session)
    return any(aside.parent.glob(f"{glob.escape(aside.name)}.damaged-*"))


def damaged_files(session: Path) -> int:
    """Return the number of files of a session (its directory) that were set aside.

    An empty folder counts, since it was in the place of a file.
    """
    aside = (session / DAMAGED).rglob("*")
    return sum(path.is_file() or (path.is_dir() and not any(path.iterdir())) for path in aside)
