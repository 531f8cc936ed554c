"""Keeps the garbage collector from what lives as long as its process: modules, tables, a host."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting() -> Iterator[None]:
    """Make in the body what lasts: nothing is collected in it, nor looked through afterwards.

    Looking through a host and all modules again and again is a tenth of the start of a run.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def end_without_collecting() -> None:
    """Leave all objects to the end of the process, where collecting them is in vain: 30 ms."""
    atexit.register(gc.freeze)
