"""Asks an agent for reports through ssh, by a child that stays: a line asks, a line answers."""

import contextlib
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import IO, Final

from hypervisor.live.agent.report.fields import HostReport
from hypervisor.live.reports import MOST_BYTES, BadReport, read_report
from hypervisor.live.sources.source import Unreachable

SSH: Final = ("ssh", "-T", "-o", "BatchMode=yes")
"""BatchMode: ssh fails instead of asking somebody for a password."""
AGENT: Final = ("xenprof-agent", "--pipe")
LONGEST_PAUSE_SECONDS: Final = 60.0
"""The pause before a new child doubles with each failure up to this; judgement."""
_FIRST_PAUSE_SECONDS = 1.0
_GRACE_SECONDS = 1.0
_PART_BYTES = 1 << 16


class OverSsh:
    """Keeps a child `ssh NAME -- xenprof-agent --pipe`; no shell of this machine is between."""

    def __init__(
        self,
        name: str,
        *,
        timeout_seconds: float,
        program: Sequence[str] = SSH,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`name` is what ssh calls the host. It must not begin with `-`; see `addresses`."""
        self._command = (*program, name, "--", *AGENT)
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._child: _Child | None = None
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._not_before = 0.0
        self._reason: object = ""  # of the last failure

    def read(self) -> HostReport:
        """Ask for a report, of a new child if there is none. Raises: Unreachable."""
        try:
            if self._child is None:
                self._child = self._started()
            report = read_report(self._child.asked(self._timeout_seconds))
        except (OSError, Unreachable, BadReport) as error:
            self._fail(error)
            raise Unreachable(self._reason) from None
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        return report

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def _started(self) -> "_Child":
        """Return a new child. Raises: Unreachable: it is too early; OSError."""
        now = self._clock()
        if now < self._not_before:
            raise Unreachable(self._reason)
        self._not_before = now + self._pause_seconds
        self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)
        return _Child(self._command)

    def _fail(self, error: Exception) -> None:
        """End the child and keep the reason: its own last words, or the error."""
        self._reason = error
        if isinstance(error, OSError) and error.strerror:
            self._reason = f"{self._command[0]}: {error.strerror}"
        child, self._child = self._child, None
        if child is not None:
            words = child.end()
            if words and not isinstance(error, BadReport):
                self._reason = words


class _Child:
    """A process that answers lines with lines."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start it. Raises: OSError."""
        self._process = subprocess.Popen(
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # it gets no Ctrl-C of the terminal
        )
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._asks: IO[bytes] = self._process.stdin
        self._answers: IO[bytes] = self._process.stdout
        self._complaints: IO[bytes] = self._process.stderr
        self._said = b""  # the end of what it has complained about
        self._selector = selectors.DefaultSelector()
        os.set_blocking(self._asks.fileno(), False)
        for stream in (self._answers, self._complaints):
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ)

    def asked(self, timeout_seconds: float) -> bytes:
        """Return its answer. Raises: Unreachable, BadReport, OSError."""
        if self._asks.write(b"report\n") is None:  # it would have to wait
            raise Unreachable("it does not read what it is asked")
        until, answer = time.monotonic() + timeout_seconds, bytearray()
        while not answer.endswith(b"\n"):
            left = until - time.monotonic()
            ready = self._selector.select(left) if left > 0 else []
            if not ready:
                raise Unreachable("timed out")
            for key, _ in ready:
                part = os.read(key.fd, _PART_BYTES)
                if key.fileobj is self._complaints:
                    self._complained(part)
                elif not part:
                    raise Unreachable("it ended")
                answer += part if key.fileobj is self._answers else b""
            if len(answer) > MOST_BYTES:
                raise BadReport(f"a report is at most {MOST_BYTES >> 20} MiB")
        return bytes(answer)

    def _complained(self, part: bytes) -> None:
        self._said = (self._said + part)[-_PART_BYTES:]
        if not part:
            self._selector.unregister(self._complaints)

    def end(self) -> str:
        """End it, by force if it does not care; return the last line of its complaints."""
        with contextlib.suppress(OSError):  # also of a question that could not be written
            self._asks.close()
        with contextlib.suppress(OSError):
            self._said += os.read(self._complaints.fileno(), _PART_BYTES)
        self._process.terminate()
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._selector.close()
        self._answers.close()
        self._complaints.close()
        lines = self._said.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""
