"""Keeps what others have written to one line that can be read, whatever is in it."""

from typing import Final

LONGEST: Final = 2000
"""The characters of a line that somebody is to read."""
_END: Final = 200  # of them, which say what to do


def one_line(text: str) -> str:
    """Return a text in which nothing breaks a line or commands a terminal: that is escaped."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def readable_line(text: str) -> str:
    """Return a text as one line; of one that is too long, the middle is left out."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST - _END]} ... {text[-_END:]}"
    return one_line(text)
