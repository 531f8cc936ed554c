"""Makes texts that others choose, such as names of domains, safe for a terminal, and measures them.

A guest's name may hold escape sequences, marks that turn the order of letters round, and letters
that have no width. None of them reaches the screen.
"""

import unicodedata
from typing import Final

_IN_ITS_PLACE: Final = "?"
_CUT: Final = "+"
_WITHOUT_WIDTH = frozenset({"Mn", "Me"})  # marks above and around the letter before them
_WIDE = frozenset({"W", "F"})


def safe(text: str) -> str:
    """Return a text with `?` for what is no letter with a width: controls, bidi marks, accents
    that stand alone, halves of surrogate pairs.
    """
    if text.isascii() and text.isprintable():
        return text
    composed = unicodedata.normalize("NFC", text)
    return "".join(letter if _is_safe(letter) else _IN_ITS_PLACE for letter in composed)


def _is_safe(letter: str) -> bool:
    return letter.isprintable() and unicodedata.category(letter) not in _WITHOUT_WIDTH


def width(text: str) -> int:
    """Return how many cells of a terminal a safe text takes."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(letter) in _WIDE else 1 for letter in text)


def cut(text: str, cells: int) -> str:
    """Return as much of a safe text as fits into so many cells."""
    if text.isascii():
        return text[:cells]
    while width(text) > cells:
        text = text[:-1]
    return text


def shortened(text: str, cells: int) -> str:
    """Return a safe text, with `+` for its end if it does not fit into so many cells."""
    return text if width(text) <= cells else cut(text, cells - 1) + _CUT


def right(text: str, cells: int) -> str:
    """Return a safe text with blanks before it, so that it takes at least so many cells."""
    return " " * (cells - width(text)) + text
