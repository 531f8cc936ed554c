"""Keeps Python's search for garbage short in a process that holds a whole model."""

import gc

_NEW_OBJECTS = 50_000
"""So many are made before a search among the new ones; judgement: a snapshot of 1000 domains is
10 000 to 20 000 objects, all of which live until the next, and Python's 700 would look at most of
them ten times."""
_SEARCHES = 1
"""After so many searches, one looks at older objects too; judgement: all that is not frozen takes 2
to 5 ms with 1000 domains."""


def settle() -> None:
    """Take all objects that there are now for kept.

    Looking through a model of 1000 domains would stop everything for a fifth of a second.
    """
    gc.collect()
    gc.freeze()
    # Python puts off a full search until a quarter of what the last one found has come anew, and
    # the last one must not have found what is frozen now.
    gc.collect()
    gc.set_threshold(_NEW_OBJECTS, _SEARCHES, _SEARCHES)
