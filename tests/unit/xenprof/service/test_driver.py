import itertools
import logging
from concurrent.futures import Future

import pytest

from hypervisor.errors import Refused
from tests.support.fake_host import FakeHost
from tests.support.fake_toolstack import FakeOperation
from tests.support.live.hosts import HeldHost
from tests.support.service_fakes import MS
from xenprof.service.driver import PERIOD_NS, HostDriver, ServiceStopping
from xenprof.service.pacing import SLIP_TOLERANCE_NS


class Wall:
    """A wall clock that moves only when told."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


def stepped(cost: float = 0.0, **options):
    """Return a driver whose steps the test runs; a virtual ns costs `cost` wall ns."""
    wall = Wall()

    def spend(virtual_ns: int) -> None:
        wall.now_ns += int(virtual_ns * cost)

    host = FakeHost(spend=spend)
    return host, wall, HostDriver(host, wall_ns=wall, **options)


def run_for(driver, wall, wall_ns):
    until = wall.now_ns + wall_ns
    while wall.now_ns < until:
        idle_ns = driver.step()  # it advances the clock itself
        wall.now_ns += idle_ns or 1000


def test_model_time_follows_the_wall_clock_at_speed_one():
    host, wall, driver = stepped()

    run_for(driver, wall, 2_000 * MS)

    assert 2_000 * MS - 2 * PERIOD_NS <= host.now_ns <= 2_000 * MS


def test_no_slice_costs_more_than_two_milliseconds_of_wall_time():
    cost = 0.5
    host, wall, driver = stepped(cost, speed=None)

    run_for(driver, wall, 100 * MS)

    assert max(host.pieces) * cost <= 2 * MS


def test_a_model_slower_than_its_speed_slips_and_says_so():
    _, wall, driver = stepped(cost=2.0)

    run_for(driver, wall, 10_000 * MS)

    assert driver.lag_seconds == pytest.approx(5.0, abs=0.2)


def stopped_for_20_seconds():
    """Return what a driver has done when its process was stopped for 20 s, and a second later."""
    host, wall, driver = stepped(cost=0.01)
    run_for(driver, wall, 1_000 * MS)
    before_ns = host.now_ns
    wall.now_ns += 20_000 * MS
    run_for(driver, wall, 1_000 * MS)
    return driver, host.now_ns - before_ns


def test_a_model_whose_process_was_stopped_goes_on_where_it_was():
    _, passed_ns = stopped_for_20_seconds()

    assert passed_ns == pytest.approx(1_000 * MS, abs=SLIP_TOLERANCE_NS + 2 * PERIOD_NS)


def test_the_time_for_which_the_process_was_stopped_is_lag():
    driver, _ = stopped_for_20_seconds()

    assert driver.lag_seconds == pytest.approx(20.0, abs=0.15)


def test_speed_is_measured_over_the_last_second():
    _, wall, driver = stepped(cost=2.0)

    run_for(driver, wall, 3_000 * MS)

    assert driver.speed == pytest.approx(0.5, abs=0.01)


def test_a_snapshot_is_published_each_second_of_wall_time():
    times = []
    wall = Wall()
    driver = HostDriver(
        FakeHost(), wall_ns=wall, published=lambda host, snapshot: times.append(wall.now_ns)
    )

    run_for(driver, wall, 5_500 * MS)

    assert len(times) == 5
    assert max(b - a for a, b in itertools.pairwise(times)) <= 1_000 * MS + 2 * PERIOD_NS


def test_the_pump_runs_after_each_slice():
    pumped = []
    host, wall, driver = stepped(cost=0.5, speed=None, pump=lambda: pumped.append(1))

    run_for(driver, wall, 20 * MS)

    assert len(host.pieces) == len(pumped)


def test_a_command_is_answered_after_a_snapshot_that_shows_it():
    _, _, driver = stepped()
    answered: Future = driver.submit(lambda host: host.names.update({3: "new"}))

    driver.step()

    assert answered.done()
    assert driver.snapshot().domains[3].name == "new"


def test_a_command_that_takes_model_time_is_answered_when_it_is_over():
    _, _, driver = stepped()
    answered: Future = driver.submit_pending(lambda host: FakeOperation("done", looks=3))
    steps = 0

    while not answered.done() and steps < 100:
        driver.step()
        steps += 1

    assert (answered.result(), steps > 1) == ("done", True)


def test_a_command_that_ends_badly_after_a_while_raises_what_it_ended_with():
    _, _, driver = stepped()
    answered: Future = driver.submit_pending(lambda host: FakeOperation(Refused("no room")))

    driver.step()
    driver.step()
    driver.step()

    with pytest.raises(Refused, match="no room"):
        answered.result(0)


def test_a_command_that_cannot_begin_raises_at_once():
    _, _, driver = stepped()

    def refuse(host):
        raise Refused("never")

    answered: Future = driver.submit_pending(refuse)
    driver.step()

    with pytest.raises(Refused, match="never"):
        answered.result(0)


def test_who_no_longer_waits_for_a_command_disturbs_nobody():
    _, wall, driver = stepped()
    left: Future = driver.submit_pending(lambda host: FakeOperation("x", looks=2))
    stays: Future = driver.submit_pending(lambda host: FakeOperation("y", looks=2))
    left.cancel()

    run_for(driver, wall, 200 * MS)

    assert stays.result(0) == "y"


def test_what_is_pending_when_the_service_stops_is_refused():
    driver = HostDriver(FakeHost())
    driver.start()
    answered: Future = driver.submit_pending(lambda host: FakeOperation(looks=10**9))
    driver.call(lambda host: None)

    driver.stop()

    with pytest.raises(ServiceStopping):
        answered.result(0)


def test_waiting_ends_at_its_model_time_and_not_later():
    host, wall, driver = stepped(speed=None, cost=0.001)
    done_at = []
    waited = driver.wait(0.0123)
    waited.add_done_callback(lambda _: done_at.append(host.now_ns))

    run_for(driver, wall, 50 * MS)

    assert done_at == [12_300_000]


@pytest.fixture
def running():
    host = FakeHost()
    driver = HostDriver(host, speed=None)
    driver.start()
    yield driver
    driver.stop()


def test_what_a_command_raises_is_raised_in_the_caller(running):
    with pytest.raises(Refused, match="in use"):
        running.call(lambda host: host.toolstack.domains.create({"name": "Domain-0"}))


def test_the_thread_survives_a_refused_command(running):
    with pytest.raises(Refused):
        running.call(lambda host: host.toolstack.domains.create({"name": "Domain-0"}))

    assert running.call(lambda host: host.toolstack.views.info()) == {"host": "fake"}


def test_stopping_runs_what_was_submitted_before():
    driver = HostDriver(FakeHost())
    driver.start()
    order = []
    driver.submit(lambda host: order.append("command"))

    driver.stop(lambda host: order.append("last"))

    assert order == ["command", "last"]


def test_after_the_stop_commands_are_refused():
    driver = HostDriver(FakeHost())
    driver.start()
    driver.stop()

    with pytest.raises(ServiceStopping):
        driver.call(lambda host: None)


def test_whoever_still_waits_is_told_that_the_service_has_stopped():
    driver = HostDriver(FakeHost(), speed=1.0)
    driver.start()
    waited = driver.wait(1e6)
    driver.stop()

    with pytest.raises(ServiceStopping):
        waited.result(timeout=10)


def test_a_model_that_fails_is_logged_and_down(caplog):
    def fail(virtual_ns: int) -> None:
        raise ZeroDivisionError("a bug in the model")

    driver = HostDriver(FakeHost(spend=fail), speed=None)
    with caplog.at_level(logging.ERROR):
        driver.start()
        driver._thread.join(10)

    assert not driver.is_up
    assert "a bug in the model" in caplog.text
    with pytest.raises(ServiceStopping, match="the model has failed"):
        driver.call(lambda host: None)


def test_what_was_sampled_before_a_failure_is_still_written():
    def fail(virtual_ns: int) -> None:
        raise ZeroDivisionError("a bug in the model")

    driver, closed = HostDriver(FakeHost(spend=fail), speed=None), []
    logging.disable()
    driver.start()
    driver.stop(lambda host: closed.append(host.name))
    logging.disable(logging.NOTSET)

    assert closed == ["fake"]


def live():
    """Return a live host, its wall clock, and a driver whose steps the test runs."""
    host = HeldHost()
    return host, HostDriver(host, wall_ns=host.clock.now_ns)


def live_for(host, driver, wall_ns):
    until = host.clock.time_ns + wall_ns
    while host.clock.time_ns < until:
        host.clock.wait(driver.step() or 1000)


def test_a_host_whose_time_goes_on_by_itself_is_followed():
    host, driver = live()
    live_for(host, driver, 500 * MS)

    assert 500 * MS - 2 * PERIOD_NS <= host.now_ns <= 500 * MS


def test_time_of_such_a_host_that_nobody_followed_is_not_put_off():
    host, driver = live()
    host.clock.wait(10_000 * MS)
    live_for(host, driver, 500 * MS)

    assert (driver.lag_seconds, host.now_ns >= 10_400 * MS) == (0, True)


def test_waiting_ends_with_the_time_of_such_a_host():
    host, driver = live()
    waited = driver.wait(0.2)
    live_for(host, driver, 150 * MS)
    early = waited.done()
    live_for(host, driver, 100 * MS)

    assert (early, waited.done()) == (False, True)
