"""Knows the paths at which the service answers itself, whoever else has routes."""

_ALONE = frozenset({"/", "/docs/api", "/profiles"})
_BELOW = ("/-/", "/api/v1/", "/profiles/")


def is_own(path: str) -> bool:
    """Return whether a path is the service's own, or may become so."""
    return path in _ALONE or path.startswith(_BELOW)
