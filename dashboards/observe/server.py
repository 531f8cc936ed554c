"""Starts, finds again and ends one server in the background, by a file with its process id.

A process is taken for ours only if its command line has our configuration, as ids are used again.
"""

import http.client
import os
import select
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from dashboards.observe.settings import CannotObserve

LOOPBACK = "127.0.0.1"

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
    port: int
    option: str
    is_encrypted: bool = False

    @property
    def url(self) -> str:
        """Return the address of its page."""
        return f"{'https' if self.is_encrypted else 'http'}://{LOOPBACK}:{self.port}"

    def check_port(self) -> None:
        """Check that its port is free or its own already. Raises: CannotObserve."""
        process = running(self.folder, self.name)
        if process:
            process.close()
            if f"--web.listen-address={LOOPBACK}:{self.port}" in _command_line(process.pid):
                return
        try:
            socket.create_server((LOOPBACK, self.port)).close()
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise CannotObserve(
                f"{self.title} cannot listen on {LOOPBACK}:{self.port}: {reason}; "
                f"choose another port: {self.option}={self.port + 1000}"
            ) from None

    def start(self) -> None:
        """Start it, or have it read its configuration again if it runs as it should.

        Raises: CannotObserve: it ended before it was ready.
        """
        process = running(self.folder, self.name)
        if process and _command_line(process.pid) == list(self.arguments):
            process.send(signal.SIGHUP)
            process.close()
            self._wait(process.pid)
            return
        if process:
            process.end()
        log = self.folder / f"{self.name}.log"
        with log.open("wb") as output:
            started = subprocess.Popen(
                self.arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        _pid_file(self.folder, self.name).write_text(f"{started.pid}\n", encoding="utf-8")
        self._wait(started.pid, started)

    def _wait(self, pid: int, started: "subprocess.Popen[bytes] | None" = None) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not self._is_ready():
            ended = started.poll() is not None if started else not _command_line(pid)
            if ended or time.monotonic() > deadline:
                log = self.folder / f"{self.name}.log"
                told = log.read_text(encoding="utf-8", errors="replace").strip()[-_TOLD:]
                raise CannotObserve(f"{self.title} does not get ready; see {log}: ...{told}")
            time.sleep(_ASK_EVERY_SECONDS)

    def _is_ready(self) -> bool:
        """Return whether it answers: with passwords 401, and 400 where it speaks TLS alone."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=5)
        try:
            connection.request("GET", "/-/ready")
            return connection.getresponse().status in (200, 400, 401)
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


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
        pid = int(_pid_file(folder, name).read_text(encoding="utf-8"))
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


def _pid_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.pid"


def _command_line(pid: int) -> list[str]:
    """Return the words of a process' command line, none if it has ended."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return []
    return words.split("\0")[:-1]
