"""Tells whether a program can show a screen."""

import os

_STREAMS = (0, 1, 2)


def has_terminal() -> bool:
    """Return whether input, output and errors are a terminal; what is closed is none."""
    return all(map(_is_terminal, _STREAMS))


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
