"""Finds what somebody meant to type."""

from collections.abc import Collection, Iterable
from itertools import islice

_SHOWN = 20
_LONGEST = 100  # comparing takes time with the square of the length


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the one of `known` that is most like `word`, and not the same; None: none is near."""
    from difflib import get_close_matches  # here, because few calls go wrong

    near = get_close_matches(word[:_LONGEST], [one for one in known if one != word], n=1)
    return near[0] if near else None


def some(names: Collection[str]) -> str:
    """Return names for a message, joined by commas: of many, the first."""
    first = ", ".join(islice(names, _SHOWN))
    return f"{first}, and {len(names) - _SHOWN} more" if len(names) > _SHOWN else first


def hint(word: str, known: Iterable[str]) -> str:
    """Return ` (did you mean 'x'?)` for the nearest of `known`, or an empty text."""
    near = nearest(word, known)
    return f" (did you mean '{near}'?)" if near else ""
