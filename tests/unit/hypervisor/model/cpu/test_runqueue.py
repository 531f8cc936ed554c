"""The order of a vcpu's tasks, as Linux 2.6.18 keeps it (kernel/sched.c)."""

import pytest

from hypervisor.model.codebook.work import AnyWork, TaskIdentity, Work
from hypervisor.model.cpu.runqueue import STARVATION_NS, RunQueue
from hypervisor.model.domain.domain import GUEST_TIMESLICE_NS, Vcpu
from tests.support.model.hosts import bare_domain

LONG_AGO_NS = 10 * STARVATION_NS


@pytest.fixture
def vcpu():
    return Vcpu(bare_domain(), 0, 0, 1)


@pytest.fixture
def queue():
    return RunQueue(100)


def sleeper() -> AnyWork:
    return Work([(0, 1000)], task=TaskIdentity(1000, 1000, "/usr/bin/netperf"))


def hog() -> AnyWork:
    return Work.endless(0, TaskIdentity(1001, 1001, "/usr/bin/linpack"))


def test_sleepers_go_before_hogs_in_the_order_in_which_they_come(queue, vcpu):
    works = [hog(), sleeper(), sleeper()]
    for work in works:
        queue.place(vcpu, work, 0)
    assert [works[1], works[2], works[0]] == [queue.take(vcpu, 0) for _ in works]


def test_a_hog_that_has_waited_a_second_for_each_task_has_its_turn(queue, vcpu):
    works = [hog(), sleeper()]
    for work in works:
        queue.place(vcpu, work, 0)
    assert works[1] is queue.take(vcpu, 2 * STARVATION_NS)
    queue.place(vcpu, works[1], 2 * STARVATION_NS)
    assert works[0] is queue.take(vcpu, 2 * STARVATION_NS + 1)


def test_its_turn_is_a_timeslice_in_which_sleepers_wait(queue, vcpu):
    works = [hog(), sleeper()]
    for work in works:
        queue.place(vcpu, work, 0)
    assert works[0] is queue.take(vcpu, LONG_AGO_NS)
    assert not queue.yields(vcpu, works[0], LONG_AGO_NS + GUEST_TIMESLICE_NS - 1)
    assert queue.yields(vcpu, works[0], LONG_AGO_NS + GUEST_TIMESLICE_NS)


def test_it_goes_on_after_an_interrupt_in_its_turn(queue, vcpu):
    one = hog()
    queue.place(vcpu, one, 0)
    queue.place(vcpu, sleeper(), 0)
    queue.take(vcpu, LONG_AGO_NS)
    queue.put_back(vcpu, one, LONG_AGO_NS + 1)
    vcpu.tasks.append(one)
    assert one is queue.take(vcpu, LONG_AGO_NS + 2)


def test_a_hog_that_has_just_run_does_not_starve(queue, vcpu):
    works = [hog(), sleeper()]
    queue.place(vcpu, works[0], 0)
    queue.put_back(vcpu, works[0], LONG_AGO_NS)
    queue.place(vcpu, works[1], LONG_AGO_NS)
    assert works[1] is queue.take(vcpu, LONG_AGO_NS + STARVATION_NS)


def test_a_task_that_has_executed_a_while_is_a_hog(queue):
    work = sleeper()
    before = queue.is_hog(work)
    work.advance(100)
    assert (False, True) == (before, queue.is_hog(work))
