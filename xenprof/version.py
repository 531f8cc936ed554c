"""Knows the version of the package."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as _installed


def version() -> str:
    """Return the version of the installed package; `unknown` in a bare checkout."""
    try:
        return _installed("xenprof")
    except PackageNotFoundError:
        return "unknown"
