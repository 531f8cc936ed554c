"""Lets a command that records end when a signal tells it to, with what it has recorded."""

import contextlib
import signal
import threading
from typing import Callable, Iterator

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def until_told() -> Iterator[Callable[[float], bool]]:
    """Yield what waits for so many seconds, or until a signal asks this process to end.

    It returns True then, so that Xen can be left as it was: whom a signal kills leaves it at work.
    """
    stop = threading.Event()
    before = {one: signal.signal(one, lambda *_: stop.set()) for one in ENDING_SIGNALS}
    try:
        yield stop.wait
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
