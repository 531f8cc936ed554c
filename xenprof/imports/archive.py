"""Writes archives, one per domain; each appears at its place whole or not at all.

They are made in a hidden folder and renamed when all are done. Readers skip hidden folders,
so what a killed import leaves is not mistaken for an archive.
"""

import contextlib
import fcntl
import glob
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from xenprof.disk import DISK, Disk, make_folder
from xenprof.errors import StoreError, UsageError
from xenprof.home import domain_root, note_domain_names
from xenprof.store.losses import reasons_text
from xenprof.store.samplefile import write_file
from xenprof.store.sessiondir import SessionDir, domain_session
from xenprof.store.unseen import write_unseen

UNSYNCED = Disk(is_synced=False)
"""How files of archives are written, which are synced all at once before they are renamed."""
_IMPORTING = ".importing."
NAME_BYTES = 255
"""The longest name of a directory."""


def archive_path(output: Path, domain: str) -> Path:
    """Return the path of a domain's archive; one called `domains` would look like a HOME."""
    name = domain_root(output, domain).name
    return output / ("%64omains" if name == "domains" else name)


def check_free(path: Path) -> None:
    """Refuse a path that exists. Raises: UsageError."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    raise UsageError(f"{path} exists already: remove it, or name another --output")


@dataclass(slots=True)
class Archives:
    """Archives that are being made below `folder`."""

    folder: Path
    _images: dict[tuple[bytes, int], Path] = field(default_factory=dict)

    def begin(self, domain: str) -> "Archive":
        """Begin the archive of a domain. Raises: StoreError."""
        root = archive_path(self.folder, domain)
        session = domain_session(root)
        session.create(UNSYNCED)
        return Archive(root, session, self._images)

    def note_domain_names(self, names: Mapping[int, str]) -> None:
        """Write the names of passive domains by id, as the service does. Raises: OSError."""
        note_domain_names(self.folder, names)


@dataclass(frozen=True, slots=True)
class Archive:
    """The root of a domain and its session."""

    root: Path
    session: SessionDir
    _images: dict[tuple[bytes, int], Path]  # the images written so far, in all archives

    def write_image(self, path: str, image: bytes, mtime: int) -> None:
        """Write an image at its path in the domain; later writes of the same image link to it.

        Raises: StoreError, OSError.
        """
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if (first := self._images.get((image, mtime))) is not None:
            try:
                os.link(first, target)
                return
            except OSError:
                pass  # a file system without links gets a copy
        write_file(target, image, UNSYNCED)
        os.utime(target, (mtime, mtime))
        self._images.setdefault((image, mtime), target)

    def copy_image(self, path: str, source: Path) -> int:
        """Copy an image to its path in the domain; return its mtime. Raises: OSError."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
        return int(target.stat().st_mtime)

    def note(self, lines: list[str]) -> None:
        """Note what samples cannot show, as lines `key value`. Raises: StoreError."""
        if lines:
            write_unseen(self.session.current, lines)


def loss_lines(lost: Mapping[str, int]) -> list[str]:
    """Return the lines that note samples lost on the way, by reason."""
    return [f"lost_samples {sum(lost.values())}", f"lost_reasons {reasons_text(lost)}"]


@contextmanager
def new_archives(output: Path) -> Iterator[Archives]:
    """Provide archives for the body to fill; after it they are moved to `output`.

    A new directory comes to its place with all its archives at once. If `output` exists, the
    archives are moved into it one by one.

    Raises: UsageError (cannot be made), StoreError.
    """
    is_new = not output.exists()
    hidden = f"{_IMPORTING}{os.getpid()}"
    folder = output.parent / f".{output.name[:100]}{hidden}" if is_new else output / hidden
    try:
        _remove_left(folder)
        make_folder(folder)
        try:
            with _locked(folder):
                yield Archives(folder)
            _sync_tree(folder)
            if is_new:
                folder.rename(output)
            else:
                for archive in sorted(folder.iterdir()):
                    archive.rename(output / archive.name)
                folder.rmdir()
            DISK.sync(output.parent if is_new else output)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror or error}") from None
    except StoreError as error:
        text = str(error).replace(str(folder), str(output))
        raise StoreError(str(output), text) from None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder, which ends with the process whatever ends that."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(number)


def _remove_left(folder: Path) -> None:
    """Remove what killed imports to the same place have left: nobody's folders of its name."""
    stem, _, own = folder.name.rpartition(".")
    for left in folder.parent.glob(f"{glob.escape(stem)}.*"):
        word = left.name.rpartition(".")[2]
        is_ours = word.isascii() and word.isdigit() and left.name == f"{stem}.{word}"
        if is_ours and left.is_dir() and (word == own or _is_dead(left, int(word))):
            shutil.rmtree(left, ignore_errors=True)


def _is_dead(folder: Path, pid: int) -> bool:
    """Return whether the import that made a folder has ended: no process, and no lock."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        pass
    except (OSError, OverflowError):
        return False
    else:
        return False
    try:
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(number)
    return True


def _sync_tree(folder: Path) -> None:
    """Wait until everything in a folder is on the disk. Raises: OSError."""
    for where, _, names in os.walk(folder):
        DISK.sync_all([*(Path(where, name) for name in names), Path(where)])
