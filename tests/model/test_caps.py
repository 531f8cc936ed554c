"""The time that a cap takes is apart from waiting, sleeping and being paused."""

import pytest

from hypervisor.domainsettings import SedfParameters
from tests.support.measured import measured
from tests.support.model.hosts import (
    MS,
    SECOND,
    cpu,
    domain,
    make_host,
    seen,
    stolen_ns,
    times_ns,
)

RULES = ["3.0.3", "3.1"]
RUNNING, RUNNABLE, BLOCKED, OFFLINE, CAPPED = range(5)


def shares(host, name):
    """Return the percent of its life that the domain's only vcpu spent in each state."""
    spent_ns = times_ns(seen(host, name).vcpus[0])
    return [100 * ns / sum(spent_ns) for ns in spent_ns]


def alone(rules, cap, *work, seconds=60):
    host = make_host(domain("a", *(work or [cpu()]), cap=cap, cpus="1"), hypervisor=rules)
    host.advance(seconds * SECOND)
    return host


@pytest.mark.parametrize("cap", [10, 25, 50, 80])
def test_what_the_cap_leaves_of_a_pcpu_is_capped(cap):
    host = alone("3.1", cap)
    assert shares(host, "a") == pytest.approx([cap, 0, 0, 0, 100 - cap], abs=0.5)


@pytest.mark.parametrize("cap", [10, 25, 50, 80])
def test_under_3_0_3_the_released_wait_until_their_pcpu_decides_again(cap):
    """A release does not tickle an idle pcpu, which decides every 30 ms."""
    found = shares(alone("3.0.3", cap), "a")
    assert found[RUNNING] == pytest.approx(cap, abs=2.5)
    assert found[RUNNABLE] + found[CAPPED] == pytest.approx(100 - cap, abs=2.5)
    assert found[RUNNABLE] < 100 * 30 / 120  # at most a whole slice for one of 30 ms and its pause
    assert found[CAPPED] > 0.5 * (100 - cap)


@pytest.mark.parametrize("rules", RULES)
def test_without_a_cap_nothing_is_capped(rules):
    host = make_host(domain("a", cpu(), cpus="1"), domain("b", cpu(), cpus="1"), hypervisor=rules)
    host.advance(5 * SECOND)
    assert {0} == {
        vcpu.capped_ns for one in host.telemetry.snapshot().domains for vcpu in one.vcpus
    }


@pytest.mark.parametrize("rules", RULES)
def test_parked_time_is_in_no_wait(rules):
    host = alone(rules, 25)
    one = seen(host, "a")
    waited_ns = sum(waits.sum_ns for waits in measured(one.waits).values())
    assert (
        0 <= measured(one.vcpus[0].runnable_ns) - waited_ns <= 30 * MS
    )  # the present wait is still open


def test_a_vcpu_that_is_released_waits_as_one_that_woke():
    waits = measured(seen(alone("3.1", 25), "a").waits)
    assert (0, True) == (sum(waits["preempted"].counts), sum(waits["wake"].counts) > 400)


@pytest.mark.parametrize("rules", RULES)
def test_what_sleeps_is_blocked_whatever_its_cap(rules):
    host = alone(rules, 10, {"kind": "idle"})
    assert (0, pytest.approx(100, abs=1)) == (shares(host, "a")[CAPPED], shares(host, "a")[BLOCKED])


@pytest.mark.parametrize("rules", RULES)
def test_a_paused_domain_is_offline_and_not_capped_also_if_it_is_parked(rules):
    host = alone(rules, 10, seconds=5)
    while seen(host, "a").vcpus[0].priority != "parked" or seen(host, "a").running:
        host.advance(host.now_ns + MS)
    before = times_ns(seen(host, "a").vcpus[0])
    host.toolstack.domains.pause("a")
    host.advance(host.now_ns + 2 * SECOND)
    after = times_ns(seen(host, "a").vcpus[0])
    assert [0, 0, 0, 2 * SECOND, 0] == [new - old for old, new in zip(before, after, strict=True)]


@pytest.mark.parametrize("rules", RULES)
def test_a_parked_domain_that_was_paused_is_capped_again(rules):
    host = alone(rules, 10, seconds=5)
    while seen(host, "a").vcpus[0].priority != "parked" or seen(host, "a").running:
        host.advance(host.now_ns + MS)
    host.toolstack.domains.pause("a")
    host.toolstack.domains.unpause("a")
    before = measured(seen(host, "a").vcpus[0].capped_ns)
    host.advance(host.now_ns + 5 * SECOND)
    assert measured(seen(host, "a").vcpus[0].capped_ns) - before > 3.5 * SECOND


@pytest.mark.parametrize("rules", RULES)
def test_the_guests_kernel_still_counts_capped_time_as_stolen(rules):
    host = alone(rules, 25, seconds=10)
    line = host.toolstack.views.proc("a", "stat").splitlines()[0].split()
    assert int(line[8]) == stolen_ns(seen(host, "a").vcpus[0]) // (10 * MS)


def sedf(*domains):
    return make_host(*domains, scheduler="sedf")


def give(host, name, period_ms, slice_ms, *, extratime):
    scheduler, domain_of = host.execution.scheduler, host.hypercalls.live
    parameters = SedfParameters(period_ms * MS, slice_ms * MS, 0, extratime=extratime, weight=0)
    scheduler.adjust_sedf(domain_of[seen(host, name).domid], parameters)


def test_under_sedf_a_vcpu_without_extra_time_is_capped_by_its_slice():
    host = sedf(domain("a", cpu(), cpus="1"))
    give(host, "a", 100, 30, extratime=False)
    host.advance(20 * SECOND)
    assert shares(host, "a") == pytest.approx([30, 0, 0, 0, 70], abs=1)


def test_under_sedf_a_vcpu_that_may_have_extra_time_waits():
    host = sedf(domain("a", cpu(), cpus="1"), domain("b", cpu(), cpus="1"))
    give(host, "a", 100, 30, extratime=True)
    host.advance(20 * SECOND)
    found = shares(host, "a")
    assert (0, pytest.approx(100, abs=0.1)) == (found[CAPPED], found[RUNNING] + found[RUNNABLE])


def test_under_sedf_extra_time_ends_a_limit_at_once():
    host = sedf(domain("a", cpu(), cpus="1"))
    give(host, "a", 1000, 10, extratime=False)
    host.advance(SECOND // 2)
    give(host, "a", 1000, 10, extratime=True)
    before = measured(seen(host, "a").vcpus[0].capped_ns)
    host.advance(10 * SECOND)
    assert 0 == measured(seen(host, "a").vcpus[0].capped_ns) - before
