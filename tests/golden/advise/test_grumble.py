"""The advice for grumble, as text and as JSON: after a short look, not measured."""

import json
from pathlib import Path

import pytest

from xenprof.cli.main import main

EXPECTED = Path(__file__).parent / "expected"
COMMAND = ["advise", "--scenario", "grumble", "--quick"]


def _without_facts(said):
    """Return what was printed; the facts of JSON are figures of the model, other with each of it."""
    if not said.startswith("{"):
        return said
    told = json.loads(said)
    assert told.pop("facts")
    return json.dumps(told, indent=2) + "\n"


@pytest.mark.parametrize(("name", "options"), [("grumble.txt", []), ("grumble.json", ["--json"])])
def test_the_advice_for_grumble_is_what_it_was(name, options, capsys, update_golden):
    assert 0 == main([*COMMAND, *options])
    said = _without_facts(capsys.readouterr().out)
    path = EXPECTED / name
    if update_golden:
        path.write_text(said, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == said


def test_both_tell_the_same():
    text = (EXPECTED / "grumble.txt").read_text(encoding="utf-8")
    told = json.loads((EXPECTED / "grumble.json").read_text(encoding="utf-8"))
    for one in told["advice"]:
        assert f"* {one['title']}  [{one['id']}]" in text
