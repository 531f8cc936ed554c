"""Answers of the real programs: ophelp, opgprof and oparchive 1.5, opcontrol 0.9.9.

Recorded over the sessions of tests/support/compiled_sessions.py, which ARCHIVE stands for.
`Using DIR for ...`, where sessions are read, is left out; it is the same in no two places.
"""

import hashlib
import importlib
import json
import re
from pathlib import Path

import pytest

from tests.support.compiled_sessions import write_domain
from tests.support.opcontrol_shell import Shell

ANSWERS = [
    json.loads(line)
    for line in Path(__file__).with_name("answers.jsonl").read_text("utf-8").splitlines()
]
_WHERE = re.compile(r"^Using .* for (samples directory\.|session-dir)\n", re.MULTILINE)
_NOTE = re.compile(r"^note: .*\n", re.MULTILINE)  # our own remarks


def of(program: str) -> list[object]:
    found = [answer for answer in ANSWERS if answer["program"] == program]
    return [pytest.param(one, id=" ".join(one["steps"][0]["args"])) for one in found]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive")
    write_domain(path)
    return path


@pytest.mark.parametrize("answer", [*of("ophelp"), *of("opgprof"), *of("oparchive")])
def test_a_program_answers_as_the_real_one(answer, archive, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (step,) = answer["steps"]
    words = [w.replace("ARCHIVE", str(archive)).replace("CWD", str(tmp_path)) for w in step["args"]]
    code = importlib.import_module(f"xenprof.cli.{answer['program']}").main(words)
    out, err = (_comparable(text, archive, tmp_path) for text in capsys.readouterr())
    assert (step["exit"], step["stdout"], step["stderr"]) == (code, out, err)
    assert step.get("files", {}) == {
        str(path.relative_to(tmp_path)): f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in tmp_path.iterdir()
    }


@pytest.mark.parametrize("answer", of("opcontrol"))
def test_opcontrol_answers_as_the_real_one(answer, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("XENPROF_DOMAIN", raising=False)
    opcontrol = Shell(tmp_path, capsys)
    for step in answer["steps"]:
        code = opcontrol(*step["args"])
        out = re.sub(r"pid \d+", "pid N", opcontrol.out)
        assert (step["exit"], step["stdout"], step["stderr"]) == (code, out, opcontrol.err)


def _comparable(text: str, archive: Path, cwd: Path) -> str:
    text = text.replace(str(archive), "ARCHIVE").replace(str(cwd), "CWD")
    return _NOTE.sub("", _WHERE.sub("", text))
