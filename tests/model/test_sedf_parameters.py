"""Parameters and homes under SEDF: defaults, accepted and refused values, places of vcpus."""

import pytest

from hypervisor.domainsettings import SedfParameters
from hypervisor.errors import Refused
from hypervisor.model.cpu.sched.base import VcpuState
from hypervisor.model.cpu.topology import Topology
from hypervisor.toolstack.config.schedparams import (
    DOMAIN0_SEDF,
    GUEST_SEDF,
    changed_sedf,
    check_sedf,
)
from tests.support.model.sedfsim import MS, SedfSim

SECOND = 1_000_000_000
TIMED = SedfParameters(100 * MS, 30 * MS, 0, extratime=False, weight=0)


def domain0(sim, vcpus=1):
    """Add domain 0, asleep; return it."""
    return sim.add(domid=0, vcpus=vcpus, awake=False)


def test_domain_0_starts_with_15_of_20_ms_and_guests_with_extra_time_alone():
    sim = SedfSim()
    first, guest = domain0(sim), sim.add()
    assert sim.sedf.sedf_parameters(first) == DOMAIN0_SEDF
    assert sim.sedf.sedf_parameters(guest) == GUEST_SEDF
    assert (20 * MS, 15 * MS, 100 * MS, 0) == (
        DOMAIN0_SEDF.period_ns,
        DOMAIN0_SEDF.slice_ns,
        GUEST_SEDF.period_ns,
        GUEST_SEDF.slice_ns,
    )


def test_domain_0_has_its_slice_and_nearly_all_extra_time_beside_guests():
    sim = SedfSim()
    (vcpu,) = domain0(sim).vcpus
    sim.wake(vcpu)
    for _ in range(3):
        sim.add()
    sim.run(10)
    # Its score is 20/15 and a guest's is 128: of every 97 quanta a guest gets one.
    assert 100 * sim.granted_ns(sim.domains[0]) / sim.clock.now > 95


def test_there_is_neither_credit_nor_weight_of_that_kind():
    sim = SedfSim()
    guest = sim.add(weight=512, cap=50)
    sim.scheduler.adjust(guest, 1024, 10)
    sim.run(2)
    assert sim.scheduler.parameters(guest) is None
    assert VcpuState(None, None) == sim.scheduler.state(guest.vcpus[0])
    assert sim.shares()[0] > 99


def test_parameters_set_are_parameters_read():
    sim = SedfSim()
    guest = sim.add(vcpus=2)
    sim.sedf.adjust_sedf(guest, SedfParameters(40 * MS, 8 * MS, 5, extratime=True, weight=0))
    assert sim.sedf.sedf_parameters(guest) == SedfParameters(
        40 * MS, 8 * MS, 5, extratime=True, weight=0
    )


def test_a_weight_shows_the_slice_that_it_makes():
    sim = SedfSim()
    guest = sim.add()
    sim.sedf.adjust_sedf(guest, SedfParameters(0, 0, 0, extratime=False, weight=3))
    assert sim.sedf.sedf_parameters(guest) == SedfParameters(
        100 * MS, 95 * MS, 0, extratime=False, weight=3
    )


def test_a_weight_for_extra_time_alone_is_not_shown():
    sim = SedfSim()
    guest = sim.add()
    sim.sedf.adjust_sedf(guest, SedfParameters(0, 0, 0, extratime=True, weight=3))
    assert sim.sedf.sedf_parameters(guest) == GUEST_SEDF


def test_weights_of_one_pcpu_do_not_count_on_another():
    sim = SedfSim("3.0.3", Topology(1, 2, 1))
    guests = [sim.add(affinity=1 << number) for number in range(2)]
    for weight, guest in enumerate(guests, 1):
        sim.sedf.adjust_sedf(guest, SedfParameters(0, 0, 0, extratime=False, weight=weight))
    slices = [sim.sedf.sedf_parameters(guest).slice_ns for guest in guests]
    assert slices == [95 * MS, 95 * MS]


@pytest.mark.parametrize("vcpus", [0, 1])
def test_a_change_holds_at_once_for_a_vcpu_that_runs_or_waits(vcpus):
    sim = SedfSim()
    for _ in range(1 + vcpus):
        guest = sim.add()
    sim.run(0.5)
    sim.sedf.adjust_sedf(guest, TIMED)
    before_ns = sim.granted_ns(guest)
    sim.run(10)
    assert (sim.granted_ns(guest) - before_ns) / (10 * SECOND) == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize(
    "wrong",
    [
        {"period_ns": 9_999},
        {"period_ns": 10 * SECOND + 1},
        {"slice_ns": 4_999},
        {"slice_ns": 100 * MS + 1},
        {"weight": -1},
        {"weight": 32_768},
        {"latency_ns": -1},
    ],
)
def test_what_the_hypervisor_does_not_take_is_refused_with_its_errno(wrong):
    with pytest.raises(Refused) as refused:
        changed_sedf(TIMED, **wrong)
    assert str(refused.value) == "(22, 'Invalid argument')"


@pytest.mark.parametrize(
    "right",
    [
        {"period_ns": 10_000, "slice_ns": 5_000},
        {"period_ns": 10 * SECOND},
        {"slice_ns": 100 * MS},
        {"slice_ns": 0, "weight": 1},
        {"period_ns": 0, "slice_ns": 0, "weight": 32_767},
    ],
)
def test_the_limits_themselves_are_taken(right):
    check_sedf(changed_sedf(TIMED, **right))


def test_what_is_not_given_stays():
    assert changed_sedf(TIMED, slice_ns=7 * MS) == SedfParameters(
        100 * MS, 7 * MS, 0, extratime=False, weight=0
    )


def test_a_guest_without_a_slice_needs_one_before_its_extra_time_can_be_taken():
    with pytest.raises(Refused):
        changed_sedf(GUEST_SEDF, extratime=False)


def test_what_is_refused_changes_nothing():
    sim = SedfSim()
    guest = sim.add()
    with pytest.raises(Refused):
        sim.sedf.adjust_sedf(guest, SedfParameters(0, 0, 0, extratime=False, weight=0))
    assert sim.sedf.sedf_parameters(guest) == GUEST_SEDF


def test_a_first_vcpu_starts_on_the_least_populated_pcpu_and_others_beside_it():
    sim = SedfSim("3.0.3", Topology(1, 4, 1))
    domain0(sim, vcpus=2)
    homes = [[vcpu.processor for vcpu in sim.add(vcpus=n).vcpus] for n in (1, 1, 2)]
    assert homes == [[3], [2], [3, 0]]


@pytest.mark.parametrize(("rules", "expected"), [("3.0.3", 1), ("3.1", 2)])
def test_a_new_affinity_moves_to_its_first_pcpu_in_3_1_only_who_must(rules, expected):
    sim = SedfSim(rules, Topology(1, 4, 1))
    vcpu = sim.add(affinity=0b0100).vcpus[0]
    sim.run(0.01)
    sim.set_affinity(vcpu, 0b1110)
    sim.run(0.01)
    assert expected == vcpu.processor
    assert sim.current(expected) is vcpu


@pytest.mark.parametrize("rules", ["3.0.3", "3.1"])
def test_who_must_leave_its_pcpu_goes_to_the_first_it_may_use(rules):
    sim = SedfSim(rules, Topology(1, 4, 1))
    vcpu = sim.add(affinity=0b1000).vcpus[0]
    sim.run(0.01)
    sim.set_affinity(vcpu, 0b0110)
    sim.run(0.01)
    assert sim.current(1) is vcpu


def test_names_are_those_of_the_boot_line():
    scheduler = SedfSim().scheduler
    assert ("Simple EDF Scheduler", "sedf") == (scheduler.name, scheduler.option)
