"""The contracts of pyproject.toml catch what they forbid: each forbidden import, planted in
a copy of the code, makes the linter name the contract and the import.
"""

import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.paths import ROOT

HOUSE = "The house: dashboards -> exporters -> xenprof -> hypervisor"
IMPORTERS = "Only the service's driver and the programs that run the model import it"
TOOLSTACK = "Programs take from the toolstack only the grammar of its files"
XENPROF = "Rooms of xenprof, top to bottom"
HYPERVISOR = "Rooms of hypervisor, top to bottom"
MODEL = "Rooms of the model, top to bottom"
AGENT = "Rooms of the agent, top to bottom"
CIRCLES = "No circles: neither among rooms nor inside one"

TYPE_ONLY = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    "
IN_A_FUNCTION = "def late():\n    "


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Return a copy of the code and of the contracts."""
    copy = tmp_path_factory.mktemp("house")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for package in ("hypervisor", "xenprof", "exporters", "dashboards"):
        for source in (ROOT / package).rglob("*.py"):
            target = copy / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    return copy


@contextmanager
def planted(house, module, text):
    """Add a text to a module, which need not exist, while the body runs."""
    path = house / Path(*module.split(".")).with_suffix(".py")
    new_folder = not path.parent.exists()
    before = None if new_folder or not path.exists() else path.read_text(encoding="utf-8")
    path.parent.mkdir(exist_ok=True)
    if new_folder:
        path.with_name("__init__.py").touch()
    path.write_text(f"{before or ''}\n{text}\n", encoding="utf-8")
    try:
        yield
    finally:
        if before is not None:
            path.write_text(before, encoding="utf-8")
        elif new_folder:
            shutil.rmtree(path.parent)
        else:
            path.unlink()


def broken(house):
    """Return {contract: the linter's message} of the contracts that are broken."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=house,
        capture_output=True,
        text=True,
    )
    assert "Could not" not in done.stdout, done.stdout
    _, _, said = done.stdout.partition("Broken contracts\n")
    names_and_texts = re.split(r"\n(.+)\n-{5,}\n", said)
    return dict(zip(names_and_texts[1::2], names_and_texts[2::2], strict=True))


@pytest.mark.parametrize(
    ("contract", "importer", "imported"),
    [
        (HOUSE, "hypervisor.telemetry", "xenprof.errors"),
        (HOUSE, "hypervisor.model.planted", "exporters.metric"),
        (HOUSE, "xenprof.service.app", "exporters.prometheus"),
        (HOUSE, "exporters.catalogue", "dashboards.build"),
        (IMPORTERS, "xenprof.service.app", "hypervisor.model.machine"),
        (IMPORTERS, "xenprof.cli.main", "hypervisor.model.timing.clock"),
        (IMPORTERS, "exporters.metric", "hypervisor.model.snapshot"),
        (IMPORTERS, "dashboards.build", "hypervisor.model"),
        (TOOLSTACK, "xenprof.session.planted", "hypervisor.toolstack.xend"),
        (TOOLSTACK, "exporters.metric", "hypervisor.toolstack.config.sxp"),
        (XENPROF, "xenprof.profile.planted", "xenprof.service.app"),
        (XENPROF, "xenprof.store.planted", "xenprof.report"),
        (XENPROF, "xenprof.session.planted", "xenprof.imports"),
        (XENPROF, "xenprof.errors", "xenprof.version"),
        (HYPERVISOR, "hypervisor.toolstack.xend", "hypervisor.model.machine"),
        (HYPERVISOR, "hypervisor.live.host", "hypervisor.model.machine"),
        (HYPERVISOR, "hypervisor.live.host", "hypervisor.toolstack.xend"),
        (HYPERVISOR, "hypervisor.host", "hypervisor.toolstack.xend"),
        (HYPERVISOR, "hypervisor.telemetry", "hypervisor.control"),
        (MODEL, "hypervisor.model.timing.clock", "hypervisor.model.machine"),
        (MODEL, "hypervisor.model.timing.clock", "hypervisor.model.scenario"),
        (MODEL, "hypervisor.model.codebook.planted", "hypervisor.model.domain"),
        (MODEL, "hypervisor.model.cpu.planted", "hypervisor.model.io"),
        (MODEL, "hypervisor.model.io.planted", "hypervisor.model.profiling"),
        (MODEL, "hypervisor.model.attach", "hypervisor.model.hypercalls"),
        (AGENT, "hypervisor.live.agent.xen.planted", "hypervisor.live.agent.domain0"),
        (AGENT, "hypervisor.live.agent.web.planted", "hypervisor.live.agent.polling"),
        (AGENT, "hypervisor.live.agent.tracing.planted", "hypervisor.live.agent.recording"),
        (AGENT, "hypervisor.live.agent.options", "hypervisor.live.agent.main"),
    ],
)
def test_an_import_that_a_contract_forbids_is_found(house, contract, importer, imported):
    with planted(house, importer, f"import {imported}"):
        assert f"{importer} -> {imported} (l." in broken(house).get(contract, "")


@pytest.mark.parametrize("place", [TYPE_ONLY, IN_A_FUNCTION], ids=["type only", "in a function"])
@pytest.mark.parametrize(
    ("contract", "importer", "imported"),
    [
        (IMPORTERS, "xenprof.service.app", "hypervisor.model.machine"),
        (XENPROF, "xenprof.profile.planted", "xenprof.service.app"),
        (HYPERVISOR, "hypervisor.toolstack.xend", "hypervisor.model.machine"),
        (MODEL, "hypervisor.model.timing.clock", "hypervisor.model.machine"),
    ],
)
def test_a_forbidden_import_does_not_hide(house, contract, importer, imported, place):
    with planted(house, importer, f"{place}import {imported}"):
        assert f"{importer} -> {imported} (l." in broken(house).get(contract, "")


@pytest.mark.parametrize(
    ("contract", "room"),
    [
        (XENPROF, "xenprof.planted"),
        (HYPERVISOR, "hypervisor.planted"),
        (MODEL, "hypervisor.model.planted"),
        (MODEL, "hypervisor.model.new_room.planted"),
        (AGENT, "hypervisor.live.agent.planted"),
    ],
)
def test_a_room_that_is_in_no_layer_is_found(house, contract, room):
    with planted(house, room, "import json"):
        assert room.removesuffix(".planted") in broken(house).get(contract, "")


@pytest.mark.parametrize(
    ("room", "one", "other"),
    [
        ("hypervisor.toolstack.records", "one", "other"),
        ("hypervisor.toolstack", "config.one", "other"),
        ("xenprof.cli", "xm.one", "virsh.other"),
        ("exporters", "one", "other"),
    ],
)
@pytest.mark.parametrize("place", ["", TYPE_ONLY], ids=["plain", "type only"])
def test_a_circle_is_found(house, room, one, other, place):
    """The circle is of two modules of a room, or of two rooms in it."""
    there, back = f"import {room}.{other}", f"import {room}.{one}"
    with planted(house, f"{room}.{one}", there), planted(house, f"{room}.{other}", place + back):
        assert f"No cycles are allowed in {room}.\n" in broken(house).get(CIRCLES, "")
