import threading

import pytest

from hypervisor.live.agent.polling.readings import NotRead, Readings
from tests.support.live.agent_parts import PATIENCE_SECONDS, SECOND_NS, bare_report


class Host:
    """A host whose polls are counted, and fail while `error` is set; its clock is set by hand."""

    def __init__(self):
        self.polls = 0
        self.error = None
        self.now = 100.0

    def poll(self):
        self.polls += 1
        self.now += 0.25
        if self.error is not None:
            raise self.error
        return bare_report(serial=self.polls, time_ns=self.polls * SECOND_NS)


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def told():
    return []


@pytest.fixture
def readings(host, told):
    return Readings(host.poll, 1.0, told.append, lambda: host.now)


def test_a_report_tells_for_how_long_it_is_repeated(readings):
    assert SECOND_NS == readings.latest().report.period_ns


def test_nobody_is_polled_before_somebody_asks(host, readings):
    assert 0 == host.polls


def test_many_who_ask_within_a_period_get_one_report(host, readings):
    assert {1} == {readings.latest().report.serial for _ in range(10)}


def test_who_asks_after_a_period_gets_a_new_report(host, readings):
    readings.latest()
    host.now += 0.75

    assert 2 == readings.latest().report.serial


def test_a_clock_that_goes_back_does_not_keep_a_report(host, readings):
    readings.latest()
    host.now -= 50

    assert 2 == readings.latest().report.serial


def test_all_who_ask_at_once_wait_for_one_poll(host, readings):
    entered, go = threading.Event(), threading.Event()
    poll, found = host.poll, []

    def slowly():
        entered.set()
        go.wait(PATIENCE_SECONDS)
        return poll()

    readings = Readings(slowly, 1.0, lambda _: None, lambda: host.now)
    threads = [
        threading.Thread(target=lambda: found.append(readings.latest().report.serial))
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    entered.wait(PATIENCE_SECONDS)
    go.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)

    assert [1] * 5 == found


def test_a_poll_that_fails_leaves_the_last_report_and_says_that_it_is_old(host, readings):
    readings.latest()
    host.error = OSError("gone")
    host.now += 5
    latest = readings.latest()

    assert (1, False) == (latest.report.serial, latest.is_fresh)


def test_who_wants_a_fresh_report_gets_no_old_one(host, readings):
    readings.fresh()
    host.error = OSError("gone")
    host.now += 5

    with pytest.raises(NotRead, match="could not be read: gone"):
        readings.fresh()


def test_without_any_report_who_asks_is_told_that_there_is_none(host, readings):
    host.error = OSError("gone")

    with pytest.raises(NotRead):
        readings.latest()


def test_the_failures_of_a_host_do_not_make_polls_more_frequent(host, readings):
    host.error = OSError("gone")
    for _ in range(3):
        with pytest.raises(NotRead):
            readings.latest()

    assert 1 == host.polls


def test_a_reason_is_logged_once_until_the_host_is_read_again(host, readings, told):
    readings.latest()
    for error in (OSError("gone"), OSError("gone"), None, OSError("gone"), ValueError()):
        host.error = error
        host.now += 5
        readings.latest()

    gone = "the host could not be read: gone"
    assert [gone, gone, "the host could not be read: ValueError"] == told


def test_what_all_polls_have_cost_is_added_up(host, readings):
    for error in (None, OSError("gone"), None):
        host.error = error
        host.now += 5
        latest = readings.latest()

    cost = latest.cost
    assert (3, 1, 28, 3 * SECOND_NS // 4) == (
        cost.polls, cost.failed_polls, cost.hypercalls, cost.polling_ns
    )  # fmt: skip


def test_the_first_report_stays_known(host, readings):
    readings.latest()
    host.now += 5

    assert 1 == readings.latest().first.serial
