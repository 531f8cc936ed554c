"""Stores notes on what a session's samples cannot show: idle time, lost samples, ...

The file is `stats/xenprof_unseen` in the session's directory; a line is a key, a blank, a value.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from xenprof.disk import Disk
from xenprof.errors import CorruptSampleFile, StoreError
from xenprof.store.placing import set_aside
from xenprof.store.samplefile import failure, write_file

_FIRST, _LAST = "idle_seconds", "unprofiled_domains"
"""The first and the last key that a daemon writes."""
_LINE = re.compile(r"[A-Za-z0-9_]+( .*)?")
_REASONS = re.compile(r"(\w+=\d{1,20}(,\w+=\d{1,20})*)?", re.ASCII)
_FILE = "stats/xenprof_unseen"


def write_unseen(session: Path, lines: Iterable[str]) -> None:
    """Write the lines `key value` of a session (its directory). Raises: StoreError, StoreFull."""
    write_file(unseen_path(session), unseen_bytes(lines))


def unseen_path(session: Path) -> Path:
    """Return the file with the notes of a session (its directory)."""
    return session / _FILE


def unseen_bytes(lines: Iterable[str]) -> bytes:
    """Return the contents of the file for the lines `key value`."""
    return "".join(f"{line}\n" for line in lines).encode()


def read_unseen(session: Path) -> Iterator[tuple[str, str]]:
    """Yield key and value of each line in a session (its directory); none without the file.

    Of a damaged file these are the lines that can be read: see `check_unseen`.
    """
    try:
        lines = (session / _FILE).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        key, _, value = line.partition(" ")
        yield key, value


def check_unseen(session: Path) -> None:
    """Check the notes of a session (its directory); it may have none.

    Raises: CorruptSampleFile (they are damaged), StoreError (they cannot be read).
    """
    path = unseen_path(session)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    except UnicodeDecodeError:
        raise _damage(path) from None
    except OSError as error:
        raise failure(path, error) from error
    found = dict(read_unseen(session))
    if (
        not text.endswith("\n")
        or not all(_LINE.fullmatch(line) for line in text.splitlines())
        or (_FIRST in found and _LAST not in found)
        or not _REASONS.fullmatch(found.get("lost_reasons", ""))
    ):
        raise _damage(path)


def whole_unseen(
    session: Path, disk: Disk, damaged: Callable[[StoreError], None]
) -> dict[str, str]:
    """Return the notes of a session (its directory) by key.

    Damaged ones are set aside, and `damaged` is told. Raises: StoreError (that is not possible).
    """
    try:
        check_unseen(session)
    except StoreError as error:
        is_damaged = isinstance(error, CorruptSampleFile) or unseen_path(session).is_dir()
        if not is_damaged:  # the disk may read it the next time
            raise
        set_aside(session, unseen_path(session), disk)
        damaged(error)
    return dict(read_unseen(session))


def _damage(path: Path) -> CorruptSampleFile:
    return CorruptSampleFile(str(path), f"{path}: damaged notes on lost samples")
