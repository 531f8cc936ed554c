"""The example of docs/continuous.md runs and prints what it shows."""

import re
from pathlib import Path

import pytest

from tests.support.e2e.host import PATIENCE_SECONDS, shell
from tests.support.paths import ROOT
from xenprof.client import Client
from xenprof.wire.host_requests import Wait

TEXT = (ROOT / "docs" / "continuous.md").read_text(encoding="utf-8")
START, SHOWN, PUSH = re.findall(r"((?:^    .*\n(?:\n(?=    ))?)+)", TEXT, re.MULTILINE)
REPORT, _, PRINTED = SHOWN.partition("\n\n")


def plain(block: str) -> str:
    return re.sub("^    ", "", block, flags=re.MULTILINE)


def shape(text: str) -> str:
    """Return a text without its numbers, and without the widths that these make."""
    return re.sub(" +", " ", re.sub(r"\d+(\.\d+)?", "N", text))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory):
    home: Path = tmp_path_factory.mktemp("home")
    started = shell(home, plain(START))
    assert started.returncode == 0, started.stderr
    Client(home, PATIENCE_SECONDS).do(Wait(11))
    yield home
    shell(home, "xenprof stop")


def test_the_report_is_as_shown(home: Path):
    done = shell(home, plain(REPORT))

    assert shape(done.stdout) == shape(plain(PRINTED)), done.stderr


def test_the_options_of_the_push_are_options():
    done = shell(Path("/nonexistent"), plain(PUSH).strip() + " --help")

    assert (done.returncode, done.stderr) == (0, "")
