"""Handles a standard output whose reader may leave before its end, as `head` does."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import ParamSpec

P = ParamSpec("P")


def ends_with_its_reader(run: Callable[P, int]) -> Callable[P, int]:
    """Make a program end quietly, with 1, when nobody reads its standard output any more."""

    @wraps(run)
    def ending(*args: P.args, **kwargs: P.kwargs) -> int:
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
