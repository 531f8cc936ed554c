"""Standard output whose reader may leave before all is said, as `head` does."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import ParamSpec

P = ParamSpec("P")


def ends_with_its_reader(run: Callable[P, int]) -> Callable[P, int]:
    """Make a program end quietly, with 1, once nobody reads its standard output."""

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
    """Run the body up to where nobody reads standard output any more; go on behind it."""
    try:
        yield
        _flush()
    except BrokenPipeError:
        drop_stdout()


def drop_stdout() -> None:
    """Write nothing more: Python would complain again when it flushes at exit."""
    with suppress(OSError, ValueError):  # what is no file needs nothing
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _flush() -> None:
    """Flush standard output. Raises: BrokenPipeError; Python tells other errors at exit."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError:
        return
