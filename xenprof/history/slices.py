"""Stores slices of the history: one file each below `HOME/history`, retained by age and size.

A slice holds the samples of all domains between two moments of the host's clock, as a
StackProfile in the format of xenprof.store.stackfile, which has a checksum. Its name is
`START-END.xps` in Unix ns, so the directory is the index. A slice is written beside its place,
synced and renamed: whenever the process dies, there is either all of it or nothing.
"""

import contextlib
import errno
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hypervisor.ownfiles import make_folder, opener
from xenprof.errors import StoreError, StoreFull
from xenprof.profile.stacks import StackProfile
from xenprof.store import stackfile

FOLDER = "history"
_NAME = re.compile(r"(\d{1,19})-(\d{1,19})\.xps")
_UNFINISHED = ".writing."
MAX_SLICE_BYTES = 1 << 28  # larger files are not slices; judgement


@dataclass(frozen=True, slots=True, order=True)
class Slice:
    """The samples of the host between two moments of its clock, in the file at `path`."""

    start_unix_ns: int
    end_unix_ns: int
    path: Path
    bytes: int

    def read(self) -> StackProfile:
        """Return the samples. Raises: CorruptSampleFile, VersionMismatch, StoreError."""
        if self.bytes > MAX_SLICE_BYTES:
            raise StoreError(str(self.path), f"{self.path}: too large for a slice of the history")
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise _failure(self.path, error) from error
        return stackfile.decode(data, self.path)


def slices(folder: Path) -> list[Slice]:
    """Return the slices in a folder, oldest first; other files are skipped, none is opened."""
    found = []
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            match = _NAME.fullmatch(entry.name)
            if match is None or int(match[1]) >= int(match[2]):
                continue
            with contextlib.suppress(FileNotFoundError):  # it was removed meanwhile
                if entry.is_file(follow_symlinks=False):
                    size = entry.stat(follow_symlinks=False).st_size
                    found.append(Slice(int(match[1]), int(match[2]), Path(entry.path), size))
    return sorted(found)


class SliceStore:
    """The folder of slices for its only writer. Used on one thread."""

    def __init__(self, folder: Path, *, retention_ns: int, max_bytes: int) -> None:
        """`retention_ns` and `max_bytes` are the bounds that `expire` keeps."""
        self._folder = folder
        self._retention_ns = retention_ns
        self._max_bytes = max_bytes
        self.slices: Sequence[Slice] = ()
        """The slices, oldest first; replaced and never changed, so any thread may read it."""
        self.expired = 0
        """Slices removed by the retention so far."""

    def open(self) -> None:
        """Make the folder, find the slices, and remove files that a kill left unfinished.

        Raises: StoreError.
        """
        try:
            make_folder(self._folder.parent, self._folder)
            for path in self._folder.glob(f"{_UNFINISHED}*"):
                path.unlink(missing_ok=True)
            self.slices = tuple(slices(self._folder))
        except OSError as error:
            raise _failure(self._folder, error) from error

    def add(self, profile: StackProfile, start_unix_ns: int, end_unix_ns: int) -> Slice:
        """Write a slice; it is on the disk when this returns. Raises: StoreFull, StoreError."""
        path = self._folder / f"{start_unix_ns}-{end_unix_ns}.xps"
        data = stackfile.encode(profile)
        try:
            write_synced(path, data)
        except OSError as error:
            raise _failure(path, error) from error
        made = Slice(start_unix_ns, end_unix_ns, path, len(data))
        self.slices = tuple(sorted([*self.slices, made]))
        return made

    def expire(self, now_unix_ns: int) -> None:
        """Remove the oldest slices until age and size are in bounds. Raises: StoreError."""
        kept = list(self.slices)
        total = sum(each.bytes for each in kept)
        oldest_ns = now_unix_ns - self._retention_ns
        try:
            while kept and (kept[0].end_unix_ns <= oldest_ns or total > self._max_bytes):
                kept[0].path.unlink(missing_ok=True)
                total -= kept.pop(0).bytes
                self.expired += 1
        except OSError as error:
            raise _failure(kept[0].path, error) from error
        finally:
            self.slices = tuple(kept)


def write_synced(path: Path, data: bytes, *, sync: Callable[[int], None] = os.fsync) -> None:
    """Write `data` to `path` by a rename; file and directory are synced. Raises: OSError."""
    fresh = path.with_name(f"{_UNFINISHED}{path.name}")
    try:
        with open(fresh, "wb", buffering=0, opener=opener) as file:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]
            sync(file.fileno())
        fresh.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync(folder)
    finally:
        os.close(folder)


def _failure(path: Path, error: OSError) -> StoreError:
    kind = StoreFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else StoreError
    return kind(str(path), f"{path}: {os.strerror(error.errno or 0)}")
