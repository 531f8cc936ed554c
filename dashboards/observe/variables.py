"""Names the variables by which observing is set, and refuses those that nobody reads."""

import difflib
import os
from collections.abc import Iterable

import click

from dashboards.observe.settings import CannotObserve

_PREFIX = "OBSERVE_"


def variable(name: str) -> str:
    """Return the variable by which a parameter can be set."""
    return f"{_PREFIX}{name.upper()}"


def check_names(params: Iterable[click.Parameter]) -> None:
    """Check that each variable with our prefix is that of a parameter. Raises: CannotObserve."""
    known = {
        param.envvar.removeprefix(_PREFIX): param.envvar
        for param in params
        if isinstance(param.envvar, str)
    }
    for name in sorted(os.environ):
        if name.startswith(_PREFIX) and name not in known.values():
            alike = difflib.get_close_matches(name.removeprefix(_PREFIX), known, 1)
            meant = f"is {known[alike[0]]} meant?" if alike else "docs/serving.md lists them"
            raise CannotObserve(f"{name} is no setting: {meant}")
