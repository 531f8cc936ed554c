"""Calls programs in this process, as a shell would, with an alarm against those that hang."""

import io
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import FrameType
from unittest.mock import patch

from xenprof.cli.main import PROGRAMS
from xenprof.cli.main import main as xenprof
from xenprof.cli.stdout import INTERRUPTED

INTERRUPT_SECONDS = 2
"""After so long a user presses Ctrl-C: some programs go on until then."""
PATIENCE_SECONDS = 30
"""After so long without a reaction a program hangs."""


class Hangs(BaseException):
    """Says that a program has not ended; no program catches it."""


@dataclass(frozen=True, slots=True)
class Called:
    """How a program has ended."""

    exit_code: object
    stdout: str
    stderr: str
    error: BaseException | None = None  # that it has not caught

    @property
    def fault(self) -> str:
        """Return what is wrong with how it ended, "" if nothing is."""
        if self.error is not None:
            return f"{type(self.error).__name__}: {self.error}"[:200]
        if type(self.exit_code) is not int or not 0 <= self.exit_code <= 255:
            return f"the exit code is {self.exit_code!r}"
        for word in ("Traceback (most recent", "a bug in xenprof", "internal error"):
            if word in self.stdout + self.stderr:
                return f"it says {word!r}"
        if self.exit_code not in (0, INTERRUPTED) and not (self.stdout + self.stderr).strip():
            return f"it ends with {self.exit_code} and says nothing"
        return ""


def call(words: Sequence[str]) -> Called:
    """Run a command line; standard input is empty."""
    program = _program(words[0])
    out, err = (
        io.TextIOWrapper(io.BytesIO(), "utf-8", errors) for errors in ("strict", "backslashreplace")
    )
    stdin = io.TextIOWrapper(io.BytesIO(), "utf-8")
    code: object = 1
    error: BaseException | None = None
    with patch.multiple(sys, stdin=stdin, stdout=out, stderr=err), _alarm():
        try:
            code = program(list(words[1:]))
        except SystemExit as done:
            code = 0 if done.code is None else done.code
        except BaseException as uncaught:
            error = uncaught
    return Called(code, _written(out), _written(err), error)


def _program(name: str) -> Callable[[Sequence[str]], int]:
    if name == "xenprof":
        return xenprof
    module, function, _ = PROGRAMS[name]
    found: Callable[[Sequence[str]], int] = getattr(
        import_module(f"xenprof.cli.{module}" + (".program" if module == "xm" else "")), function
    )
    return found


def _written(stream: io.TextIOWrapper) -> str:
    try:
        stream.flush()
        buffer = stream.buffer
    except ValueError:
        return ""
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode(errors="replace")


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        if time.monotonic() - begun < PATIENCE_SECONDS:
            signal.raise_signal(signal.SIGINT)
            return
        raise Hangs(f"more than {PATIENCE_SECONDS} s")

    begun = time.monotonic()
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, INTERRUPT_SECONDS, PATIENCE_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
