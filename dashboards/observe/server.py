"""Starts, finds again and ends one server in the background, by a file with its process id.

A process is taken for ours only if its command line has our configuration, as ids are used again.
"""

import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from dashboards.observe import ownfiles
from dashboards.observe.page import LOOPBACK, SHUT, Page
from dashboards.observe.reload import Refused, is_taken
from dashboards.observe.settings import CannotObserve
from hypervisor.ownfiles import opener

_LAST_PORT = 65535
_READY_SECONDS = 60.0
_END_SECONDS = 10.0
_ASK_EVERY_SECONDS = 0.1
_TOLD = 300
"""Characters of the log that a message shows."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server: `name` is that of its files, `option` what a user sets to give another port."""

    name: str
    title: str
    folder: Path
    arguments: tuple[str, ...]  # the program first
    page: Page
    option: str

    def check_port(self) -> None:
        """Check that its port is free or its own already. Raises: CannotObserve."""
        process = running(self.folder, self.name)
        if process:
            process.close()
            if f"--web.listen-address={LOOPBACK}:{self.page.port}" in _command_line(process.pid):
                return
        try:
            socket.create_server((LOOPBACK, self.page.port)).close()
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise CannotObserve(
                f"{self.title} cannot listen on {LOOPBACK}:{self.page.port}: {reason}; "
                f"choose another port: {self.option}={_another(self.page.port)}"
            ) from None

    def start(self) -> None:
        """Start it, or have it read its configuration again if it runs as it should.

        Raises: CannotObserve: it ended before it was ready, or refused its configuration.
        """
        process = running(self.folder, self.name)
        if process and _command_line(process.pid) == list(self.arguments):
            self._reload(process)
            return
        if process:
            process.end()
        with open(self._log, "wb", opener=opener) as output:
            started = subprocess.Popen(
                self.arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        ownfiles.write(_pid_file(self.folder, self.name), f"{started.pid}\n")
        self._wait(lambda: started.poll() is not None, self._is_ready)

    @property
    def _log(self) -> Path:
        return self.folder / log_name(self.name)

    def _reload(self, process: "Process") -> None:
        said = self._log.stat().st_size if self._log.exists() else 0
        process.send(signal.SIGHUP)
        process.close()
        try:
            self._wait(
                lambda: not _command_line(process.pid),
                lambda: is_taken(self._log, said) and self._is_ready(),
            )
        except Refused as error:
            raise CannotObserve(
                f"{self.title} refuses its configuration and goes on with that before; "
                f"see {self._log}: {error}"
            ) from None

    def _wait(self, has_ended: Callable[[], bool], is_done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not is_done():
            if has_ended() or time.monotonic() > deadline:
                told = self._log.read_text(encoding="utf-8", errors="replace").strip()[-_TOLD:]
                raise CannotObserve(f"{self.title} does not get ready; see {self._log}: ...{told}")
            time.sleep(_ASK_EVERY_SECONDS)

    def _is_ready(self) -> bool:
        """Return whether it answers that it is, or does not answer us."""
        return self.page.ask("/-/ready").status in (HTTPStatus.OK, *SHUT)


@dataclass(frozen=True, slots=True)
class Process:
    """A process that is ours, held by a descriptor, so that no other can take its id."""

    pid: int
    descriptor: int

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if it has ended."""
        try:
            signal.pidfd_send_signal(self.descriptor, number)
        except ProcessLookupError:
            return

    def end(self) -> None:
        """End it, by force if it does not within ten seconds, and wait until it has."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            self.send(number)
            ended, _, _ = select.select([self.descriptor], [], [], _END_SECONDS)
            if ended:
                break
        self.close()

    def close(self) -> None:
        """Let go of it."""
        os.close(self.descriptor)


def running(folder: Path, name: str) -> Process | None:
    """Return the process of a server if it runs and is ours."""
    try:
        pid = int(ownfiles.read(_pid_file(folder, name)))
        descriptor = os.pidfd_open(pid)
    except (OSError, ValueError):
        return None
    if config_option(folder, name) in _command_line(pid):
        return Process(pid, descriptor)
    os.close(descriptor)
    return None


def end(folder: Path, name: str) -> bool:
    """End a server if it runs and is ours; return whether it ran."""
    process = running(folder, name)
    if process:
        process.end()
    _pid_file(folder, name).unlink(missing_ok=True)
    return process is not None


def config_option(folder: Path, name: str) -> str:
    """Return the argument by which a process is known for ours."""
    return f"--config.file={folder / name}.yml"


def log_name(name: str) -> str:
    """Return the name of the file with what a server says, in which Alertmanager names URLs."""
    return f"{name}.log"


def _another(port: int) -> int:
    return port + 1000 if port + 1000 <= _LAST_PORT else port - 1000


def _pid_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.pid"


def _command_line(pid: int) -> list[str]:
    """Return the words of a process' command line, none if it has ended."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return []
    return words.split("\0")[:-1]
