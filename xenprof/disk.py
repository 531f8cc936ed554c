"""Brings files to their places so that each is whole, old or new, also after a power loss."""

import contextlib
import errno
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hypervisor.ownfiles import check_no_link, opener

SYNCS_AT_ONCE = 8
"""Files are synced so many at a time; judgement, a third of the time of one by one on ext4."""


class Disk:
    """The calls by which files come to their places."""

    def __init__(self, *, is_synced: bool = True) -> None:
        """Without `is_synced` nothing waits for the disk: a power loss may leave files empty."""
        self._is_synced = is_synced

    def write(self, path: Path, data: bytes | memoryview) -> None:
        """Write a new file. Raises: OSError."""
        with naming(path), open(path, "wb", buffering=0, opener=opener) as file:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]

    def sync(self, path: Path) -> None:
        """Wait until a file, or the names in a folder, are on the disk. Raises: OSError."""
        if self._is_synced:
            number = os.open(path, os.O_RDONLY)
            try:
                with naming(path):
                    os.fsync(number)
            finally:
                os.close(number)

    def sync_all(self, paths: list[Path]) -> dict[Path, OSError]:
        """Sync files or folders, several at a time; return those that failed."""

        def sync(path: Path) -> OSError | None:
            try:
                self.sync(path)
            except OSError as error:
                return error
            return None

        if len(paths) < 2 or not self._is_synced:
            errors = [sync(path) for path in paths]
        else:  # file systems write what waits for them at the same time in one go
            with ThreadPoolExecutor(min(len(paths), SYNCS_AT_ONCE)) as pool:
                errors = list(pool.map(sync, paths))
        return {path: error for path, error in zip(paths, errors, strict=True) if error}

    def rename(self, old: Path, new: Path) -> None:
        """Give a file or folder another name; a file of that name is replaced. Raises: OSError."""
        old.replace(new)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Give errors of the system that name no file, as those of writing do, this one's name."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


DISK = Disk()
"""The disk as it is used where nobody chooses."""


class Batch:
    """Files that come to their places together, so that the disk is waited for once.

    All are written, then all synced, then all renamed, then their folders synced. A file that
    fails on the way leaves the old one of its name, if there is one, as it is.
    """

    def __init__(self, disk: Disk = DISK) -> None:
        self._disk = disk
        self._waiting: dict[Path, Path] = {}  # where a file is until it is renamed
        self._written = 0
        self._folders: set[Path] = set()  # with new names

    def __contains__(self, path: Path) -> bool:
        """Return whether the file waits for the next commit."""
        return path in self._waiting

    def __len__(self) -> int:
        """Return the number of files that wait for the next commit."""
        return len(self._waiting)

    def add(self, path: Path, data: bytes | memoryview, beside: Path | None = None) -> Path:
        """Write a file that gets its name with the next commit; return where it is until then.

        It waits in the folder `beside`, by default in its own, which is made if missing.
        Raises: OSError; then the file is not in the batch.
        """
        folder = beside or path.parent
        if beside is not None:
            check_no_link(beside, path.parent)
        self._folders |= made_folders(path.parent) | made_folders(folder)
        self._written += 1
        temporary = folder / f"{UNFINISHED}{os.getpid()}.{threading.get_ident()}.{self._written}"
        try:
            self._disk.write(temporary, data)
        except OSError as error:
            error.filename = str(path)
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        self._waiting[path] = temporary
        return temporary

    def drop(self) -> None:
        """Remove the files that wait for the next commit."""
        for temporary in self._waiting.values():
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        self._waiting.clear()

    def commit(self) -> dict[Path, OSError]:
        """Bring all files to their places; return those that failed, which are as before.

        A folder among them could not be synced: its files are there, but perhaps not for good.
        """
        failed: dict[Path, OSError] = {}
        waiting, self._waiting = self._waiting, {}
        unsynced = self._disk.sync_all(list(waiting.values()))
        for path, temporary in waiting.items():
            try:
                if temporary in unsynced:
                    raise unsynced[temporary]
                self._disk.rename(temporary, path)
            except OSError as error:
                failed[path] = error
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)
            else:
                self._folders.add(path.parent)
        folders, self._folders = sorted(self._folders), set()
        return failed | self._disk.sync_all(folders)


UNFINISHED = ".writing."
"""How the names of files begin that are not complete yet."""


def make_folder(folder: Path, disk: Disk = DISK) -> None:
    """Make a folder and those above it where they are missing. Raises: OSError."""
    for above in sorted(made_folders(folder)):
        disk.sync(above)


def made_folders(folder: Path) -> set[Path]:
    """Make a folder and those above it where they are missing; return those with new names.

    Raises: OSError.
    """
    missing = []
    while not folder.is_dir():
        if folder.exists():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
    return {each.parent for each in missing}


def put(
    path: Path, data: bytes | memoryview, disk: Disk = DISK, beside: Path | None = None
) -> None:
    """Write one file by a rename; its folder is made if missing. Raises: OSError."""
    batch = Batch(disk)
    batch.add(path, data, beside)
    for error in batch.commit().values():
        raise error


def free_name(path: Path) -> Path:
    """Return a name for a damaged file beside `path` that is not taken: NAME.damaged-1, ..."""
    number = 1
    while os.path.lexists(found := path.with_name(f"{path.name}.damaged-{number}")):
        number += 1
    return found
