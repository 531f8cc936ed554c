"""The waits of a vcpu under SEDF, and the cost of a short sleep. Oracle: sums by the rules."""

from statistics import median

import pytest

from hypervisor.model.cpu.sched.sedf import QUANTUM_NS
from hypervisor.model.cpu.topology import Topology
from tests.support.copying import copied
from tests.support.model.schedsim import SWITCH_NS
from tests.support.model.sedfsim import MS, SedfSim

US = 1_000


@pytest.mark.parametrize("hogs", [1, 2, 3])
def test_a_slice_is_had_by_the_end_of_the_period_that_a_wake_begins(hogs):
    sim = SedfSim()
    sleeper = sim.add_with(20, 5, run_ns=4 * MS, sleep_ns=59 * MS)
    for _ in range(hogs):
        sim.add_with(100, 60 // hogs)
    sim.run(20)
    # Its deadline is 20 ms away and its slice 5 ms long: it begins 15 ms from now at the latest.
    assert max(sim.lives[sleeper.vcpus[0]].wake_latencies_ns) <= 15 * MS + SWITCH_NS


def test_a_waker_with_a_slice_interrupts_extra_time_at_once():
    sim = SedfSim()
    sleeper = sim.add_with(20, 5, run_ns=1 * MS, sleep_ns=59 * MS)
    for _ in range(3):
        sim.add()
    sim.run(10)
    # A decision that was due just before comes 20 us late in the simulated machine.
    assert max(sim.lives[sleeper.vcpus[0]].wake_latencies_ns[1:]) <= SWITCH_NS


def test_a_waker_on_extra_time_waits_at_most_a_quantum_for_each_other_one():
    sim = SedfSim()
    sleeper = sim.add(run_ns=300 * US, sleep_ns=7_300 * US)
    hogs = 3
    for _ in range(hogs):
        sim.add()
    sim.run(10)
    latencies = sim.lives[sleeper.vcpus[0]].wake_latencies_ns
    # Less than half a ms before some vcpu's period begins, extra time pauses.
    assert max(latencies) <= hogs * (QUANTUM_NS + SWITCH_NS) + 2 * QUANTUM_NS
    assert median(latencies) > QUANTUM_NS


def test_a_lone_vcpu_is_interrupted_at_the_end_of_its_quantum_for_another_one():
    sim = SedfSim()
    hog = sim.add().vcpus[0]
    waker = sim.add().vcpus[0]
    sim.run(0.05)
    sim.sleep(waker)
    sim.run(0.01)
    started_ns = hog.sched.started_ns
    sim.run(0.0002)
    sim.wake(waker)
    sim.run(0.001)
    life = sim.lives[waker]
    (waited_ns,) = life.wake_latencies_ns[-1:]
    assert (life.woken_ns + waited_ns - started_ns) % QUANTUM_NS == 0
    assert waited_ns <= QUANTUM_NS


def test_what_a_short_sleep_loses_comes_back_before_extra_time():
    sim = SedfSim()
    sleeper = sim.add_with(100, 50, run_ns=10 * MS, sleep_ns=2 * MS)
    sim.add()
    sim.run(20)
    # After its first sleep in a period the guaranteed time is lost: without repayment, 10 %.
    assert 100 * sim.granted_ns(sleeper) / sim.clock.now == pytest.approx(50, abs=3)
    assert sim.scheduler.counters["pen_extra_slices"] > 0


def test_extra_time_changes_hands_each_half_millisecond():
    sim = SedfSim()
    sim.add(vcpus=2)
    sim.run(1.04)
    # 520 us from switch to switch; half a ms at most is idle before each period.
    assert sum(sim.switches.values()) == pytest.approx(2000, rel=0.02)


def test_a_wake_after_the_deadline_begins_a_period():
    sim = SedfSim()
    vcpu = sim.add_with(100, 10).vcpus[0]
    sim.run(0.015)
    sim.sleep(vcpu)
    sim.run(0.25)
    sim.wake(vcpu)
    woken_ns = sim.lives[vcpu].woken_ns
    assert (woken_ns, woken_ns + 100 * MS) == (
        vcpu.sched.begin_ns,
        vcpu.sched.deadline_ns,
    )


def test_a_long_sleep_is_not_repaid():
    sim = SedfSim()
    sim.add_with(20, 10, run_ns=2 * MS, sleep_ns=50 * MS)
    sim.add()
    sim.run(5)
    assert sim.scheduler.counters["pen_extra_slices"] == 0
    assert sim.scheduler.counters["long_block_tot"] > 80


def test_what_a_slice_overran_is_taken_off_the_next():
    sim = SedfSim()
    vcpu = sim.add_with(10, 2).vcpus[0]
    sim.run(0.0095)
    # The simulated machine begins a slice when the switch is over: 20 us too long.
    assert SWITCH_NS == vcpu.sched.spent_ns


@pytest.mark.parametrize("topology", [Topology(1, 1, 1), Topology(2, 1, 2)])
def test_quanta_given_at_once_are_as_good_as_one_by_one(topology):
    """A twin that is asked for a decision every 100 us decides the same, except for late quanta."""
    sim = SedfSim("3.0.3", topology)
    sim.add_with(20, 4, run_ns=3 * MS, sleep_ns=11 * MS)
    sim.add(vcpus=2)
    sim.add(run_ns=1 * MS, sleep_ns=9 * MS)
    twin = copied(sim)
    sim.run(1)
    for _ in range(10_000):
        for pcpu in range(topology.pcpus):
            if twin.sedf._pcpus[pcpu].lone_until_ns > twin.clock.now:
                twin.tickle(pcpu)
        twin.run(0.0001)
    assert sim.shares() == pytest.approx(twin.shares(), rel=0.005)
