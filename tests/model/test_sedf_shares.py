"""The shares by slices, extra time and weights under SEDF. Oracle: slice/period, and its sums."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.model.cpu.topology import Topology
from tests.support.model.sedfsim import MS, SedfSim

RULES = ["3.0.3", "3.1"]


def shares_of(*domains, seconds=20, rules="3.0.3"):
    """Return the percent of a pcpu that each of these hogs has, switches included."""
    sim = SedfSim(rules)
    for parameters in domains:
        sim.add_with(**parameters)
    sim.run(seconds)
    return [100 * sim.granted_ns(domain) / sim.clock.now for domain in sim.domains]


@pytest.mark.parametrize("rules", RULES)
def test_without_extra_time_each_has_its_slice_and_the_rest_is_idle(rules):
    shares = shares_of(
        {"period_ms": 100, "slice_ms": 30}, {"period_ms": 100, "slice_ms": 60}, rules=rules
    )
    assert shares == pytest.approx([30, 60], rel=0.01)


def test_extra_time_goes_by_slice_over_period():
    shares = shares_of(
        {"period_ms": 100, "slice_ms": 20, "extratime": True},
        {"period_ms": 50, "slice_ms": 20, "extratime": True},
    )
    # 20 + 40 are guaranteed; of the other 40 a third and two thirds.
    assert shares == pytest.approx([33.3, 66.7], abs=1)


def test_guests_as_they_are_created_share_a_pcpu_equally():
    sim = SedfSim()
    for _ in range(4):
        sim.add()
    sim.run(20)
    assert [sim.granted_ns(domain) / 200_000_000 for domain in sim.domains] == pytest.approx(
        [25] * 4, abs=0.5
    )


def test_a_weight_for_extra_time_alone_divides_what_slices_leave():
    shares = shares_of(
        {"period_ms": 100, "slice_ms": 40},
        {"weight": 1, "extratime": True},
        {"weight": 2, "extratime": True},
    )
    assert shares == pytest.approx([40, 20, 40], abs=1)


def test_weights_one_to_two_make_slices_of_95_ms_in_100():
    shares = shares_of({"weight": 1}, {"weight": 2})
    assert shares == pytest.approx([95 / 3, 190 / 3], rel=0.01)


def test_weights_divide_what_given_slices_leave():
    shares = shares_of({"period_ms": 50, "slice_ms": 10}, {"weight": 1}, {"weight": 2})
    assert shares == pytest.approx([20, 25, 50], rel=0.01)


def test_a_vcpu_without_extra_time_leaves_the_rest_idle_whatever_waits():
    (share,) = shares_of({"period_ms": 20, "slice_ms": 1})
    assert share == pytest.approx(5, abs=0.1)


def test_slices_of_more_than_the_pcpu_has_are_not_all_had():
    shares = shares_of({"period_ms": 100, "slice_ms": 80}, {"period_ms": 100, "slice_ms": 80})
    assert sum(shares) == pytest.approx(100, abs=1)


# Periods and slices in ms; utilisation up to 95 %: the rest is for what a switch delays others.
task = st.tuples(st.integers(10, 200), st.integers(2, 60))
tasks = st.lists(task, min_size=1, max_size=5).map(
    lambda drawn: [(period, min(part, 95) * period / 100) for period, part in drawn]
)
feasible = tasks.filter(lambda drawn: sum(part / period for period, part in drawn) <= 0.95)


@settings(max_examples=60, deadline=None)
@given(drawn=feasible)
def test_who_together_want_no_more_than_there_is_get_their_slices_to_a_slice(drawn):
    sim = SedfSim()
    for period_ms, slice_ms in drawn:
        sim.add_with(period_ms, slice_ms)
    sim.run(4)
    for domain, (period_ms, slice_ms) in zip(sim.domains, drawn, strict=True):
        wanted_ns = sim.clock.now * slice_ms / period_ms
        # The first slice and the last may lie outside the window.
        assert sim.granted_ns(domain) == pytest.approx(wanted_ns, abs=2 * slice_ms * MS)


@settings(max_examples=40, deadline=None)
@given(drawn=feasible, hogs=st.integers(1, 3))
def test_extra_time_takes_nothing_from_a_slice(drawn, hogs):
    sim = SedfSim()
    for period_ms, slice_ms in drawn:
        sim.add_with(period_ms, slice_ms)
    for _ in range(hogs):
        sim.add()
    sim.run(2)
    for domain, (period_ms, slice_ms) in zip(sim.domains, drawn, strict=False):
        wanted_ns = sim.clock.now * slice_ms / period_ms
        assert sim.granted_ns(domain) > wanted_ns - 2 * slice_ms * MS


@pytest.mark.parametrize(("rules", "pcpus"), [(rules, n) for rules in RULES for n in (2, 4)])
def test_every_vcpu_stays_where_it_was_put(rules, pcpus):
    sim = SedfSim(rules, Topology(1, pcpus, 1))
    for _ in range(3):
        sim.add(vcpus=2, run_ns=3 * MS, sleep_ns=4 * MS)
        sim.add()
    homes = [vcpu.processor for vcpu in sim.vcpus()]
    for _ in range(50):
        sim.run(0.01)
        assert homes == [vcpu.processor for vcpu in sim.vcpus()]


def test_an_idle_pcpu_does_not_help_a_busy_one():
    sim = SedfSim("3.0.3", Topology(1, 2, 1))
    for _ in range(2):
        vcpu = sim.add(affinity=0b01).vcpus[0]
    vcpu.affinity = 0b11
    sim.run(2)
    assert sim.current(1) is None
