"""The documents describe the code that exists."""

import re
import tomllib

import pytest

from hypervisor.model.scenario.spec import parse_scenario
from tests.support.paths import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
HISTORY = "CHANGELOG.md"  # it may name what was removed
NAMED = re.compile(
    r"(?<![\w./~-])(?:hypervisor|xenprof|exporters|dashboards|tests|docs|deploy)/[\w./*-]*"
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    targets = LINK.findall(document.read_text(encoding="utf-8"))
    broken = [
        target
        for target in targets
        if "://" not in target and not (document.parent / target).exists()
    ]

    assert broken == []


@pytest.mark.parametrize(
    "document", [path for path in DOCUMENTS if path.name != HISTORY], ids=lambda path: path.name
)
def test_every_path_named_exists(document):
    named = {path.rstrip("./") for path in NAMED.findall(document.read_text(encoding="utf-8"))}

    assert [path for path in sorted(named) if not any(ROOT.glob(path))] == []


def test_the_picture_shows_every_room_of_the_contracts():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    layers = [layer for one in contracts if one["type"] == "layers" for layer in one["layers"]]
    # One in parentheses may be missing: it has a place but is not built yet.
    rooms = {room for layer in layers for room in layer.split(" | ") if not room.startswith("(")}
    picture = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("```")[1]
    names = [re.split(" {2,}", line.lstrip(" |"))[0] for line in picture.splitlines()]

    assert rooms - set(re.findall(r"\w+", " ".join(names))) == set()


def test_every_number_of_our_own_is_listed():
    told = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    silent = [
        name
        for path in sorted((ROOT / "hypervisor").rglob("*.py"))
        if "judgement" in path.read_text(encoding="utf-8")
        and (name := str(path.relative_to(ROOT))) not in told
        and name != "hypervisor/model/codebook/costs.py"  # reads the table, is not a number
    ]

    assert silent == []


def test_every_reason_for_a_lost_sample_is_explained():
    from xenprof.oprofiled.attribution import LOSS_REASONS
    from xenprof.oprofiled.writer import STORE_WRITE_FAILED
    from xenprof.profile.losses import REASONS

    known = {*REASONS, *LOSS_REASONS, STORE_WRITE_FAILED}
    told = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")

    assert [reason for reason in sorted(known) if f"`{reason}`" not in told] == []


def test_the_readme_names_every_program():
    from xenprof.cli.main import COMMANDS, PROGRAMS

    told = (ROOT / "README.md").read_text(encoding="utf-8")
    programs = [f"`{name}`" for name in PROGRAMS]
    commands = [f"`xenprof {name}`" for name in COMMANDS]

    assert [name for name in (*programs, *commands) if name not in told] == []


def test_the_scenario_shown_can_be_used():
    text = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    shown = text.partition("```toml\n")[2].partition("```")[0]

    scenario = parse_scenario(shown, "docs/scenarios.md")

    assert ["web", "batch01", "batch02"] == [domain.name for domain in scenario.domains]


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_the_picture_of_joined_stacks_says_whose_time_it_shows():
    picture = (ROOT / "docs" / "network-receive.svg").read_text(encoding="utf-8")

    assert "A stack begins in the domain on whose behalf it ran" in picture
    assert "Whose processors: Domain-0" in picture
