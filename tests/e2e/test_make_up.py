"""`make up` with settings that cannot work says in one line what to do, in the words of make."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.e2e.host import PATIENCE_SECONDS, PROGRAMS, Host, environment, shell
from tests.support.paths import ROOT


def made(folder: Path, home: Path, *settings: str) -> subprocess.CompletedProcess[str]:
    """Run `make up` in a folder in which everything is installed already."""
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    (folder / ".run").mkdir(exist_ok=True)
    (folder / ".run/installed").touch()
    return subprocess.run(
        [make, "-s", "-f", ROOT / "Makefile", "-o", ".run/installed", "up", f"BIN={PROGRAMS}",
         *settings],
        cwd=folder,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )  # fmt: skip


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the lines of the standard error but the last, by which make says that it failed."""
    *lines, failed = done.stderr.splitlines()
    assert failed.startswith("make: *** ")
    return lines


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "SCENARIO=nope",
            "xenprof: no scenario 'nope'; built in: busy32, grumble, noisy; or give the path of a "
            ".toml file",
        ),
        ("PROFILE=BAD:1", 'xenprof: No such event "BAD"'),
        (
            "LISTEN=nope",
            "xenprof: 'nope' is not an address to listen on; it is written HOST:PORT",
        ),
    ],
)
def test_what_cannot_be_meant_gets_no_advice_for_another_fault(
    tmp_path: Path, setting: str, message: str
):
    listen = [] if setting.startswith("LISTEN") else ["LISTEN=127.0.0.1:0"]

    assert [message] == said(made(tmp_path, tmp_path / "home", setting, *listen))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory):
    host = Host(tmp_path_factory.mktemp("home"))
    yield host
    host.close()


def test_an_address_that_is_taken_is_advised_to_be_another(tmp_path: Path, host: Host):
    address = host.url.removeprefix("http://").rstrip("/")

    assert [
        f"xenprof: cannot listen on {address}: Address already in use; choose another with "
        "make up LISTEN=HOST:PORT"
    ] == said(made(tmp_path, tmp_path / "home", f"LISTEN={address}"))


def test_a_service_that_runs_is_advised_to_be_stopped(tmp_path: Path, host: Host):
    (line,) = said(
        made(tmp_path, host.home, "SCENARIO=noisy", "PROFILE=GLOBAL_POWER_EVENTS:100000")
    )

    assert line.endswith(f"{host.url}; for SCENARIO, PROFILE type make down first")


def test_a_service_on_all_addresses_says_who_reads_it(tmp_path: Path):
    done = made(tmp_path, tmp_path / "home", "LISTEN=:0")
    stopped = shell(tmp_path / "home", "xenprof stop")

    assert (done.returncode, stopped.returncode) == (0, 0), done.stderr
    url = done.stdout.split()[4]
    assert url.startswith("http://0.0.0.0:")
    assert (
        f"xenprof: everybody on the network can read {url}; with --web.config.file it asks for "
        "passwords\n"
    ) == done.stderr
