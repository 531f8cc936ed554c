"""Files of what was seen of a host: a head, then one look in each line, as JSON.

A line holds when it was seen and what `xenprof top` shows of the snapshot, or a scenario is
captured from; what is unknown or empty is left out. Lines are only ever added, each by one
write, so that a file that was cut ends in a part of a line and all others are whole.
"""

import fcntl
import json
import os
import stat
from array import array
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from pathlib import Path
from typing import IO, Any, Final

from hypervisor.ownfiles import opener
from hypervisor.telemetry import DomainSnapshot, HostSnapshot, VbdSnapshot, VcpuSnapshot
from xenprof.errors import XenprofError
from xenprof.wire.codec import Malformed, decode

HEAD: Final = b'{"format":"xenprof top","version":1}\n'
LONGEST_LINE_BYTES: Final = 64 * 2**20
"""Judgement: 512 domains with 32 vcpus each take a tenth of it."""

_LONGEST_NUMBER = 20  # digits: what 64 bits hold
_LATEST_NS = 2**63

_LEFT_OUT: Final[Mapping[type, frozenset[str]]] = {
    HostSnapshot: frozenset(
        {
            "nics", "disks", "bridges", "xenoprof", "samples", "lost", "image_samples",
            "symbol_samples", "overhead", "profiling", "counters", "trace", "events",
            "operations", "last_operations",
        }
    ),
    DomainSnapshot: frozenset({"waits", "on_behalf", "workloads", "kernel"}),
    VbdSnapshot: frozenset({"read_latency", "write_latency"}),
    VcpuSnapshot: frozenset({"credit", "priority", "boosts", "migrations", "steals"}),
}  # fmt: skip
"""Fields that are neither shown nor needed to capture a scenario."""


class RecordingError(XenprofError):
    """A file cannot be recorded into, or is no recording, or one of its looks is damaged."""


@dataclass(frozen=True, slots=True)
class Look:
    """A snapshot, and when it was seen, by the clock of who looked."""

    seen_unix_ns: int
    host: HostSnapshot


def to_line(look: Look) -> bytes:
    """Return a look as a line."""
    value = {"seen_unix_ns": look.seen_unix_ns, "host": look.host}
    return json.dumps(value, default=_lean, separators=(",", ":")).encode() + b"\n"


def _lean(value: Any) -> object:
    """Return a record without what is not shown and what is as it is by default."""
    if not is_dataclass(value):
        return dict(value)
    left_out = _LEFT_OUT.get(type(value), frozenset())
    return {
        field.name: found
        for field in fields(value)
        if field.name not in left_out and (found := getattr(value, field.name)) != _default(field)
    }


def _default(field: "Field[Any]") -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


class Recorder:
    """Adds looks to a file, its user's alone, until that is as long as it may be."""

    def __init__(self, path: Path, limit_bytes: int) -> None:
        """Begin a file, or go on with a recording. Raises: RecordingError; OSError."""
        self.path = path
        self.records = 0  # that were added
        self.trouble: str | None = None  # why nothing more is recorded
        self._limit_bytes = limit_bytes
        self._file = _opened(path)
        try:
            self._size = self._whole_size()
        except BaseException:
            self._file.close()
            raise

    def add(self, look: Look) -> None:
        """Add a look; a file that is full or cannot be written keeps what it has."""
        if self.trouble is not None:
            return
        line = to_line(look)
        if self._size + len(line) > self._limit_bytes:
            self.trouble = f"{self.path} has reached {self._limit_bytes} bytes"
            return
        try:
            self._write(line)
        except OSError as error:
            self.trouble = f"{self.path}: {error.strerror or error}"
        else:
            self.records += 1

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _whole_size(self) -> int:
        """Return the size without a look that was cut, which is removed; write a missing head."""
        size = os.fstat(self._file.fileno()).st_size
        if size == 0:
            self._size = 0
            self._write(HEAD)
            return self._size
        self._file.seek(0)
        if self._file.read(len(HEAD)) != HEAD:
            raise RecordingError(f"{self.path} exists and is no recording of xenprof top")
        os.fchmod(self._file.fileno(), 0o600)
        whole = _end_of_last_line(self._file, size)
        if whole < size:
            self._file.truncate(whole)
        return whole

    def _write(self, data: bytes) -> None:
        """Write all of it or nothing. Raises: OSError."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._file.fileno(), rest) :]
        except OSError:
            self._file.truncate(self._size)
            raise
        self._size += len(data)


def _opened(path: Path) -> IO[bytes]:
    """Return a file to append to: no link, no device, written by nobody else, mode 0600."""

    def private(name: str, flags: int) -> int:
        more = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(name, flags | more, 0o600)

    file = open(path, "ab+", buffering=0, opener=private)  # noqa: SIM115  the recorder closes it
    try:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise RecordingError(f"{path} is no regular file")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise RecordingError(f"{path} is being recorded into by another program") from None
    except BaseException:
        file.close()
        raise
    return file


def _end_of_last_line(file: IO[bytes], size: int) -> int:
    """Return the offset after the last newline; the head has one."""
    end = size
    while end > 0:
        start = max(0, end - 2**16)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


class Recording:
    """A recorded file, whose looks are read when they are asked for."""

    def __init__(self, path: Path) -> None:
        """Find the looks. Raises: RecordingError; OSError."""
        self.path = path
        self.is_cut = False  # it ends in a part of a look
        self._file = open(path, "rb", opener=opener)  # noqa: SIM115  kept as long as this is
        self._starts = array("Q")
        try:
            self._find()
        except BaseException:
            self._file.close()
            raise

    def __len__(self) -> int:
        """Return the number of whole looks."""
        return len(self._starts)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def at(self, number: int) -> Look:
        """Return a look, from 0 on. Raises: RecordingError, which says what is damaged."""
        self._file.seek(self._starts[number])
        line = self._file.readline(LONGEST_LINE_BYTES)
        try:
            look = decode(Look, json.loads(line, parse_int=_bounded))
        except Malformed as error:
            raise self._damaged(number, str(error)) from None
        except (ValueError, RecursionError):
            raise self._damaged(number, "it is no JSON of such numbers") from None
        times = (look.seen_unix_ns, look.host.unix_ns, look.host.time_ns)
        if not all(0 <= time_ns < _LATEST_NS for time_ns in times):
            raise self._damaged(number, "it has an impossible time")
        return look

    def _damaged(self, number: int, reason: str) -> RecordingError:
        return RecordingError(f"{self.path}: look {number + 1} is damaged: {reason}")

    def _find(self) -> None:
        if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            raise RecordingError(f"{self.path} is no regular file")
        if self._file.readline(len(HEAD)) != HEAD:
            raise RecordingError(f"{self.path} is no recording of xenprof top")
        start = self._file.tell()
        while line := self._file.readline(LONGEST_LINE_BYTES):
            if not line.endswith(b"\n"):
                self.is_cut = True
                return
            self._starts.append(start)
            start += len(line)


def _bounded(digits: str) -> int:
    """Return a number that a counter can have. Raises: ValueError."""
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError(digits[:_LONGEST_NUMBER])
    return int(digits)
