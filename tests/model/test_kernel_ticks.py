"""Sleeping programs wake at ticks of their kernel, which are not those of Xen."""

import pytest

from tests.support.measured import measured
from tests.support.model.exits import path_ns
from tests.support.model.hosts import MS, SECOND, cpu, domain, interrupts, make_host, result, seen

RULES = ["3.0.3", "3.1"]
# Periods that are whole multiples of the 10 ms at which credit is charged.
IN_STEP = [(1, 9), (2, 8), (3, 7), (5, 5), (8, 12), (5, 15), (2, 18), (10, 30), (20, 20)]


def burst(run_ms, sleep_ms, **given):
    return {"kind": "burst", "run_ms": run_ms, "sleep_ms": sleep_ms, **given}


def bursts_in_a_second(run_ms, sleep_ms, seed=1, **given):
    host = make_host(
        domain("a", burst(run_ms, sleep_ms, **given.pop("work", {})), **given), seed=seed
    )
    host.advance(10 * SECOND)
    return result(host, "a")["bursts"] / 10


@pytest.mark.parametrize(("run_ms", "sleep_ms", "period_ms"), [(2, 8, 12), (1, 2, 4), (5, 20, 28)])
def test_a_sleep_ends_at_a_tick_of_4_ms_not_before_its_time(run_ms, sleep_ms, period_ms):
    """CONFIG_HZ is 250 in the kernel of RHEL 5 for Xen."""
    assert bursts_in_a_second(run_ms, sleep_ms) == pytest.approx(1000 / period_ms, rel=0.01)


def test_an_hvm_guests_kernel_ticks_every_millisecond():
    found = bursts_in_a_second(1, 4.5, kind="hvm", work={"program": "linpack"})

    assert found == pytest.approx(1000 / 6, rel=0.02)


def test_a_kernel_without_xen_ticks_every_millisecond():
    host = make_host(
        domain0={"vcpus": 1, "workload": [burst(1, 4.5, program="linpack")]}, hypervisor="none"
    )
    host.advance(SECOND)

    assert result(host, "Domain-0")["bursts"] == pytest.approx(1000 / 6, rel=0.02)
    assert interrupts(host, "Domain-0") == pytest.approx(1000, abs=2)


def test_without_xen_the_ticks_of_a_busy_kernel_take_a_thousandth_and_a_half():
    host = make_host(domain0={"vcpus": 1, "workload": [cpu()]}, hypervisor="none")
    host.advance(SECOND)

    assert path_ns(host, 0)["timer_tick"] / SECOND == pytest.approx(0.0015, rel=0.1)


def test_an_event_from_outside_waits_for_no_tick():
    found = bursts_in_a_second(2, 8, work={"awaits": "event"})

    assert found == pytest.approx(1000 / 10, rel=0.01)


def test_guests_have_booted_at_different_moments():
    host = make_host(*(domain(name) for name in "abcd"))
    first = [one.guest.ticks.at_or_after(0) for one in host.hypercalls.residents.values()]

    assert len(first) == len(set(first)) == 5
    assert max(first) < 4 * MS


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize(("run_ms", "sleep_ms"), IN_STEP)
def test_bursts_do_not_stay_in_step_with_the_ticks_of_xen(rules, run_ms, sleep_ms):
    """A cap of 5 is 2 of 30 credits by the rules of 3.0.3; a tick finds some bursts too many."""
    host = make_host(domain("a", burst(run_ms, sleep_ms), cap=5), hypervisor=rules)
    host.advance(20 * SECOND)

    assert 100 * measured(seen(host, "a").cpu_ns) / host.now_ns < 10
