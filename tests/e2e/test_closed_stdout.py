"""Every program, with a standard output that nobody reads (as of `| head -c0`)."""

import os
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.e2e.host import PATIENCE_SECONDS, PROGRAMS, Host, environment
from tests.support.known_sessions import write_domain
from tests.support.paths import ROOT
from xenprof.cli.main import COMMANDS
from xenprof.cli.main import PROGRAMS as SUBCOMMANDS

SESSION = "-R HOME/seen --session-dir HOME/seen/var/lib/oprofile session:later"
EXPECTED = ("operf profiles by ", "ocount counts by ", "NOTE: the sample data of ")
"""What standard error may hold: programs that name what to use instead, and a note."""
CASES = {  # command: exit code
    "opcontrol --version": 1,
    "opcontrol --status": 1,
    "opcontrol --list-events": 1,
    "opreport --help": 1,
    "opreport --version": 1,
    f"opreport -l {SESSION}": 1,
    f"opreport -d {SESSION}": 1,
    f"opannotate --assembly {SESSION}": 1,
    "opgprof --help": 1,
    f"oparchive --list-files -o HOME/archive {SESSION}": 1,
    "opimport --usage": 1,
    "ophelp": 1,
    "ophelp --version": 1,
    "operf": 1,
    "ocount": 1,
    "xm list": 1,
    "xm help": 1,
    "xm dmesg": 1,
    "xentop -b -i 1": 1,
    "xenprof --help": 1,
    "xenprof --version": 1,
    "xenprof advise --help": 1,
    "xenprof agent --help": 1,
    "xenprof agent --check": 1,
    "xenprof xenstore-ls": 1,
    "xenprof xenstore-list /local": 1,
    "xenprof xenstore-read /local/domain/0/name": 1,
    "xenprof virsh list": 1,
    "xenprof capture-scenario --help": 1,
    "xenprof console Domain-0": 1,
    "xenprof experiment --list": 1,
    "xenprof import --help": 1,
    "xenprof import folded HOME/stacks -o HOME/imported": 1,
    "xenprof profile --help": 1,
    "xenprof record --help": 1,
    "xenprof report --session HOME/seen": 0,
    "xenprof run --scenario grumble --for 10ms": 1,
    "xenprof serve --help": 1,
    "xenprof stop --help": 1,
    "xenprof targets --homes HOME": 1,
    "xenprof top -b -i 1": 1,
    "xenprof trace HOME/trace --for 10ms": 0,
    "xenprof trace - --for 10ms": 0,
    "xenprof trace --dump HOME/seen.trace": 0,
    "xenprof trace --summary HOME/seen.trace": 0,
    "xenprof validate --rows 41": 1,
    "xenprof xenmon --screens 1": 1,
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    home = tmp_path_factory.mktemp("home")
    write_domain(home / "seen")
    (home / "stacks").write_text("main;work 3\n")
    host = Host(home, "--speed", "20")
    host.run(f"xenprof trace {home}/seen.trace --for 10ms")
    yield host
    host.close()


def unread(home: Path, text: str) -> tuple[int, str]:
    """Return exit code and standard error of a command whose output nobody reads."""
    words = shlex.split(text.replace("HOME", str(home)))
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [PROGRAMS / words[0], *words[1:]],
            env=environment(home) | {"PYTHONUNBUFFERED": ""},  # the more difficult case
            input="uptime\nexit\n",
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
    finally:
        os.close(writer)
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", CASES)
def test_a_program_ends_quietly_when_nobody_reads(command: str, host: Host) -> None:
    code, errors = unread(host.home, command)
    said = [line for line in errors.splitlines() if not line.startswith(EXPECTED)]
    assert (CASES[command], []) == (code, said)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("opcontrol --status", 0),
        ("opreport --version", 0),
        (f"opreport -l {SESSION}", 0),
        ("ophelp", 0),
        ("operf", 1),
        ("xm list", 0),
        ("xenprof --version", 0),
        ("xenprof report --session HOME/seen", 0),
        ("xenprof virsh list", 0),
        ("xenprof xenstore-ls", 0),
    ],
)
def test_a_program_without_standard_output_does_its_work(
    command: str, code: int, host: Host
) -> None:
    program, _, rest = command.replace("HOME", str(host.home)).partition(" ")
    done = subprocess.run(
        ["sh", "-c", f"exec {PROGRAMS / program} {rest} >&-"],
        env=environment(host.home),
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    said = [line for line in done.stderr.splitlines() if not line.startswith(EXPECTED)]

    assert (code, []) == (done.returncode, [line for line in said if "warning" not in line])


def test_every_program_has_a_case() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    used = {word for command in CASES for word in command.split()[:2]}
    assert set() == {*scripts, *SUBCOMMANDS, *COMMANDS} - used
