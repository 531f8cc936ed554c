"""Makes the folder of a cluster, and removes those of clusters whose program was killed."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PREFIX: Final = "xp-"
_MARK: Final = ".made-by-xenprof-experiment"  # nothing without it is ours to remove
_LONGEST_PATH: Final = 80  # of a folder in which a socket still has a name


@contextlib.contextmanager
def own_folder() -> Iterator[str]:
    """Yield a folder for its user alone, which is gone afterwards.

    Its process has it marked and locked, so a marked folder that nobody has locked is of one that
    was killed.
    """
    place = tempfile.gettempdir()
    if len(place) >= _LONGEST_PATH:
        place = "/tmp"
    for folder in Path(place).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), _locked(folder, fcntl.LOCK_NB):
            if (folder / _MARK).lstat().st_uid == os.geteuid():
                shutil.rmtree(folder)
    with (
        tempfile.TemporaryDirectory(prefix=_PREFIX, dir=place, ignore_cleanup_errors=True) as made,
        _locked(Path(made)),
    ):
        (Path(made) / _MARK).touch()
        yield made


@contextlib.contextmanager
def _locked(folder: Path, or_not: int = 0) -> Iterator[None]:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | or_not)
        yield
    finally:
        os.close(number)
