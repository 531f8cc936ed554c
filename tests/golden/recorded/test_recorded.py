"""What the real opreport and opannotate print, over the same sample files."""

import importlib
import re
import shlex
import tarfile
from pathlib import Path

import pytest

from tests.support.paths import TESTS

EXPECTED = Path(__file__).parent / "expected"
SESSIONS = TESTS / "fixtures" / "recorded" / "sessions.tar.xz"
NAMES = sorted(file.stem for file in EXPECTED.glob("*.txt"))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sessions")
    with tarfile.open(SESSIONS) as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_the_program_prints_what_the_real_one_prints(name, root, capsys, monkeypatch) -> None:
    monkeypatch.setenv("XENPROF_HOME", str(root / "home"))
    monkeypatch.delenv("XENPROF_DOMAIN", raising=False)
    monkeypatch.chdir("/")
    expected = (EXPECTED / f"{name}.txt").read_text()
    command = expected.partition("\n")[0].removeprefix("$ ")
    program, *words = shlex.split(command.replace("{root}", str(root)))
    code = importlib.import_module(f"xenprof.cli.{program}").main(words)
    out, err = (text.replace(str(root), "{root}") for text in capsys.readouterr())
    err = re.sub(r"^(Using .* for samples directory\.|note: .*)\n", "", err, flags=re.MULTILINE)
    assert expected == f"$ {command}\n{out}--- stderr\n{err}--- exit {code}\n"
