"""Finds the file of an image, and the file with its debugging information."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from xenprof.errors import ImageError
from xenprof.images.elf import Elf, read_elf
from xenprof.profile.flat import ImageName

_DEBUG_DIRECTORY = "/usr/lib/debug"


class Lookup(Enum):
    """The reason why an image has no file."""

    FOUND = ""
    MISSING = "could not be found."
    UNREADABLE = "could not be read."
    AMBIGUOUS = "matches more than one file: detailed profile will not be provided."


@dataclass(slots=True)
class ImageFinder:
    """Finds the file of an image.

    `archive` and `root` are put before the image's own path. The directories of `image_path`
    (the caller's) are searched recursively, by basename, for images not found there.
    """

    archive: str = ""
    image_path: Sequence[str] = ()
    root: str = ""
    _by_name: dict[str, list[Path]] | None = field(default=None, init=False, repr=False)

    def find(self, name: ImageName) -> Path | None:
        """Return the file of an image, or None: not found, or anonymous memory."""
        return self.look_up(name)[0]

    def look_up(self, name: ImageName) -> tuple[Path | None, Lookup]:
        """Return the file of an image, or why there is none.

        Order: its own path, a file of its basename in `image_path`, then basename + `.ko`, in
        which `_` also stands for `-` and `,`. Source: oprofile libpp/locate_images.cpp.
        """
        if name.kind == "anon":
            return None, Lookup.MISSING
        own = Path(f"{self.archive}{self.root}/{name.path.lstrip('/')}")
        if own.is_file():
            return (own, Lookup.FOUND) if os.access(own, os.R_OK) else (None, Lookup.UNREADABLE)
        if self._by_name is None:
            self._by_name = _scan(self.image_path)
        base = name.path.rpartition("/")[2]
        found = self._by_name.get(base) or self._by_name.get(_module_name(f"{base}.ko"), [])
        if len(found) > 1:
            return None, Lookup.AMBIGUOUS
        return (found[0], Lookup.FOUND) if found else (None, Lookup.MISSING)


def image_finders(
    archive: str, root: str, image_path: Sequence[str], *, is_domain: bool
) -> list[ImageFinder]:
    """Return where to look, in order: the archive, then `root`; in a domain the other way round."""
    if not root:
        return [ImageFinder(archive, image_path)]
    roots = ImageFinder(root=root, image_path=image_path)
    if not archive:
        return [roots]
    inside = ImageFinder(archive, image_path)
    return [roots, inside] if is_domain else [inside, roots]


def look_up(finders: Sequence[ImageFinder], image: ImageName) -> tuple[Path | None, Lookup]:
    """Return the image's file, or the error of the last place to look."""
    problem = Lookup.MISSING
    for finder in finders:
        path, problem = finder.look_up(image)
        if path is not None:
            return path, problem
    return None, problem


def _scan(directories: Sequence[str]) -> dict[str, list[Path]]:
    """Return files by basename, and modules also with `-` and `,` as `_`."""
    found: dict[str, list[Path]] = {}
    for top in dict.fromkeys(map(os.path.realpath, directories)):
        for where, inner, files in os.walk(top):
            inner.sort()
            for file in sorted(files):
                names = {file, _module_name(file)} if file.endswith(".ko") else {file}
                for name in names:
                    found.setdefault(name, []).append(Path(where, file))
    return found


def _module_name(file: str) -> str:
    return file.replace("-", "_").replace(",", "_")


def find_debug_file(elf: Elf, path: Path, roots: Sequence[str] = ("",)) -> Elf | None:
    """Return the file with the debugging information of the image `elf` at `path`.

    The search is by build id below each root's /usr/lib/debug, then by the name and checksum that
    the image gives: in `.debug` beside it, below /usr/lib/debug at its own path, beside it.
    `roots` are directories that stand for `/`.

    Source: oprofile libutil++/bfd_support.cpp; gdb for build ids.
    """
    build_id = elf.build_id
    for root in roots if len(build_id) > 1 else ():
        name = f"{build_id[:1].hex()}/{build_id[1:].hex()}.debug"
        debug = _open(Path(f"{root}{_DEBUG_DIRECTORY}/.build-id/{name}"))
        if debug is not None and debug.build_id == build_id:
            return debug
    link = elf.debug_link
    if link is not None:
        for candidate in _linked(path, link[0], roots):
            debug = None if candidate == path else _open(candidate)
            if debug is not None and debug.crc32() == link[1]:
                return debug
    return None


def _linked(path: Path, name: str, roots: Sequence[str]) -> Iterator[Path]:
    """Yield the possible paths of the debug file `name` of the image at `path`."""
    yield path.parent / ".debug" / name
    for root in roots:
        inside = str(path.parent).removeprefix(root) if root else str(path.parent)
        yield Path(f"{root}{_DEBUG_DIRECTORY}/{inside.lstrip('/')}", name)
    yield path.parent / name


def _open(path: Path) -> Elf | None:
    if not path.is_file():
        return None
    try:
        return read_elf(path)
    except ImageError:
        return None
