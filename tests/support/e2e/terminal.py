"""Runs a program in a pseudo-terminal, and reads its screen."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pyte

PATIENCE_SECONDS = 60
_SIZE = ("COLUMNS", "LINES")


class Terminal:
    """Runs a program; `until` waits for what its screen shows."""

    def __init__(
        self, *words: str, environment: Mapping[str, str], size: tuple[int, int] = (80, 24)
    ) -> None:
        """Start `words` on a screen of `size` columns and lines.

        The terminal alone tells the size: COLUMNS and LINES of a test's worker would win over it.
        """
        own = {name: value for name, value in environment.items() if name not in _SIZE}
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._own, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (size[1], size[0]))
        self.process = subprocess.Popen(
            words,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**own, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        self._modes = termios.tcgetattr(theirs)
        self._theirs = theirs  # kept open, so that the modes can be read after the program's end

    @property
    def lines(self) -> list[str]:
        """Return the lines of the screen without blanks at their ends."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def is_as_before(self) -> bool:
        """Return whether the terminal echoes and reads whole lines as before the program."""
        return termios.tcgetattr(self._theirs)[:4] == self._modes[:4]

    def press(self, keys: str) -> None:
        """Type `keys`; those without a letter as the escape sequences of xterm."""
        os.write(self._own, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """Change the size, as a user does by dragging the window's corner."""
        termios.tcsetwinsize(self._own, (lines, columns))
        self._screen.resize(lines, columns)
        self.process.send_signal(signal.SIGWINCH)

    def reverse(self, y: int) -> str:
        """Return the text of a line that is in reverse video."""
        cells = self._screen.buffer[y]
        return "".join(cells[x].data for x in range(self._screen.columns) if cells[x].reverse)

    def until(self, holds: Callable[[list[str]], bool]) -> list[str]:
        """Return the screen as soon as `holds` is true of it.

        Raises: AssertionError with the screen, if it never is or the program ends first.
        """
        end = time.monotonic() + PATIENCE_SECONDS
        while not holds(self.lines):
            shown = "\n".join(self.lines)
            assert time.monotonic() < end, f"still on the screen:\n{shown}"
            assert self._read() or self.process.poll() is None, f"ended with:\n{shown}"
        return self.lines

    def leave(self) -> int:
        """Return the exit code of the program, which must be about to end."""
        end = time.monotonic() + PATIENCE_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < end, "still running:\n" + "\n".join(self.lines)
            self._read()
        return self.process.returncode

    def close(self) -> None:
        """End the program if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._own)
        os.close(self._theirs)

    def _read(self) -> bool:
        """Read what comes within a moment; return whether anything came."""
        ready, _, _ = select.select([self._own], [], [], 0.1)
        if ready:
            self._stream.feed(os.read(self._own, 65536))
        return bool(ready)


def program(name: str) -> str:
    """Return the path of an installed program of xenprof."""
    return str(Path(sys.executable).with_name(name))
