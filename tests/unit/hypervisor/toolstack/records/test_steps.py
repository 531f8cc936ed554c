"""The steps of an operation: each with its name, its beginning and its end."""

import pytest

from hypervisor.model.timing.clock import Clock
from hypervisor.telemetry import OperationStep
from hypervisor.toolstack.records.steps import Steps


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def steps(clock):
    return Steps(clock)


def test_steps_that_overlap_come_in_the_order_in_which_they_began(clock, steps):
    steps.begin("hotplug vif 0")
    clock.run_until(10)
    steps.begin("hotplug vbd 51712")
    clock.run_until(30)
    steps.end("hotplug vbd 51712")
    clock.run_until(40)
    steps.end("hotplug vif 0")

    assert steps.all_ended() == (
        OperationStep("hotplug vif 0", 0, 40),
        OperationStep("hotplug vbd 51712", 10, 30),
    )


def test_what_goes_on_at_the_end_of_all_ends_with_it(clock, steps):
    steps.begin("memory")
    clock.run_until(7)

    assert steps.all_ended() == (OperationStep("memory", 0, 7),)


def test_a_step_that_goes_on_is_not_begun_anew(clock, steps):
    steps.begin("memory")
    clock.run_until(5)
    steps.begin("memory")
    steps.end("memory")

    assert steps.all_ended() == (OperationStep("memory", 0, 5),)


def test_what_did_not_begin_does_not_end(steps):
    steps.end("memory")

    assert steps.all_ended() == ()


@pytest.mark.parametrize(
    ("at_ns", "went_on"), [(9, False), (10, True), (20, True), (21, False), (30, True), (99, True)]
)
def test_a_step_goes_on_from_its_beginning_to_its_end(clock, steps, at_ns, went_on):
    clock.run_until(10)
    steps.begin("memory")
    clock.run_until(20)
    steps.end("memory")
    clock.run_until(30)
    steps.begin("hotplug vif 0")

    assert steps.go_on_at(at_ns) is went_on
