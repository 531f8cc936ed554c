"""The one door of experiments to the model: its scenarios, and hosts made of them."""

import tomllib
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from hypervisor.errors import ScenarioError
from hypervisor.host import Host
from hypervisor.model.machine import build
from hypervisor.model.native import offered
from hypervisor.model.scenario.spec import SCENARIOS, Scenario, load_scenario, scenario_names
from hypervisor.model.scenario.table import Table as Table
from hypervisor.model.scenario.table import message as message
from hypervisor.model.workloads import import_all
from hypervisor.wholetext import read_whole

Tables: TypeAlias = dict[str, Any]
"""A scenario as its file has it: tables, lists and values."""


def base_tables(name: str, folder: Path) -> Tables:
    """Return the tables of a built-in scenario, or of a file whose path is relative to `folder`.

    Raises: ScenarioError.
    """
    if name in scenario_names():
        path = SCENARIOS / f"{name}.toml"
    elif "/" in name or name.endswith(".toml"):
        path = folder / name
    else:
        load_scenario(name)  # which says that there is none
        raise AssertionError(name)
    load_scenario(str(path))
    return tomllib.loads(read_whole(path).decode())


def check(tables: Mapping[str, Any], source: str) -> None:
    """Check that tables are a scenario. Raises: ScenarioError; `source` names it."""
    scenario_of(tables, source)


def domain_names(tables: Mapping[str, Any]) -> list[str]:
    """Return the names of a scenario's guests. Raises: ScenarioError."""
    return [one.name for one in scenario_of(tables, "scenario").domains]


def booted(tables: Mapping[str, Any], seed: int | None = None) -> Host:
    """Return a booted host as programs may use it, with a seed in place of its own.

    Raises: HostError for what only the host can know.
    """
    ours = deepcopy(dict(tables))
    if seed is not None:
        ours["host"] = dict(ours.get("host", {})) | {"seed": seed}
    import_all()  # the worker has told which model it runs
    return offered(build(scenario_of(ours, "scenario"), epoch_ns=0))


def scenario_of(tables: Mapping[str, Any], source: str) -> Scenario:
    """Return the scenario that tables are. Raises: ScenarioError; `source` names it."""
    try:
        return Scenario.model_validate(tables)
    except ValidationError as error:
        raise ScenarioError(message(source, error, tables)) from None
