"""Writes archives, one per domain; each appears at its place whole or not at all.

They are made in a hidden folder and renamed when all are done. Readers skip hidden folders,
so what a killed import leaves is not mistaken for an archive.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from xenprof.errors import StoreError, UsageError
from xenprof.home import domain_root, note_domain_names
from xenprof.store.losses import reasons_text
from xenprof.store.samplefile import write_file
from xenprof.store.sessiondir import SessionDir, domain_session
from xenprof.store.unseen import write_unseen

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
        session.create()
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
        write_file(target, image)
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
    hidden = f".importing.{os.getpid()}"
    folder = output.parent / f".{output.name[:100]}{hidden}" if is_new else output / hidden
    try:
        shutil.rmtree(folder, ignore_errors=True)  # left by a killed import with the same pid
        folder.mkdir(parents=True)
        try:
            yield Archives(folder)
            if is_new:
                folder.rename(output)
            else:
                for archive in sorted(folder.iterdir()):
                    archive.rename(output / archive.name)
                folder.rmdir()
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror or error}") from None
    except StoreError as error:
        text = str(error).replace(str(folder), str(output))
        raise StoreError(str(output), text) from None
