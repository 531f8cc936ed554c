"""Manages a session directory (a domain's `/var/lib/oprofile`): sessions, lock, abi, log, stats.

samples/current/    the session being written      samples/NAME/   a saved one
samples/oprofiled.log      lock      abi
samples/SESSION/stats/     what the kernel driver lost (a copy of /dev/oprofile/stats)
samples/SESSION/stacks/    call stacks (stackfile.py)
samples/SESSION/damaged/   files that were damaged and set aside (placing.py)
"""

import logging
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hypervisor.ownfiles import check_no_link
from xenprof.disk import DISK, UNFINISHED, Disk, make_folder
from xenprof.errors import (
    BadSamplePath,
    CorruptSampleFile,
    NothingToSave,
    SessionExists,
    SessionLocked,
    StoreError,
    UsageError,
    VersionMismatch,
)
from xenprof.home import SESSION_DIR, inside
from xenprof.profile.flat import Profile, SampleFile, SampleKey
from xenprof.store import samplefile
from xenprof.store.abi import Abi, native_text, read_abi
from xenprof.store.placing import DAMAGED
from xenprof.store.samplepath import parse_spec
from xenprof.store.unseen import unseen_bytes, unseen_path

log = logging.getLogger(__name__)

CURRENT = "current"
STACKS = "stacks"
_TREES = ("{kern}", "{root}")


@dataclass(frozen=True, slots=True)
class StoredFile(SampleFile):
    """A sample file and the path that it was read from."""

    path: str = ""


@dataclass(frozen=True, slots=True)
class SessionDir:
    """A session directory at `path`; `shown` is its name in messages, if that differs.

    (`domain_session` returns that of a domain, which lies below its root.) Nothing is changed
    where a symbolic link leads there from `top`.
    """

    path: Path
    shown: str = ""
    top: Path | None = None  # None: the path is one that a user gave, links included

    @property
    def samples(self) -> Path:
        """Return the directory that holds all sessions."""
        return self.path / "samples"

    @property
    def current(self) -> Path:
        """Return the directory of the session being written."""
        return self.samples / CURRENT

    @property
    def log_path(self) -> Path:
        """Return the daemon's log file."""
        return self.samples / "oprofiled.log"

    @property
    def lock_path(self) -> Path:
        """Return the daemon's lock file."""
        return self.path / "lock"

    def session(self, name: str) -> Path:
        """Return the directory of a session, which need not exist."""
        return self.samples / name

    def create(self, disk: Disk = DISK) -> None:
        """Make the directories of the current session and the abi file. Raises: StoreError."""
        try:
            self._check()
            make_folder(self.current, disk)
            lefts = [*self.path.glob(f"{UNFINISHED}*"), *self.current.rglob(f"{UNFINISHED}*")]
            for left in lefts:  # by a daemon that was killed
                left.unlink(missing_ok=True)
            abi = self.path / "abi"
            if abi.is_symlink() or not abi.is_file() or abi.read_bytes() != native_text().encode():
                samplefile.write_file(abi, native_text().encode(), disk)
        except OSError as error:
            raise _failure(self.path, error) from error

    def _check(self) -> None:
        if self.top is not None:
            check_no_link(self.top, self.current)

    def sessions(self) -> list[str]:
        """Return the names of all sessions, sorted; `current` is one of them if it exists."""
        if not self.samples.is_dir():
            return []
        return sorted(entry.name for entry in self.samples.iterdir() if entry.is_dir())

    def save(self, name: str, disk: Disk = DISK) -> None:
        """Rename the current session to `name`.

        Raises: UsageError (a name with a slash), SessionExists, NothingToSave, StoreError.
        """
        if "/" in name or not name:
            raise UsageError(f"Argument for --save, {name}, cannot change directory.")
        target = self.session(name)
        if target.exists():
            raise SessionExists(f"{self.shown or self.path}/samples/{name}")
        if not self.current.exists():
            raise NothingToSave(f"{self.shown or self.path}/samples/{CURRENT}")
        try:
            self._check()
            disk.rename(self.current, target)
        except OSError as error:
            raise _failure(target, error) from error
        try:
            disk.sync(self.samples)
        except OSError as error:  # it is saved, if perhaps not for good
            log.warning("%s: not synced: %s", self.samples, error.strerror)

    def reset(self) -> None:
        """Delete samples, statistics and stacks of the current session; saved ones are kept.

        Raises: StoreError.
        """
        for name in (*_TREES, "stats", STACKS, DAMAGED):
            try:
                self._check()
                shutil.rmtree(self.current / name)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise _failure(self.current / name, error) from error

    def lock(self, pid: int) -> None:
        """Make the lock file for the daemon `pid`. Raises: SessionLocked, StoreError."""
        try:
            with self.lock_path.open("x") as file:
                file.write(f"{pid}\n")
        except FileExistsError:
            raise SessionLocked(str(self.lock_path), self.lock_pid() or 0) from None
        except OSError as error:
            raise _failure(self.lock_path, error) from error

    def lock_pid(self) -> int | None:
        """Return the pid in the lock file; 0 if it holds none; None without a lock file."""
        try:
            text = self.lock_path.read_text(errors="replace").strip()
        except OSError:
            return None
        return int(text) if text.isascii() and text.isdigit() and len(text) < 11 else 0

    def unlock(self) -> None:
        """Remove the lock file, if there is one; one that stays is of a process that has ended."""
        try:
            self.lock_path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s: not removed: %s", self.lock_path, error.strerror)

    def write_stats(self, stats: Mapping[str, int]) -> None:
        """Write statistics of the current session; those not named are kept.

        Names are as below /dev/oprofile/stats, e.g. `event_lost_overflow`,
        `cpu0/sample_lost_overflow`. Raises: StoreError, StoreFull.
        """
        samplefile.write_files(self._stats_files(stats))

    def end_dump(self, stats: Mapping[str, int], notes: Iterable[str], disk: Disk) -> None:
        """Write statistics and notes of the current session, and `complete_dump` with them.

        `notes` are the lines of `store.unseen`. Raises: StoreError, StoreFull.
        """
        known = read_stats(self.current)
        files = self._stats_files({k: v for k, v in stats.items() if known.get(k) != v})
        files[unseen_path(self.current)] = unseen_bytes(notes)
        files[self.path / "complete_dump"] = b"1\n"
        samplefile.write_files(files, disk)

    def _stats_files(self, stats: Mapping[str, int]) -> dict[Path, bytes]:
        directory = self.current / "stats"
        return {directory / name: f"{value}\n".encode() for name, value in stats.items()}


def domain_session(root: Path, path: str = SESSION_DIR) -> SessionDir:
    """Return the session directory of the domain at `root`, called `path` by its users."""
    where = inside(root, path)
    return SessionDir(where, shown=f"/{where.relative_to(root)}", top=root)


def read_stats(session: Path) -> dict[str, int]:
    """Return the statistics of a session (its directory) by name; empty if it has none."""
    top = session / "stats"
    found: dict[str, int] = {}
    for path in sorted(top.rglob("*")):
        if not path.is_file() or path.name.startswith("."):  # it is being written
            continue
        text = path.read_text(errors="replace").strip()
        if text.isascii() and text.isdigit() and len(text) <= 20:
            found[path.relative_to(top).as_posix()] = int(text)
    return found


def has_files(session: Path) -> bool:
    """Return whether there is a file of any kind in a session's directory."""
    return any(files for _, _, files in os.walk(session))


def list_files(
    session: Path, *, with_calls: bool = True, nested: list[str] | None = None
) -> list[tuple[SampleKey, Path]]:
    """Return the sample files of a session (its directory) in path order, unread.

    A missing session has none. Names ending in `.jo` are JIT images, not samples. Files in
    whose path the sessions' directory occurs a second time are samples of sample files, which
    readers ignore: their paths go to `nested`. `with_calls=False` leaves out call graphs.

    Raises: BadSamplePath for a stray file among the samples; StoreError (not readable).
    """
    base = os.fspath(session)
    sessions = os.path.dirname(os.path.realpath(session))  # noqa: PTH120 - a part of a path
    found: list[tuple[str, str]] = []
    pending = [tree for tree in _TREES if (session / tree).is_dir()]
    while pending:
        directory = pending.pop()
        try:
            with os.scandir(f"{base}/{directory}") as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(f"{directory}/{entry.name}")
                    elif not entry.name.endswith(".jo"):
                        found.append((directory, entry.name))
        except OSError as error:
            raise _failure(Path(base, directory), error) from error
    found.sort(key=lambda item: f"{item[0]}/{item[1]}")
    files = []
    for where, name in found:
        if not with_calls and "{cg}" in where.split("/"):
            continue
        path = f"{base}/{where}/{name}"
        if nested is not None and sessions in f"/{where}/{name}":
            nested.append(path)
            continue
        try:
            files.append((parse_spec(where, name), Path(path)))
        except BadSamplePath as error:
            raise BadSamplePath(path, str(error).replace(f": {where}", f": {path}")) from None
    return files


def read_file(key: SampleKey, path: Path, abi: Abi | None = None) -> SampleFile:
    """Return the sample file at `path`. Raises: as samplefile.read."""
    return StoredFile(key, *samplefile.read(path, abi), str(path))


def read_files(
    wanted: Iterable[tuple[SampleKey, Path, Abi | None]], warn: Callable[[str], None]
) -> tuple[SampleFile, ...]:
    """Return the sample files that are whole; each damaged one is left out with a warning.

    Raises: StoreError: one cannot be opened, or all are damaged.
    """
    files: list[SampleFile] = []
    damaged: list[StoreError] = []
    for key, path, abi in wanted:
        try:
            files.append(read_file(key, path, abi))
        except (CorruptSampleFile, VersionMismatch) as error:
            damaged.append(error)
    if damaged and not files:
        raise damaged[0]
    for each in damaged:
        warn(f"{each}: left out")
    return tuple(files)


def session_abi(session: Path) -> Abi | None:
    """Return the `abi` file that belongs to a session (its directory). Raises: StoreError."""
    return read_abi(session.parent.parent / "abi")


def read_profile(
    session_dir: Path,
    session: str = CURRENT,
    *,
    archive: str = "",
    select: Callable[[SampleKey], bool] | None = None,
    warn: Callable[[str], None] | None = None,
) -> Profile:
    """Return a session as a Profile; only files whose key satisfies `select` are opened.

    `session` is a name, or a directory if it starts with `/` or `.`. With `warn`, damaged files
    are left out as in `read_files`.

    Raises: StoreError for the first file that cannot be read.
    """
    directory = Path(session) if session[:1] in ("/", ".") else session_dir / "samples" / session
    abi = session_abi(directory)
    wanted = [
        (key, path, abi) for key, path in list_files(directory) if select is None or select(key)
    ]
    if warn is not None:
        files = read_files(wanted, warn)
    else:
        files = tuple(read_file(*each) for each in wanted)
    return Profile(files, archive, read_stats(directory))


def _failure(path: Path, error: OSError) -> StoreError:
    """Return a StoreError with the system's message about `path`."""
    return StoreError(str(path), f"{path}: {os.strerror(error.errno or 0)}")
