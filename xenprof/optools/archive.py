"""Copies sessions and images to an archive, which `archive:DIR` reads.

    DIR/usr/bin/prog                  images at the paths that they have in the domain
    DIR/usr/bin/.debug/prog.debug     their separate debugging information
    DIR/var/lib/oprofile/abi
    DIR/var/lib/oprofile/samples/SESSION/{root}/...   stats/, stacks/, and oprofiled.log

Source: oprofile pp/oparchive.cpp.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from xenprof.errors import ImageError, XenprofError
from xenprof.home import SESSION_DIR
from xenprof.images.elf import Elf, read_elf
from xenprof.profile.flat import SampleKey

_SESSION_DIR = SESSION_DIR.lstrip("/")


class ArchiveError(XenprofError):
    """A file of the archive that cannot be made; the message is oparchive's."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A file to be copied to `target`, a path relative to the archive."""

    source: Path
    target: str


def image_copies(path: Path, prefixes: Sequence[str]) -> Iterator[Copy]:
    """Yield the copies of the image at `path` and of its debugging information.

    `prefixes` are the directories that stand for `/`: a file below one keeps its path from
    there.
    """
    yield Copy(path, _below(path, prefixes))
    debug = _debug_file(path, prefixes)
    if debug is not None:
        folder = Path(_below(path, prefixes)).parent
        yield Copy(debug, f"{folder}/.debug/{_debug_name(path, debug)}")


def _debug_file(path: Path, prefixes: Sequence[str]) -> Path | None:
    """Return the file with the debugging information of the image at `path`, if it has one."""
    try:
        elf = read_elf(path)
    except ImageError:
        return None
    roots = ("", *(prefix for prefix in prefixes if prefix))
    candidates = []
    if len(elf.build_id) > 1:
        name = f"{elf.build_id[:1].hex()}/{elf.build_id[1:].hex()}.debug"
        candidates += [Path(f"{root}/usr/lib/debug/.build-id/{name}") for root in roots]
    if elf.debug_link is not None:
        name = elf.debug_link[0]
        inside = Path(_below(path, prefixes)).parent
        candidates += [path.parent / ".debug" / name]
        candidates += [Path(f"{root}/usr/lib/debug/{inside}/{name}") for root in roots]
        candidates += [path.parent / name]
    return next((debug for debug in candidates if debug != path and _fits(debug, elf)), None)


def _debug_name(path: Path, debug: Path) -> str:
    """Return the name by which the image at `path` asks for `debug`."""
    link = read_elf(path).debug_link
    return debug.name if link is None else link[0]


def _fits(debug: Path, elf: Elf) -> bool:
    """Return whether a file has the build id of an image, or the checksum that it names."""
    if not debug.is_file():
        return False
    try:
        found = read_elf(debug)
    except ImageError:
        return False
    is_same_build = len(elf.build_id) > 1 and found.build_id == elf.build_id
    return is_same_build or (elf.debug_link is not None and found.crc32() == elf.debug_link[1])


def _below(path: Path, prefixes: Sequence[str]) -> str:
    """Return the path inside the archive of an image that was found at `path`."""
    absolute = str(path.absolute())
    for prefix in prefixes:
        if prefix and absolute.startswith(f"{prefix}/"):
            return absolute[len(prefix) + 1 :]
    return absolute.lstrip("/")


def session_copies(session: Path, files: Iterable[tuple[SampleKey, Path]]) -> Iterator[Copy]:
    """Yield the copies of a session's sample files, its statistics and its call stacks."""
    name = session.name
    beside = [*(session / "stats").rglob("*"), *(session / "stacks").rglob("*")]
    for path in sorted(beside):
        if path.is_file() and not path.name.startswith("."):
            yield Copy(path, f"{_SESSION_DIR}/samples/{name}/{path.relative_to(session)}")
    for _, path in files:
        yield Copy(path, f"{_SESSION_DIR}/samples/{name}/{path.relative_to(session)}")


def log_copies(session_dir: Path) -> Iterator[Copy]:
    """Yield the copies of the abi file and of the logs."""
    for name in ("abi", "samples/oprofiled.log", "samples/operf.log"):
        if os.access(session_dir / name, os.R_OK):
            yield Copy(session_dir / name, f"{_SESSION_DIR}/{name}")


def make_parent(path: str) -> None:
    """Make the directory that is to hold `path`, if nothing is there. Raises: ArchiveError."""
    parent = Path(path).parent
    try:
        if not parent.exists():
            parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArchiveError(
            f"Unable to create directory for {path}.\nnote: {error.strerror}"
        ) from None


def copy_file(copy: Copy, directory: str) -> None:
    """Copy one file with its times; an existing file is replaced atomically.

    `directory` is the archive, as the user names it.

    Raises: ArchiveError (unreadable, unwritable, the same file, or outside the archive).
    """
    archive = Path(os.path.realpath(directory))
    target = archive / copy.target
    temporary = target.with_name(f".{target.name[:200]}.{os.getpid()}")
    try:
        if not Path(os.path.realpath(target.parent)).is_relative_to(archive):
            raise ArchiveError(f"refusing to create file {target} outside of {archive}")
        make_parent(f"{directory}/{copy.target}")
        if target.exists() and target.samefile(copy.source):
            raise ArchiveError(f"input and output files are identical: {target}")
        try:
            shutil.copyfile(copy.source, temporary)
            shutil.copystat(copy.source, temporary)
            temporary.replace(target)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ArchiveError(
            f"can't copy from {copy.source} to {target} cause: {error.strerror}",
        ) from error
