"""Handles a standard output that is closed, or whose reader may leave early, as `head` does."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import ParamSpec

P = ParamSpec("P")


def ends_with_its_reader(run: Callable[P, int]) -> Callable[P, int]:
    """Make a program end quietly, with 1, when nobody reads its standard output any more.

    A program that has none from the start does its work and writes to nothing.
    """

    @wraps(run)
    def ending(*args: P.args, **kwargs: P.kwargs) -> int:
        if sys.stdout is None:
            sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
        with reader_may_leave():
            code = run(*args, **kwargs)
            _flush()
            return code
        return 1

    return ending


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Run the body until nobody reads standard output any more; continue after it."""
    try:
        yield
        _flush()
    except BrokenPipeError:
        drop_stdout()


def drop_stdout() -> None:
    """Discard further output: Python would complain again when it flushes at exit."""
    with suppress(OSError, ValueError):  # a stream without a file needs nothing
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _flush() -> None:
    """Flush standard output. Raises: BrokenPipeError; Python reports other errors at exit."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError:
        return
