"""The example of docs/import.md prints what it shows."""

import re

from tests.support.e2e.host import shell
from tests.support.paths import ROOT

TEXT = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")
COMMANDS, PRINTED = re.findall(r"((?:^    .*\n)+)", TEXT, re.MULTILINE)[:2]
PERF = re.findall(r"((?:^    .*\n)+)", TEXT, re.MULTILINE)[-2:]
REPORT = re.findall(r"((?:^    .*\n)+)", TEXT, re.MULTILINE)[2:4]


def plain(block: str) -> str:
    return re.sub("^    ", "", block, flags=re.MULTILINE)


def test_the_example_prints_what_is_shown(tmp_path):
    commands = plain(COMMANDS).replace("/tmp/session2", str(tmp_path / "session2"))

    done = shell(tmp_path / "home", commands)

    assert done.stdout.replace(str(tmp_path), "/tmp") == plain(PRINTED), done.stderr


def test_its_report_begins_as_shown(tmp_path):
    commands = plain(COMMANDS + REPORT[0]).replace("/tmp/session2", str(tmp_path / "session2"))
    shown = plain(REPORT[1]).removesuffix("...\n")

    done = shell(tmp_path / "home", commands)

    assert shown in done.stdout


def test_the_example_of_perf_prints_what_is_shown(tmp_path):
    commands = plain(PERF[0]).replace("/tmp/perf", str(tmp_path / "perf"))

    done = shell(tmp_path / "home", commands)

    assert done.stdout.replace(str(tmp_path), "/tmp") == plain(PERF[1]), done.stderr
