import logging
import threading
from dataclasses import replace

import pytest

from hypervisor.live.agent.report.fields import HostReport
from hypervisor.live.follower import Follower
from hypervisor.telemetry import HostSnapshot
from tests.support.live.hosts import PERIOD_NS, HeldClock, HeldHost, MadeSource
from tests.support.live.reports import BOOT_UNIX_NS, SECOND, report


@pytest.fixture
def host():
    return HeldHost()


def let_pass(host: HeldHost, periods: float) -> HostSnapshot:
    host.advance(host.now_ns + round(periods * PERIOD_NS))
    return host.telemetry.snapshot()


def test_it_shows_the_newest_report(host):
    assert 12 * SECOND == let_pass(host, 2).time_ns


def test_it_shows_the_last_report_for_three_periods(host):
    host.silence()

    assert (10 * SECOND, True) == ((shown := let_pass(host, 3)).time_ns, shown.is_up)


def test_then_nothing_is_known_of_the_host(host):
    host.silence()
    shown = let_pass(host, 3.5)

    now_ns = 13 * SECOND + SECOND // 2
    boot = report().boot
    unix_ns = BOOT_UNIX_NS + now_ns
    unknown = HostSnapshot(shown.generation, now_ns, unix_ns, "dom0", is_up=False, boot=boot)
    assert replace(unknown, unread_because=shown.unread_because) == shown


def test_the_last_reason_is_told_of_a_host_that_cannot_be_read(host):
    host.silence("connection refused")
    let_pass(host, 3.5)
    host.silence("no route")

    assert "no route" == let_pass(host, 1).unread_because


def test_a_host_that_has_never_answered_is_unknown():
    clock = HeldClock()
    shown = Follower("a", "ssh:a", MadeSource(clock), PERIOD_NS, clock).snapshot()

    assert (False, "a", ()) == (shown.is_up, shown.host, shown.domains)


def test_a_report_that_comes_again_is_not_new(host):
    host.source.read = lambda: report(10, serial=1)

    assert let_pass(host, 3.5).is_up is False


def test_the_log_says_once_that_a_host_is_lost_and_once_that_it_is_back(host, caplog):
    host.silence("connection refused")
    for _ in range(6):
        let_pass(host, 1)
    host.source.failure = None
    for _ in range(3):
        let_pass(host, 1)

    assert [record.getMessage() for record in caplog.records] == [
        "dom0 (agent:/run/test.sock) is unknown: no report for 4 s: connection refused",
        "dom0 (agent:/run/test.sock) reports again",
    ]


def test_a_fault_of_ours_is_logged_once_and_ends_nothing(host, caplog):
    host.source.failure = ZeroDivisionError("oops")
    for _ in range(3):
        let_pass(host, 0.5)
    host.source.failure = None

    assert let_pass(host, 0.5).time_ns == 12 * SECOND
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_snapshots_are_numbered_also_without_a_new_report(host):
    first, second = host.telemetry.snapshot(), host.telemetry.snapshot()

    assert first.generation + 1 == second.generation


class StuckSource:
    """A source that does not answer until it may."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.is_closed = threading.Event()

    def read(self) -> HostReport:
        self.may_answer.wait(10)
        return report()

    def close(self) -> None:
        self.is_closed.set()


def test_a_source_that_does_not_answer_holds_up_nobody_else():
    source = StuckSource()
    follower = Follower("a", "ssh:a", source, PERIOD_NS)
    follower.start()
    before = follower.snapshot()
    source.may_answer.set()
    follower.wait_first(10)
    after = follower.snapshot()
    follower.stop()
    follower.join(10)

    assert (False, True, True) == (before.is_up, after.is_up, source.is_closed.is_set())


def test_what_an_agent_cannot_read_is_logged_once_and_again_when_it_comes_back(host, caplog):
    serials = iter(range(2, 99))
    for problems in (("vbd: refused\x1b",), ("vbd: refused\x1b", "vif: gone"), (), ("vif: gone",)):
        host.source.read = lambda problems=problems: report(
            20, serial=next(serials), problems=problems
        )
        let_pass(host, 1)

    assert [record.getMessage() for record in caplog.records] == [
        r"dom0 (agent:/run/test.sock): vbd: refused\x1b",
        "dom0 (agent:/run/test.sock): vif: gone",
        "dom0 (agent:/run/test.sock): vif: gone",
    ]


def test_a_failure_that_is_over_is_not_the_reason_of_a_later_silence(host, caplog):
    host.silence("connection refused")
    let_pass(host, 1)
    host.source.failure = None
    let_pass(host, 1)
    host.clock.passed = lambda: None  # from now on no read ends
    let_pass(host, 4)

    assert ["dom0 (agent:/run/test.sock) is unknown: no report for 4 s: no answer"] == [
        record.getMessage() for record in caplog.records
    ]


def test_a_host_that_answers_more_slowly_than_it_is_read_is_told_with_the_period_that_suits_it(
    host, caplog
):
    read = host.source.read

    def slow():
        host.clock.time_ns += 9 * SECOND // 2
        host.telemetry.snapshot()  # somebody looks meanwhile
        return read()

    host.source.read = slow
    for _ in range(2):
        host.follower.look()
        host.telemetry.snapshot()

    advice = "its last one took 4.5 s: --host.period 5s suits it"
    assert [record.getMessage() for record in caplog.records] == [
        "dom0 (agent:/run/test.sock) is unknown: no report for 4 s: no answer",
        f"dom0 (agent:/run/test.sock) reports again; {advice}",
        f"dom0 (agent:/run/test.sock) is unknown: no report for 4 s: no answer; {advice}",
        f"dom0 (agent:/run/test.sock) reports again; {advice}",
    ]


def test_another_boot_behind_an_address_is_logged_once(host, caplog):
    for serial in (7, 8):
        host.source.read = lambda serial=serial: report(5, serial=serial, boot="another")
        let_pass(host, 1)

    assert ["dom0 (agent:/run/test.sock) has booted, or is another host"] == [
        record.getMessage() for record in caplog.records
    ]


@pytest.mark.parametrize("step_seconds", [-50, 50])
def test_a_domain_stays_as_old_as_it_is_when_the_clock_of_its_host_is_set(host, step_seconds):
    before = let_pass(host, 1).domains[1].created_ns
    later = report(20, serial=99)
    host.source.read = lambda: later._replace(unix_ns=later.unix_ns + step_seconds * SECOND)

    # web was created 2 s after the boot.
    assert (2 * SECOND, 2 * SECOND) == (before, let_pass(host, 1).domains[1].created_ns)


SECONDS_10 = 10 * SECOND


def up_while(host, reports) -> list[bool]:
    """Return whether the host is up, read by read."""
    seen = []
    for one in reports:
        host.source.read = lambda one=one: one
        seen.append(let_pass(host, 1).is_up)
    return seen


def test_an_agent_that_reads_less_often_than_it_is_asked_is_up(host):
    polls = [
        report(20 + number // 10 * 10, serial=9 + number // 10, period_ns=SECONDS_10)
        for number in range(30)
    ]

    assert [True] * 30 == up_while(host, polls)


def test_an_agent_that_repeats_a_report_for_longer_than_its_period_is_down(host):
    polls = [report(20, serial=9, period_ns=SECONDS_10)] * 20

    assert [True] * 14 == up_while(host, polls)[:14]
    assert not let_pass(host, 1).is_up


def test_an_agent_that_is_gone_is_missed_as_soon_as_others_whatever_its_period(host):
    up_while(host, [report(20, serial=9, period_ns=SECONDS_10)] * 2)
    del host.source.read
    host.silence()

    assert not let_pass(host, 3.5).is_up


def test_an_agent_that_is_started_for_each_answer_is_up(host):
    assert [True] * 8 == up_while(host, [report(20 + at, serial=1) for at in range(8)])
