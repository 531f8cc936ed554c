"""Stores notes on what a session's samples cannot show: idle time, lost samples, ...

The file is `stats/xenprof_unseen` in the session's directory; a line is a key, a blank, a value.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from xenprof.store.samplefile import write_file

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
    """Yield key and value of each line in a session (its directory); none without the file."""
    try:
        lines = (session / _FILE).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        key, _, value = line.partition(" ")
        yield key, value
