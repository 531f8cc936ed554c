"""Watches the guest while its user is at the prompt: what it writes, and whether it still runs.

A timer's signal interrupts the reading of a line, as ^C does, so that no thread is needed.
"""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from xenprof.cli.console.guest import DomainGoneError, Guest
from xenprof.errors import XenprofError

POLL_SECONDS = 0.3


class GuestSpokeError(XenprofError):
    """The guest has written `text` while a line was being typed."""

    def __init__(self, text: str, typed: str) -> None:
        """`typed` is the part of the line that has been typed."""
        super().__init__(text)
        self.text = text
        self.typed = typed


def news(before: str, after: str) -> str:
    """Return what was added to a text that loses lines at its beginning."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    for lost in range(len(old) + 1):
        kept = old[lost:]
        if new[: len(kept)] == kept:
            return "".join(new[len(kept) :])
    return after


class Watch:
    """Remembers how much of a guest's console has been shown."""

    def __init__(self, guest: Guest) -> None:
        """Start with nothing shown."""
        self._guest = guest
        self._seen = ""

    def look(self) -> str:
        """Return what the guest has written since. Raises: DomainGoneError; ServiceError."""
        if self._guest.state().dying:  # a zombie: its nodes are gone, its pages are not
            raise DomainGoneError
        text = self._guest.console()
        added = news(self._seen, text)
        self._seen = text
        return added

    @contextmanager
    def polling(self, typed: Callable[[], str]) -> Iterator[None]:
        """Look at the guest again and again while the body runs.

        Raises, inside the body: GuestSpokeError; DomainGoneError; ServiceError.
        """

        def look(_: int, __: FrameType | None) -> None:
            if added := self.look():
                raise GuestSpokeError(added, typed())

        before = signal.signal(signal.SIGALRM, look)
        signal.setitimer(signal.ITIMER_REAL, POLL_SECONDS, POLL_SECONDS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def typed_line() -> str:
    """Return what the user has typed of a line so far."""
    readline = sys.modules.get("readline")
    return "" if readline is None else str(readline.get_line_buffer())


@contextmanager
def begun_with(text: str) -> Iterator[None]:
    """Make the next line begin with `text`, as if it had been typed."""
    readline = sys.modules.get("readline")
    if readline is None or not text:
        yield
        return

    def insert() -> None:
        readline.insert_text(text)
        with suppress(AttributeError):
            readline.redisplay()

    readline.set_pre_input_hook(insert)
    try:
        yield
    finally:
        readline.set_pre_input_hook(None)
