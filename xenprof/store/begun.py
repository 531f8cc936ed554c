"""Stores which `xenprof profile` has made a session, and tells whether it still is only its own.

The file is `stats/xenprof_profile` in the session's directory: the run's id, a blank, and the
number of samples that the run left there (0 until it ends). It goes with a saved session, and
`--reset` deletes it.
"""

import re
from pathlib import Path

from hypervisor.ownfiles import check_no_link
from xenprof.errors import StoreError
from xenprof.store.samplefile import failure, write_file
from xenprof.store.sessiondir import SessionDir, list_files, read_file, session_abi

_FILE = "stats/xenprof_profile"
_LINE = re.compile(r"(\w+) (\d{1,20})\n", re.ASCII)


def note_run(directory: SessionDir, run: str, samples: int) -> None:
    """Note in the current session the run that makes it, and its samples. Raises: StoreError."""
    path = directory.current / _FILE
    try:
        if directory.top is not None:
            check_no_link(directory.top, path.parent)
    except OSError as error:
        raise failure(path, error) from error
    write_file(path, f"{run} {samples}\n".encode())


def only_run(session: Path) -> str | None:
    """Return the run that has made all samples of a session (its directory).

    None: there were others, `opcontrol` has gone on with it, or the run has not ended.
    """
    try:
        found = _LINE.fullmatch((session / _FILE).read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError):
        return None
    if found is None or int(found[2]) != stored_samples(session):
        return None
    return found[1]


def stored_samples(session: Path) -> int:
    """Return how many samples a session (its directory) has in files that can be read."""
    samples = 0
    try:
        abi = session_abi(session)
        files = list_files(session, with_calls=False)
    except StoreError:
        return 0
    for key, path in files:
        try:
            samples += read_file(key, path, abi).total
        except StoreError:
            continue
    return samples
