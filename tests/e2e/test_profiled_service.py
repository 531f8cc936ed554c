"""A real service that profiles by itself: nobody types opcontrol, and it survives kill -9."""

import subprocess
from pathlib import Path

import pytest

from hypervisor.telemetry import HostSnapshot
from tests.support.e2e.foreground import serve_tiny
from tests.support.e2e.host import PATIENCE_SECONDS, shell
from tests.support.e2e.tiny import TINY
from xenprof.client import Client
from xenprof.home import domain_root
from xenprof.store.sessiondir import read_profile
from xenprof.wire.history import KeptHistory
from xenprof.wire.host_requests import Wait
from xenprof.wire.paths import HISTORY, SNAPSHOT

EVENT = "GLOBAL_POWER_EVENTS:1000000:1:1:1"
OPTIONS = ("--speed", "4", "--profile", EVENT, "--active", "all", "--history", "1s",
           "--top-symbols", "3")  # fmt: skip
LIFE_SECONDS = 3.5


class Life:
    """What a service told before it was killed with SIGKILL."""

    def __init__(self, home: Path) -> None:
        """Run a service for a few slices of model time, and kill it."""
        process, _ = serve_tiny(home, *OPTIONS)
        try:
            client = Client(home, PATIENCE_SECONDS)
            client.do(Wait(LIFE_SECONDS))
            self.snapshot = client.get(SNAPSHOT, HostSnapshot)
            self.slices = {row.name for row in client.get(HISTORY, KeptHistory).files}
            self.reboot = ask_for_reboot(client, home)
        finally:
            process.kill()
            process.communicate()
        self.stored = stored(home)


def ask_for_reboot(client: Client, home: Path) -> HostSnapshot:
    """Reboot the guest, and return the snapshot after it has had time to join."""
    done = shell(home, "xm reboot busy")
    assert done.returncode == 0, done.stderr
    client.do(Wait(20))
    return client.get(SNAPSHOT, HostSnapshot)


def stored(home: Path) -> int:
    """Return the samples in the guest's session."""
    session = domain_root(home, "busy") / "var/lib/oprofile"
    return sum(file.total for file in read_profile(session, "current").files)


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Life, Life]:
    home = tmp_path_factory.mktemp("profiled") / "home"
    home.mkdir()
    return Life(home), Life(home)


@pytest.mark.parametrize("life", [0, 1])
def test_all_domains_are_profiled_in_every_life(lives: tuple[Life, Life], life: int):
    session = lives[life].snapshot.profiling

    assert session is not None
    assert ((EVENT,), (0, 1)) == (session.events, session.active_domains)


@pytest.mark.parametrize("life", [0, 1])
def test_the_history_has_slices_in_every_life(lives: tuple[Life, Life], life: int):
    assert len(lives[life].slices) >= 2


def test_the_history_goes_on_after_a_kill(lives: tuple[Life, Life]):
    before, after = lives

    assert before.slices < after.slices


def test_the_session_goes_on_after_a_kill(lives: tuple[Life, Life]):
    before, after = lives

    assert 0 < before.stored < after.stored


def test_a_guest_that_has_rebooted_is_profiled_again(lives: tuple[Life, Life]):
    session = lives[0].reboot.profiling

    assert session is not None
    assert (0, 2) == session.active_domains


def test_metrics_of_images_and_functions_are_told(lives: tuple[Life, Life]):
    snapshot = lives[0].snapshot

    assert {"busy", "Domain-0"} == {row.domain for row in snapshot.image_samples}
    assert 3 == sum(row.domain == "busy" for row in snapshot.symbol_samples)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--profile NOTHING:100000", "No such event"),
        ("--profile GLOBAL_POWER_EVENTS:1", "below the minimum"),
        (f"--profile {EVENT} --active nobody", "Domain 'nobody' does not exist."),
        (f"--profile {EVENT} --active 0 --passive 0", "domain 0 takes part in every profile"),
        ("--active all", "which event?"),
    ],
)
@pytest.mark.parametrize("ground", ["", "--background"])
def test_what_cannot_be_profiled_is_told_in_one_line_before_the_service_is_ready(
    tmp_path: Path, options: str, said: str, ground: str
):
    scenario = tmp_path / "tiny.toml"
    scenario.write_text(TINY)
    done: subprocess.CompletedProcess[str] = shell(
        tmp_path / "home",
        f"xenprof serve --scenario {scenario} --web.listen-address 127.0.0.1:0 {ground} {options}",
    )

    assert "" == done.stdout
    assert said in done.stderr
    assert (1, True) == (done.stderr.count("\n"), done.returncode > 0)
