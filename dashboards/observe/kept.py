"""Keeps the settings with which observing was started, until it is ended.

Otherwise a plain `make observe` would take the passwords from pages that have some.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import click
from click.core import ParameterSource

from dashboards.observe import ownfiles
from dashboards.observe.settings import FOLDER
from xenprof.cli.options import home_at

_FILE = "settings.json"
_NS_PER_SECOND = 10**9
_TYPED = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
_SECRET = ("webhook",)


def recall(context: click.Context, _: click.Parameter, state_dir: Path | None) -> Path | None:
    """Make the kept settings those that count where none is given; called first."""
    context.default_map = _read(home_at(state_dir) / FOLDER)
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
    names = [
        name
        for name in context.params
        if context.get_parameter_source(name) is ParameterSource.DEFAULT_MAP
    ]
    shown = [
        f"OBSERVE_{name.upper()}" + ("" if name in _SECRET else f"={_shown(context, name)}")
        for name in names
    ]
    return f"settings as before: {' '.join(shown)}; make down forgets them" if shown else ""


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


def _shown(context: click.Context, name: str) -> str:
    assert context.default_map is not None
    return str(context.default_map[name])


def _read(folder: Path) -> dict[str, str]:
    """Return what is kept; nothing if there is no such file, or it is not ours."""
    try:
        found = json.loads(ownfiles.read(folder / _FILE))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name): str(value) for name, value in found.items()}
