"""Kill -9 at random moments: what was reported as stored exists, and the session continues.

XENPROF_KILLS=60 kills more often; XENPROF_KILL_SEED chooses other moments. With -s the figures
are printed.
"""

import contextlib
import os
import random
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.e2e.foreground import serve_tiny
from tests.support.e2e.host import PATIENCE_SECONDS, VMLINUX, shell
from xenprof.client import Client, ServiceError
from xenprof.history.slices import FOLDER, slices
from xenprof.home import domain_root
from xenprof.profile.flat import SampleKey
from xenprof.store.sessiondir import list_files, read_file
from xenprof.store.stackfile import read_stacks
from xenprof.wire.history import KeptHistory
from xenprof.wire.host_requests import Wait
from xenprof.wire.opcontrol import Dump
from xenprof.wire.paths import HISTORY

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("XENPROF_KILLS", "6"))
SEED = int(os.environ.get("XENPROF_KILL_SEED", "1"))
DOMAINS = ("Domain-0", "busy")
SPEED = 4
LATEST_SECONDS = 2.5

Files = dict[tuple[str, SampleKey | str], int]


@dataclass
class Told:
    """The samples that the service has reported as stored, over all its lives."""

    files: Files = field(default_factory=dict)
    slices: dict[str, int] = field(default_factory=dict)
    dumps: int = 0
    unfinished: int = 0  # temporary files left by kills


def samples(home: Path) -> Files:
    """Return the samples in each file of the current sessions, and in their call stacks.

    Raises: StoreError: one cannot be read.
    """
    found: Files = {}
    for domain in DOMAINS:
        session = domain_root(home, domain) / "var/lib/oprofile/samples/current"
        for key, path in list_files(session):
            found[domain, key] = read_file(key, path).total
        stacks = read_stacks(session)
        if stacks is not None:
            found[domain, "stacks"] = sum(stacks.totals)
    return found


def start_profiling(home: Path) -> None:
    events = "--event=GLOBAL_POWER_EVENTS:100000:1 --callgraph=8"
    for domain in DOMAINS:
        active = "--active-domains=0,1" if domain == "Domain-0" else ""
        done = shell(
            home, f"opcontrol --start-daemon --vmlinux={VMLINUX} {events} {active}", domain=domain
        )
        assert done.returncode == 0, done.stderr
    for domain in (*DOMAINS[1:], DOMAINS[0]):
        assert shell(home, "opcontrol --start", domain=domain).returncode == 0


def live_and_die(home: Path, moment: random.Random, told: Told) -> None:
    """Run a service that dumps and reports all the time, and kill it meanwhile."""
    process, _ = serve_tiny(home, "--speed", str(SPEED), "--history", "1s")
    client = Client(home, PATIENCE_SECONDS)
    start_profiling(home)
    killer = threading.Timer(moment.uniform(0, LATEST_SECONDS), process.kill)
    killer.start()
    with contextlib.suppress(ServiceError):
        while True:
            for domain in DOMAINS:
                client.do(Dump(), domain)
            told.dumps += len(DOMAINS)
            told.files |= samples(home)
            for row in client.get(HISTORY, KeptHistory).files:
                told.slices[row.name] = row.bytes
    killer.join()
    process.communicate()


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the errors after each kill, and at the end."""
    home = tmp_path_factory.mktemp("killed") / "home"
    home.mkdir()
    told, moment = Told(), random.Random(SEED)
    wrong: list[str] = []
    for _ in range(KILLS):
        live_and_die(home, moment, told)
        wrong += missing(home, told)
    if not told.slices or not told.files:
        wrong.append("nothing was reported before the kills")
    wrong += restart(home, told)
    sys.stdout.write(
        f"\n{KILLS} kills: {told.dumps} dumps answered, {len(told.files)} sample files with "
        f"{sum(told.files.values())} samples, {len(told.slices)} slices reported; "
        f"{told.unfinished} unfinished files left behind; {len(wrong)} wrong\n"
    )
    return wrong


def missing(home: Path, told: Told) -> list[str]:
    """Return what was reported as stored and is missing or changed."""
    now = samples(home)
    wrong = [
        f"{key}: {now.get(key, 0)} of {count} samples"
        for key, count in told.files.items()
        if now.get(key, 0) < count
    ]
    there = {each.path.name: each for each in slices(home / FOLDER)}
    wrong += [
        f"slice {name}: {size} bytes were reported"
        for name, size in told.slices.items()
        if name not in there or there[name].bytes != size
    ]
    for each in there.values():
        if not sum(each.read().totals):
            wrong.append(f"slice {each.path.name} is empty")
    told.unfinished = sum(1 for _ in home.rglob(".writing.*"))
    return wrong


def restart(home: Path, told: Told) -> list[str]:
    """Run once more and stop normally: every session must have continued."""
    before, slices_before = sum(samples(home).values()), len(slices(home / FOLDER))
    process, _ = serve_tiny(home, "--speed", str(SPEED), "--history", "1s")
    start_profiling(home)
    Client(home, PATIENCE_SECONDS).do(Wait(3))
    stopped = shell(home, "xenprof stop")
    process.communicate()
    wrong = missing(home, told)
    if stopped.returncode or process.returncode:
        wrong.append(f"the stop failed: {stopped.stderr}")
    if sum(samples(home).values()) <= before:
        wrong.append("the session was not continued")
    if len(slices(home / FOLDER)) <= slices_before:
        wrong.append("the history was not continued")
    if list((home / FOLDER).glob(".writing.*")):
        wrong.append("unfinished slices are left")
    for command in ("opreport -l", "xenprof report --since 1h --by domain"):
        if (done := shell(home, command)).returncode:
            wrong.append(f"{command}: {done.stderr}")
    return wrong


def test_nothing_that_was_reported_as_stored_is_lost(lives: list[str]) -> None:
    assert lives == []
