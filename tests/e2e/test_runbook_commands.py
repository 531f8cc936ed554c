"""What the runbooks say to type can be typed: each command succeeds on a running host."""

from collections.abc import Iterator

import pytest

from dashboards.rules.table import ALERTS
from tests.support.e2e.host import Host

LEFT_OUT = ("make ", "tail ", "uptime", "systemctl ", "journalctl ", "python3 ", "xenprof stop")
"""Commands of the machine, of a checkout, and those that end what the others need."""
ENDING = ("opcontrol --shutdown", "xm pause", "xm destroy")
ADDRESS = "http://127.0.0.1:10031/"


def typed(*, acting: bool) -> list[str]:
    """Return the commands to look with or to act with, once each, those that end things last."""
    found = {
        command.replace("$domain", "web").replace("$host", "noisy")
        for alert in ALERTS
        for command, _ in (alert.act if acting else alert.look)
        if command and not command.startswith(LEFT_OUT)
    }
    ending = [one for end in ENDING for one in sorted(found) if one.startswith(end)]
    return [*sorted(found - set(ending)), *ending]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Yield the scenario `noisy`, of which a first profile has been taken."""
    host = Host(tmp_path_factory.mktemp("home"), "--scenario", "noisy", "--speed", "10")
    try:
        profiled = host.run("opcontrol --start --no-vmlinux --no-xen && opcontrol --shutdown")
        assert profiled.returncode == 0, profiled.stderr
        yield host
    finally:
        host.close()


@pytest.mark.parametrize("command", typed(acting=False))
def test_a_command_to_look_with_succeeds(host: Host, command: str):
    in_home = f"cd {host.home} && {command.replace(ADDRESS, host.url)}"
    done = host.run(in_home)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", typed(acting=True))
def test_a_command_to_act_with_succeeds(host: Host, command: str):
    done = host.run(command)

    assert done.returncode == 0, done.stdout + done.stderr
