"""Stores the files of domains by content below `HOME/images`; domains have hard links to them.

The name of a file is the digest of its contents. Each is compared with what it should be when a
service first needs it: a damaged one is set aside, and written again.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from hypervisor.domainfile import DomainFile
from hypervisor.ownfiles import make_folder
from xenprof.disk import UNFINISHED, Batch, Disk, free_name
from xenprof.errors import StoreError

_Key = tuple[bytes, int, int]


class ImageStore:
    """Keeps files by content. Used on the host's thread."""

    def __init__(self, home: Path, disk: Disk, damaged: Callable[[StoreError], None]) -> None:
        """`damaged` is told of each file that was damaged and has been set aside."""
        self._home = home
        self._folder = home / "images"
        self._disk = disk
        self._damaged = damaged
        self._checked: dict[_Key, Path] = {}  # cheap: a bytes object caches its hash()
        for left in self._folder.glob(f"{UNFINISHED}*"):  # by a service that was killed
            left.unlink(missing_ok=True)

    def stored(self, files: Sequence[DomainFile]) -> list[Path]:
        """Return the files with these contents, which are written where missing.

        Links share mtime and mode, so these are equal too. Raises: OSError.
        """
        make_folder(self._home, self._folder)
        batch = Batch(self._disk)
        images = [self._image(file, batch) for file in files]
        for error in batch.commit().values():
            raise error
        return images

    def has(self, data: bytes) -> bool:
        """Return whether a file with these contents was ever stored."""
        return (self._folder / hashlib.sha256(data).hexdigest()).exists()

    def _image(self, file: DomainFile, batch: Batch) -> Path:
        key = (file.data, file.mtime, file.mode)
        image = self._checked.get(key)
        if image is None:
            image = self._checked[key] = self._check(file, batch)
        if image not in batch and not image.exists():
            give_attributes(batch.add(image, file.data), file)
        return image

    def _check(self, file: DomainFile, batch: Batch) -> Path:
        """Return the name for a file's contents and attributes, where no damaged file is left."""
        digest = hashlib.sha256(file.data).hexdigest()
        image = self._folder / digest
        if image not in batch:
            self._set_aside_if_damaged(image, file)
        if image in batch or (image.exists() and not _has_attributes(image, file)):
            image = image.with_name(f"{digest}-{file.mtime}-{_mode(file):o}")
            self._set_aside_if_damaged(image, file)
        return image

    def _set_aside_if_damaged(self, image: Path, file: DomainFile) -> None:
        """Look at the contents alone: a rewrite changes the time of a file as well."""
        if image.exists() and image.read_bytes() != file.data:
            aside = free_name(image)
            self._disk.rename(image, aside)
            text = f"{image}, with {file.path}: damaged, set aside as {aside.name}"
            self._damaged(StoreError(str(image), text))


def give_attributes(path: Path, file: DomainFile) -> None:
    """Give `path` the mode and the time of `file`. Raises: OSError."""
    path.chmod(_mode(file))
    os.utime(path, (file.mtime, file.mtime))


def _mode(file: DomainFile) -> int:
    """Return the mode of a file on this machine, where it is for its user alone."""
    return file.mode & 0o700


def _has_attributes(image: Path, file: DomainFile) -> bool:
    status = image.stat()
    return int(status.st_mtime) == file.mtime and (status.st_mode & 0o7777) == _mode(file)
