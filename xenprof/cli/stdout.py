"""Ends programs well: nobody reads standard output, it cannot be written, a user presses Ctrl-C."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import ParamSpec

P = ParamSpec("P")


INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells give it to a program that SIGINT has ended."""


def ends_well(name: str) -> Callable[[Callable[P, int]], Callable[P, int]]:
    """Make a program end as `ends_with_its_reader` does, quietly at Ctrl-C, and otherwise tell.

    What cannot be read or written is told in one line after the program's `name`, with exit
    code 1. An error without the name of a file is one of standard output.
    """

    def ending_well(run: Callable[P, int]) -> Callable[P, int]:
        until_unread = ends_with_its_reader(run)

        @wraps(run)
        def ending(*args: P.args, **kwargs: P.kwargs) -> int:
            try:
                return until_unread(*args, **kwargs)
            except KeyboardInterrupt:
                return INTERRUPTED
            except OSError as error:
                if error.filename is None:
                    drop_stdout()
                place = "standard output" if error.filename is None else error.filename
                print(f"{name}: {place}: {error.strerror or error}", file=sys.stderr)
                return 1

        return ending

    return ending_well


def ends_with_its_reader(run: Callable[P, int]) -> Callable[P, int]:
    """Make a program end quietly, with 1, when nobody reads its standard output any more.

    A program that has none from the start does its work and writes to nothing.
    Raises: OSError: standard output cannot be written.
    """

    @wraps(run)
    def ending(*args: P.args, **kwargs: P.kwargs) -> int:
        if sys.stdout is None:
            sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
        with reader_may_leave():
            code = run(*args, **kwargs)
            sys.stdout.flush()
            return code
        return 1

    return ending


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Run the body until nobody reads standard output any more; continue after it."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        drop_stdout()


def drop_stdout() -> None:
    """Discard further output: Python would complain again when it flushes at exit."""
    with suppress(OSError, ValueError):  # a stream without a file needs nothing
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
