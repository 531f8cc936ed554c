"""Keeps the settings with which observing was started, until it is ended.

Otherwise a plain `make observe` would take the passwords from pages that have some.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import click
from click.core import ParameterSource

from dashboards.observe import ownfiles
from dashboards.observe.settings import FOLDER
from dashboards.observe.variables import check_names, variable
from xenprof.cli.options import home_at

_FILE = "settings.json"
_NS_PER_SECOND = 10**9
_TYPED = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
_SECRET = ("webhook",)


def recall(context: click.Context, _: click.Parameter, state_dir: Path | None) -> Path | None:
    """Make the kept settings those that count where none is given; called first.

    A variable that is set to nothing takes one back. Raises: CannotObserve: there is no such.
    """
    check_names(context.command.params)
    kept = _read(home_at(state_dir) / FOLDER)
    context.default_map = {
        name: text for name, text in kept.items() if os.environ.get(variable(name)) != ""
    }
    return state_dir


def typed(context: click.Context) -> Mapping[str, str]:
    """Return the settings in force that are not those of the program, by parameter, to be kept."""
    return {
        name: _text(name, value)
        for name, value in context.params.items()
        if name != "state_dir"
        and value is not None
        and context.get_parameter_source(name) in (*_TYPED, ParameterSource.DEFAULT_MAP)
    }


def told(context: click.Context) -> str:
    """Return which settings are kept from before, as one line; "" if none are."""
    shown = [_shown(context, name) for name in context.params if _is_kept(context, name)]
    return f"settings as before: {' '.join(shown)}; make down forgets them" if shown else ""


def told_of(error: click.UsageError) -> str:
    """Return that what an error is about is kept, as one line; "" if it is not."""
    name = error.param.name if isinstance(error, click.BadParameter) and error.param else None
    if error.ctx is None or name is None or not _is_kept(error.ctx, name):
        return ""
    return (
        f"{_shown(error.ctx, name)} is kept from before: {variable(name)}= takes it back, "
        "make down forgets all that is kept"
    )


def write(folder: Path, settings: Mapping[str, str]) -> None:
    """Keep settings in the folder of observing."""
    ownfiles.write(folder / _FILE, json.dumps(settings, indent=1) + "\n")


def forget(folder: Path) -> None:
    """Forget what is kept."""
    (folder / _FILE).unlink(missing_ok=True)


def _text(name: str, value: object) -> str:
    """Return a value as it may be typed."""
    if isinstance(value, Path):
        return str(value.absolute())
    return (
        f"{value // _NS_PER_SECOND}s" if name == "window" and isinstance(value, int) else str(value)
    )


def _is_kept(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.DEFAULT_MAP


def _shown(context: click.Context, name: str) -> str:
    assert context.default_map is not None
    return variable(name) if name in _SECRET else f"{variable(name)}={context.default_map[name]}"


def _read(folder: Path) -> dict[str, str]:
    """Return what is kept; nothing if there is no such file, or it is not ours."""
    try:
        found = json.loads(ownfiles.read(folder / _FILE))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name): str(value) for name, value in found.items()}
