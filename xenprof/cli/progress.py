"""Shows on a terminal how far a run has come; nowhere else, and nothing stays of it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ERASE = "\r\x1b[K"
"""What empties a line of a terminal."""
_BAR = 30


class Progress:
    """The line of a run that ends at `end_ns`, on standard error if that is a terminal."""

    def __init__(self, end_ns: int) -> None:
        """Begin at model time 0."""
        self.is_shown = sys.stderr is not None and sys.stderr.isatty()
        self._end_ns = end_ns
        self._percent = -1

    def at(self, now_ns: int) -> None:
        """Show that the model is at `now_ns`."""
        percent = 100 * now_ns // self._end_ns
        if self.is_shown and percent != self._percent:
            self._percent = percent
            self._write(f"{ERASE}running {percent:3d} % of {self._end_ns / 1e9:g} s")

    def end(self) -> None:
        """Erase the line."""
        if self._percent >= 0:
            self._write(ERASE)

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


@contextmanager
def progress(end_ns: int) -> Iterator[Progress]:
    """Yield the progress of a run until `end_ns`, and erase it."""
    shown = Progress(end_ns)
    try:
        yield shown
    finally:
        shown.end()


@contextmanager
def counted(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield what shows on a terminal how many of something are done, with a bar; erase it."""
    is_shown = sys.stderr is not None and sys.stderr.isatty()

    def told(done: int, of: int) -> None:
        if is_shown:
            full = _BAR * done // of if of else _BAR
            bar = "#" * full + "." * (_BAR - full)
            print(f"{ERASE}[{bar}] {done} of {of} {what}", end="", file=sys.stderr, flush=True)

    try:
        yield told
    finally:
        if is_shown:
            print(ERASE, end="", file=sys.stderr, flush=True)
