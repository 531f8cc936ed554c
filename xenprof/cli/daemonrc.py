"""Keeps opcontrol's setup between calls: `/root/.oprofile/daemonrc` in the domain.

Plain `NAME=value` lines. What is set while a daemon runs goes to `daemonrc_new`, which takes
the place of `daemonrc` at the next call without a daemon.
Source: oprofile utils/opcontrol (0.9.9), do_save_setup and load_setup.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hypervisor.ownfiles import check_no_link, make_folder
from xenprof.cli.opcontrol_options import c_number
from xenprof.disk import DISK, Batch
from xenprof.errors import UsageError
from xenprof.home import SESSION_DIR

_NAME = re.compile(r"\w+", re.ASCII)
_VALUE = re.compile(r"[\w\-:,./]*", re.ASCII)
_FLAGS = {"library": "LIB", "kernel": "KERNEL", "thread": "THREAD", "cpu": "CPU"}


@dataclass(frozen=True, slots=True)
class Daemonrc:
    """The saved setup. `vmlinux` is "" while undecided and `none` for --no-vmlinux.

    `events` are complete specifications. Ranges and numbers are the user's text; a range of ""
    is that of the image.
    """

    session_dir: str = SESSION_DIR
    events: tuple[str, ...] = ()
    separate: tuple[str, ...] = ()
    vmlinux: str = ""
    image_filter: str = ""
    buffer_size: str = "0"
    buffer_watershed: str = "0"
    cpu_buffer_size: str = "0"
    callgraph_depth: str = "0"
    kernel_range: str = ""
    xen_image: str = "none"
    xen_range: str = ""

    def lines(self) -> Iterator[str]:
        """Yield the lines of the file, in the original's order."""
        yield f"SESSION_DIR={self.session_dir}"
        for index, event in enumerate(self.events):
            yield f"CHOSEN_EVENTS_{index}={event}"
        yield f"NR_CHOSEN={len(self.events)}"
        for word, suffix in _FLAGS.items():
            yield f"SEPARATE_{suffix}={int(word in self.separate)}"
        yield f"VMLINUX={self.vmlinux}"
        yield f"IMAGE_FILTER={self.image_filter}"
        if self.buffer_size != "0":
            yield f"BUF_SIZE={self.buffer_size}"
        if self.buffer_watershed != "0":
            yield f"BUF_WATERSHED={self.buffer_watershed}"
        yield f"CPU_BUF_SIZE={self.cpu_buffer_size}"
        yield f"CALLGRAPH={self.callgraph_depth}"
        if self.kernel_range:
            yield f"KERNEL_RANGE={self.kernel_range}"
        yield f"XENIMAGE={self.xen_image}"
        if self.xen_range:
            yield f"XEN_RANGE={self.xen_range}"

    def status_lines(self) -> Iterator[str]:
        """Yield what `--status` prints after the daemon's state."""
        yield f"Session-dir: {self.session_dir}"
        for index, event in enumerate(self.events):
            yield f"Event {index}: {event}"
        # The original puts a blank before each word but `library`.
        separate = "".join(f" {word}" for word in self.separate).removeprefix(" library")
        if "library" in self.separate:
            separate = f"library{separate}"
        yield f"Separate options: {separate or 'none'}"
        yield f"vmlinux file: {self.vmlinux}"
        yield f"Image filter: {self.image_filter or 'none'}"
        yield f"Call-graph depth: {self.callgraph_depth}"
        for text, number in (
            ("Buffer size", self.buffer_size),
            ("CPU buffer watershed", self.buffer_watershed),
            ("CPU buffer size", self.cpu_buffer_size),
        ):
            if number != "0":
                yield f"{text}: {number}"

    def parameter_lines(self, cpu_type: str) -> Iterator[str]:
        """Yield what `--verbose` prints before anything is done."""
        samples = f"{self.session_dir}/samples"
        yield "Parameters used:"
        yield f"SESSION_DIR {self.session_dir}"
        yield f"LOCK_FILE {self.session_dir}/lock"
        yield f"SAMPLES_DIR {samples}"
        yield f"CURRENT_SAMPLES_DIR {samples}/current"
        yield f"CPUTYPE {cpu_type}"
        for name, number in (
            ("BUF_SIZE", self.buffer_size),
            ("BUF_WATERSHED", self.buffer_watershed),
            ("CPU_BUF_SIZE", self.cpu_buffer_size),
        ):
            yield f"{name} {number if number != '0' else 'default value'}"
        for word, suffix in _FLAGS.items():
            yield f"SEPARATE_{suffix} {int(word in self.separate)}"
        yield f"CALLGRAPH {self.callgraph_depth}"
        yield f"VMLINUX {self.vmlinux}".rstrip()
        yield f"KERNEL_RANGE {self.kernel_range}".rstrip()
        yield f"XENIMAGE {self.xen_image}"
        yield f"XEN_RANGE {self.xen_range}".rstrip()


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Let no other opcontrol change the setup of a domain, whose `/` is `root`, meanwhile.

    Raises: UsageError (its directory cannot be made or read).
    """
    folder = root / "root" / ".oprofile"
    try:
        make_folder(root, folder)
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


class DaemonrcFiles:
    """daemonrc and daemonrc_new of one domain."""

    def __init__(self, root: Path, *, is_daemon_alive: bool) -> None:
        """`root` is the domain's `/`. Raises: UsageError (its directory is not writable)."""
        self._root = root
        directory = root / "root" / ".oprofile"
        self._current = directory / "daemonrc"
        self._new = directory / "daemonrc_new"
        self._is_daemon_alive = is_daemon_alive
        if not is_daemon_alive and self._new.exists():
            try:
                DISK.rename(self._new, self._current)
                DISK.sync(directory)
            except FileNotFoundError:
                pass  # another opcontrol has done so
            except OSError as error:
                raise UsageError(f"{self._current}: {error.strerror}") from None

    def load(self) -> Daemonrc:
        """Return the setup of the running daemon, or of the next one if none runs.

        Raises: UsageError for a file that opcontrol would not read.
        """
        return _load(self._current)

    def load_next(self) -> Daemonrc:
        """Return the setup that the next daemon will have. Raises as `load`."""
        return _load(self._new if self._new.exists() else self._current)

    def save(self, setup: Daemonrc) -> None:
        """Save `setup` for the next daemon. Raises: UsageError (not writable)."""
        path = self._new if self._is_daemon_alive else self._current
        try:
            check_no_link(self._root, path.parent)
            batch = Batch()
            text = "".join(f"{line}\n" for line in setup.lines())
            batch.add(path, text.encode("ascii")).chmod(0o600)
            for error in batch.commit().values():
                raise error
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from None


def _load(path: Path) -> Daemonrc:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return Daemonrc()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    values: dict[str, str] = {}
    for line in filter(None, lines):
        name, _, value = line.partition("=")
        if not _NAME.fullmatch(name):
            raise UsageError(f'Invalid variable "{name}" in {path}.')
        if not _VALUE.fullmatch(value):
            raise UsageError(f'Invalid value "{value}" for {name} in {path}.')
        values[name] = value

    def number(name: str) -> str:
        text = values.get(name) or "0"
        try:
            c_number(text)
        except ValueError:
            raise UsageError(f'Invalid value "{text}" for {name} in {path}.') from None
        return text

    return Daemonrc(
        session_dir=values.get("SESSION_DIR") or SESSION_DIR,
        events=tuple(
            values.get(f"CHOSEN_EVENTS_{index}", "")
            for index in range(min(c_number(number("NR_CHOSEN")), 32))
        ),
        separate=tuple(
            word for word, suffix in _FLAGS.items() if number(f"SEPARATE_{suffix}") != "0"
        ),
        vmlinux=values.get("VMLINUX", ""),
        image_filter=values.get("IMAGE_FILTER", ""),
        buffer_size=number("BUF_SIZE"),
        buffer_watershed=number("BUF_WATERSHED"),
        cpu_buffer_size=number("CPU_BUF_SIZE"),
        callgraph_depth=number("CALLGRAPH"),
        kernel_range=values.get("KERNEL_RANGE", ""),
        xen_image=values.get("XENIMAGE") or "none",
        xen_range=values.get("XEN_RANGE", ""),
    )
