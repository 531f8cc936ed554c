"""Every command in README.md, docs/tour.md and docs/experiments.md runs, and prints what they show, numbers aside.

`pytest tests/e2e/test_docs_commands.py --update-golden` writes the outputs into them.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.e2e.host import PATIENCE_SECONDS, Host, environment
from tests.support.paths import ROOT

DOCUMENTS = {"README.md": 2, "docs/tour.md": 30, "docs/experiments.md": 4}
"""Name -> the least number of commands that it shows."""
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESS = "127.0.0.1:10031"
PAGE = "/tmp/flame.html"
SHOWN_HOME = "~/.local/state/xenprof"
SPEED = "5"
MARK = "=== end of command"
# It is chance whether a last sample stays in a buffer, or a buffer was full once.
CHANCE = ("note: N samples were left unread", "note: N samples were lost", "note: lost because")

# A reader's `sleep` lets model time pass; here it does so at any speed.
SLEEP = """
sleep() { python -c "
import pathlib, sys
from xenprof.client import Client
from xenprof.wire.host_requests import Wait
Client(pathlib.Path(sys.argv[1])).do(Wait(float(sys.argv[2])))
" "$XENPROF_HOME" "$1"; }
"""


@dataclass(frozen=True)
class Shown:
    """A command as a document shows it, and its output."""

    command: str
    output: str


def shown(text):
    """Return the commands of a document in order, continuation lines joined to them."""
    commands = []
    for block in BLOCK.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.splitlines(keepends=True)
            length = 1
            while lines[length - 1].endswith("\\\n"):
                length += 1
            commands.append(Shown("".join(lines[:length]), "".join(lines[length:])))
    return commands


def run(home: Path, netloc: str, commands) -> list[tuple[int, str]]:
    """Run the commands in one shell; return (exit code, output) of each."""
    script = "exec 2>&1\n" + SLEEP
    for one in commands:
        script += one.command.replace(ADDRESS, netloc).replace(PAGE, str(home / "flame.html"))
        script += f"printf '{MARK} %s\\n' $?\n"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    text = done.stdout.replace(str(home), SHOWN_HOME).replace(netloc, ADDRESS)
    parts = re.split(rf"^{MARK} (\d+)\n", text, flags=re.MULTILINE)
    return [(int(code), output) for output, code in zip(parts[::2], parts[1::2], strict=False)]


def shape(output: str) -> list[str]:
    """Return an output without what differs between runs: numbers, states, order of symbols."""
    lines: list[str] = []
    for line in output.splitlines():
        line = re.sub(r"(?<=[\s-])[-rbpscd]{3,6}(?= )", "STATE", line)
        line = re.sub(r"\d+(\.\d+)?", "N", line)
        line = re.sub(r"^ *N +N +\S.*", "ROW", line)
        line = " ".join(line.split())
        if line.startswith(CHANCE):
            continue
        if line != "ROW" or lines[-1:] != ["ROW"]:
            lines.append(line)
    return lines


@pytest.fixture(scope="module", params=DOCUMENTS)
def document(request):
    return request.param


@pytest.fixture(scope="module")
def results(document, tmp_path_factory, request):
    """Return (as shown, exit code, output) of every command of a document; each is run once."""
    path = ROOT / document
    commands = shown(path.read_text(encoding="utf-8"))
    host = Host(tmp_path_factory.mktemp("home"), "--speed", SPEED)
    try:
        host.wait(10)
        netloc = host.url.removeprefix("http://").rstrip("/")
        ran = run(host.home, netloc, commands)
    finally:
        host.close()
    if request.config.getoption("--update-golden"):
        commands = rewrite(path, commands, [output for _, output in ran])
    return [(one, *result) for one, result in zip(commands, ran, strict=True)]


def rewrite(path, commands, outputs):
    """Write the outputs into a document; return the commands as it shows them now."""
    fresh = iter(zip(commands, outputs, strict=True))

    def block(match):
        of_block = shown(match.group(0))
        parts = [f"$ {one.command}{output}" for one, output in (next(fresh) for _ in of_block)]
        return f"```console\n{''.join(parts)}```"

    text = BLOCK.sub(block, path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    return shown(text)


def test_a_document_shows_commands(document, results):
    assert len(results) >= DOCUMENTS[document]


def test_every_command_succeeds(results):
    assert [one.command for one, exit_code, _ in results if exit_code] == []


def test_every_command_prints_what_is_shown(results):
    expected = {one.command: shape(one.output) for one, _, _ in results}

    assert expected == {one.command: shape(output) for one, _, output in results}
