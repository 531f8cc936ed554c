"""The service under systemd: its unit, and what it tells a supervisor while it runs."""

import configparser
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.e2e.foreground import serve_tiny
from tests.support.e2e.host import PATIENCE_SECONDS
from tests.support.e2e.peers import peer
from tests.support.paths import ROOT

UNIT = ROOT / "deploy" / "systemd" / "xenprof.service"
WATCHDOG_USEC = "2000000"


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Yield a running service and a function that returns the next message of it."""
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(address))
        listener.settimeout(PATIENCE_SECONDS)
        monkeypatch.setenv("NOTIFY_SOCKET", str(address))
        monkeypatch.setenv("WATCHDOG_USEC", WATCHDOG_USEC)
        process, url = serve_tiny(tmp_path / "home")
        try:
            yield process, url, lambda: listener.recv(1000).decode()
        finally:
            process.kill()
            process.communicate(timeout=PATIENCE_SECONDS)


def until(message, wanted: str) -> str:
    found = ""
    while not found.startswith(wanted):
        found = message()
    return found


def test_it_is_ready_when_it_answers(told):
    _, url, message = told

    assert f"READY=1\nSTATUS=serving on {url}" == until(message, "READY=1")


def test_it_shows_life_while_the_host_advances(told):
    _, _, message = told

    assert ["WATCHDOG=1"] * 3 == [until(message, "WATCHDOG") for _ in range(3)]


def test_it_tells_that_it_is_stopping(told):
    process, _, message = told
    until(message, "READY=1")
    process.send_signal(signal.SIGTERM)

    assert "STOPPING=1" == until(message, "STOPPING=1")


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=["="])
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way
    parser.read(UNIT)
    return parser


def test_the_unit_is_supervised_by_messages_and_a_watchdog():
    service = unit()["Service"]

    assert ("notify", "30", "on-failure") == (
        service["Type"],
        service["WatchdogSec"],
        service["Restart"],
    )


def checked(tmp_path: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze on the unit, with a program that exists in place of the installed one."""
    program = peer(shutil.which("systemd-analyze"), "systemd-analyze (Debian package systemd)")
    copy = tmp_path / UNIT.name
    copy.write_text(
        UNIT.read_text().replace("/opt/xenprof/bin/xenprof", shutil.which("true") or "")
    )
    return subprocess.run(
        [program, *command, str(copy)], capture_output=True, text=True, check=False,
        env={**os.environ, "SYSTEMD_COLORS": "0"},
    )  # fmt: skip


def test_systemd_has_nothing_to_say_of_the_unit(tmp_path):
    done = checked(tmp_path, "verify")

    assert (0, "") == (done.returncode, done.stderr)


def test_the_unit_is_among_the_least_exposed(tmp_path):
    done = checked(tmp_path, "security", "--offline=true", "--threshold=15")

    assert done.returncode == 0, done.stdout
