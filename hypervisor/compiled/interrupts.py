"""Keeps Ctrl-C out of compiled code, which an exception cannot leave at any place.

Operations on large integers look for signals. If the handler raises there, compiled code takes
it for a lack of memory, and aborts the process.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

Handler = Callable[[int, FrameType | None], Any]


class InterruptsHeld:
    """Holds SIGINT back until the end of a `with`; a second one ends the process at once."""

    __slots__ = ("_handler", "_is_due")

    def __init__(self) -> None:
        self._handler: Handler | None = None
        self._is_due = False

    def __enter__(self) -> None:
        """Begin. Other threads than the main one, and who ignores SIGINT, have nothing to hold."""
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            if callable(handler):
                self._handler = handler
                signal.signal(signal.SIGINT, self._note)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End, and let the handler do what it does. Raises: what the handler raises."""
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
            if self._is_due:
                self._handler(signal.SIGINT, None)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._is_due = True
        signal.signal(number, signal.SIG_DFL)
