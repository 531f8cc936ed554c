"""When slices end, and which daemons they dump."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.fake_host import FakeHost
from tests.support.homes import write, write_home
from tests.support.known_sessions import VMLINUX, own
from xenprof.history.figures import HistorySettings
from xenprof.history.recorder import Recorder
from xenprof.history.slices import FOLDER, slices
from xenprof.service.commands import Command
from xenprof.service.history import MOST_SPARED, History
from xenprof.wire.opcontrol import DaemonStatus, Outcome

SECOND = 10**9


class Daemons:
    """Sessions of which only domain 0's runs; each dump calls `dumped`."""

    def __init__(self) -> None:
        self.dumps = 0
        self.answers = True
        self.dumped: Callable[[int], None] = lambda count: None

    def status(self, domain: str) -> DaemonStatus:
        return DaemonStatus("running" if domain == "Domain-0" else "stopped")

    def dump(self, domain: str) -> Outcome:
        self.dumps += 1
        self.dumped(self.dumps)
        return Outcome() if self.answers else Outcome((), ("no answer",), 1)


class Cutting:
    """A history of a host whose clock the test moves."""

    def __init__(self, home: Path, period_seconds: int = 10) -> None:
        self.home = home
        self.host = FakeHost()
        self.host.epoch_ns = 0
        self.daemons = Daemons()
        self.noted: list[tuple[int, Command]] = []
        self.history = History(
            self.host,
            home,
            HistorySettings(period_ns=period_seconds * SECOND),
            self.daemons,  # type: ignore[arg-type]
            lambda job: job(),
            lambda time_ns, command: self.noted.append((time_ns, command)),
        )
        self.history.begin()

    def at(self, seconds: float) -> None:
        self.host.now_ns = round(seconds * SECOND)
        self.history.tick(self.host)

    def spans(self) -> list[tuple[int, int, int]]:
        """Return the slices as seconds from, to, and samples."""
        self.history.stop()
        return [
            (each.start_unix_ns // SECOND, each.end_unix_ns // SECOND, sum(each.read().totals))
            for each in slices(self.home / FOLDER)
        ]


@pytest.fixture
def cutting(tmp_path: Path) -> Iterator[Cutting]:
    write_home(tmp_path)
    cutting = Cutting(tmp_path)
    cutting.daemons.dumped = lambda count: write(
        tmp_path, "web", (own(VMLINUX, {0: 1000 * count}),)
    )
    yield cutting
    cutting.history.stop()


def test_a_slice_ends_with_its_period_and_a_dump(cutting: Cutting):
    for seconds in (1, 9.9, 10, 15, 20):
        cutting.at(seconds)

    assert cutting.spans() == [(0, 10, 900), (10, 20, 1000)]
    assert cutting.daemons.dumps == 2


def test_its_dumps_are_noted_as_commands(cutting: Cutting):
    cutting.at(10)

    assert cutting.noted == [(10 * SECOND, Command("opcontrol dump", "Domain-0"))]


@pytest.mark.parametrize("name", ["opcontrol reset", "opcontrol save"])
def test_a_session_that_ends_goes_into_a_slice_first(cutting: Cutting, name: str):
    cutting.host.now_ns = 4 * SECOND
    command = Command(name, "web")
    cutting.history.before(cutting.host, command)
    write(cutting.home, "web", (own(VMLINUX, {0: 5000}),))
    cutting.history.after(command)  # existing samples count as old
    cutting.at(4.5)

    assert cutting.spans() == [(0, 4, 900)]


def test_other_commands_end_no_slice(cutting: Cutting):
    cutting.host.now_ns = 4 * SECOND
    command = Command("opcontrol stop", "web")
    cutting.history.before(cutting.host, command)
    cutting.history.after(command)

    assert cutting.spans() == []


def test_a_daemon_that_does_not_answer_is_asked_less_and_less(
    cutting: Cutting, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Recorder, "is_behind", False)  # this clock is faster than any thread
    cutting.daemons.answers = False
    asked = []
    for number in range(1, 130):
        before = cutting.daemons.dumps
        cutting.at(10 * number)
        if cutting.daemons.dumps > before:
            asked.append(number)

    gaps = [later - earlier - 1 for earlier, later in pairwise(asked)]
    assert gaps == [1, 2, 4, 8, 16, MOST_SPARED, MOST_SPARED]
    assert [record.message for record in caplog.records] == ["history: Domain-0: no answer"]


def test_a_recorder_that_is_behind_makes_the_slice_longer(
    cutting: Cutting, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Recorder, "is_behind", True)
    cutting.at(10)
    monkeypatch.setattr(Recorder, "is_behind", False)
    cutting.at(20)

    assert cutting.spans() == [(0, 20, 900)]


def test_one_that_answers_again_is_asked_each_time(cutting: Cutting):
    cutting.daemons.answers = False
    for number in (1, 2):
        cutting.at(10 * number)
    cutting.daemons.answers = True
    for number in (3, 4, 5):
        cutting.at(10 * number)

    assert cutting.daemons.dumps == 4


def test_nothing_is_asked_of_a_paused_domain(cutting: Cutting, monkeypatch: pytest.MonkeyPatch):
    snapshot = cutting.host.telemetry.snapshot()
    paused = replace(snapshot, domains=tuple(replace(one, paused=True) for one in snapshot.domains))
    monkeypatch.setattr(cutting.host.telemetry, "snapshot", lambda: paused)
    cutting.at(10)

    assert cutting.daemons.dumps == 0
