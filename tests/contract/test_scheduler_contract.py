"""The contract of every scheduler in the table with the machine, whatever its policy.

Some claims are only for those that have weights and caps and move vcpus between pcpus.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.model.cpu.sched import SCHEDULERS
from hypervisor.model.cpu.topology import Topology
from tests.support.copying import copied
from tests.support.model.schedsim import ANY_PCPU, Sim

KINDS = [(name, rules) for name in SCHEDULERS for rules in ("3.0.3", "3.1")]
every_scheduler = pytest.mark.parametrize(("name", "rules"), KINDS)
every_sharing_scheduler = pytest.mark.parametrize(
    ("name", "rules"), [kind for kind in KINDS if kind[0] == "credit"]
)
MS = 1_000_000
# The allowed cost of switches where a pcpu is given in quanta of half a millisecond.
SWITCHES = 0.04


@every_scheduler
def test_hogs_fill_every_pcpu_that_is_theirs(name, rules):
    sim = Sim(name, rules, Topology(2, 1, 2))
    for number in range(5):
        sim.add(affinity=1 << number % 4)
    sim.run(3)
    assert sum(sim.shares()) == pytest.approx(400, rel=0.02)


@every_sharing_scheduler
def test_hogs_find_every_pcpu(name, rules):
    sim = Sim(name, rules, Topology(2, 1, 2))
    for _ in range(5):
        sim.add()
    sim.run(3)
    assert sum(sim.shares()) == pytest.approx(400, rel=0.02)


@every_scheduler
def test_one_hog_gets_a_whole_pcpu(name, rules):
    sim = Sim(name, rules, Topology(1, 2, 1))
    sim.add()
    sim.run(3)
    assert sim.shares() == pytest.approx([100], rel=0.01)


@every_scheduler
def test_what_sleepers_leave_goes_to_hogs(name, rules):
    sim = Sim(name, rules)
    sim.add(run_ns=5 * MS, sleep_ns=45 * MS)
    sim.add()
    sim.run(5)
    assert sum(sim.shares()) > 98


@every_sharing_scheduler
def test_a_pcpu_is_shared_by_weight(name, rules):
    sim = Sim(name, rules)
    sim.add(weight=256)
    sim.add(weight=512)
    sim.run(20)
    assert sim.shares() == pytest.approx([33.3, 66.7], abs=2)


@every_sharing_scheduler
def test_a_cap_holds_on_an_idle_host(name, rules):
    sim = Sim(name, rules, Topology(1, 2, 1))
    sim.add(cap=50)
    sim.run(20)
    assert sim.shares() == pytest.approx([50], abs=3)


@every_sharing_scheduler
def test_a_changed_cap_and_weight_are_reported_and_hold(name, rules):
    sim = Sim(name, rules)
    domain = sim.add()
    sim.scheduler.adjust(domain, 512, None)
    sim.scheduler.adjust(domain, None, 50)
    assert sim.scheduler.parameters(domain) == (512, 50)
    sim.run(20)
    assert sim.shares() == pytest.approx([50], abs=3)


@every_sharing_scheduler
def test_a_removed_cap_frees_a_parked_vcpu(name, rules):
    sim = Sim(name, rules)
    domain = sim.add(cap=5)
    sim.run(1)
    sim.scheduler.adjust(domain, None, 0)
    before = sim.running_ns(domain)
    sim.run(2)
    assert sim.running_ns(domain) - before > 1_900 * MS


@every_scheduler
def test_pinned_vcpus_leave_the_other_pcpus_alone(name, rules):
    sim = Sim(name, rules, Topology(1, 4, 1))
    for _ in range(3):
        sim.add(affinity=0b0010)
    sim.run(2)
    assert sum(sim.shares()) == pytest.approx(100, rel=SWITCHES)


@every_scheduler
@pytest.mark.parametrize("is_busy", [True, False])
def test_a_vcpu_goes_at_once_where_its_new_affinity_says(name, rules, is_busy):
    sim = Sim(name, rules, Topology(1, 4, 1))
    vcpu = sim.add(awake=is_busy).vcpus[0]
    sim.run(0.05)
    target = (vcpu.processor + 2) % 4
    sim.set_affinity(vcpu, 1 << target)
    sim.clock.run_until(sim.clock.now)
    assert target == vcpu.processor
    assert is_busy == (sim.current(target) is vcpu)


@every_scheduler
def test_a_removed_vcpu_is_never_chosen_again(name, rules):
    sim = Sim(name, rules)
    gone, stays = sim.add(), sim.add()
    sim.run(0.1)
    vcpu = gone.vcpus[0]
    sim.sleep(vcpu)
    sim.clock.run_until(sim.clock.now)
    sim.scheduler.remove_vcpu(vcpu)
    sim.scheduler.remove_domain(gone)
    before = sim.running_ns(stays)
    sim.run(1)
    assert sim.running_ns(stays) - before > 990 * MS


@every_scheduler
def test_a_copy_of_the_host_has_the_same_future(name, rules):
    sim = Sim(name, rules, Topology(2, 1, 2))
    for weight in (128, 256, 512):
        sim.add(weight=weight, vcpus=2)
        sim.add(weight=weight, run_ns=3 * MS, sleep_ns=7 * MS, cap=20)
    sim.run(1)
    twin = copied(sim)
    sim.run(1)
    twin.run(1)
    assert sim.shares() == twin.shares()
    assert sim.scheduler.counters == twin.scheduler.counters


PCPUS = 4
VCPUS = 6
step = st.one_of(
    st.tuples(st.just("wake"), st.integers(0, VCPUS - 1)),
    st.tuples(st.just("sleep"), st.integers(0, VCPUS - 1)),
    st.tuples(st.just("affinity"), st.integers(0, VCPUS - 1), st.integers(1, (1 << PCPUS) - 1)),
    st.tuples(st.just("cap"), st.integers(0, VCPUS - 1), st.sampled_from([0, 10, 40])),
    st.tuples(st.just("decide"), st.integers(0, PCPUS - 1)),
    st.tuples(st.just("pass"), st.integers(1, 40)),
)


@every_scheduler
@settings(max_examples=60, deadline=None)
@given(steps=st.lists(step, max_size=60))
def test_no_vcpu_is_doubled_or_lost_whatever_happens(name, rules, steps):
    sim = Sim(name, rules, Topology(2, 1, 2))
    shares = name == "credit"
    for _ in range(VCPUS // 2):
        sim.add(vcpus=2, awake=False)
    vcpus = sim.vcpus()
    for what, which, *more in steps:
        match what:
            case "wake":
                sim.wake(vcpus[which])
            case "sleep":
                sim.sleep(vcpus[which])
            case "affinity":
                sim.set_affinity(vcpus[which], more[0])
            case "cap":
                sim.scheduler.adjust(vcpus[which].domain, None, more[0])
            case "decide":
                sim.tickle(which)
            case _:
                sim.run(which / 1000)
        running = [pcpu.current for pcpu in sim.pcpus if pcpu.current is not None]
        assert len(running) == len(set(running))  # Sim checks each decision too
    for number, vcpu in enumerate(vcpus):
        sim.scheduler.adjust(vcpu.domain, None, 0)
        sim.set_affinity(vcpu, ANY_PCPU if shares else 1 << number % PCPUS)
        sim.wake(vcpu)
    before = [sim.lives[vcpu].running_ns for vcpu in vcpus]
    sim.run(2)
    gained = [sim.lives[vcpu].running_ns - old for vcpu, old in zip(vcpus, before, strict=True)]
    assert min(gained) > 100 * MS
    assert sum(gained) > 0.95 * PCPUS * 2_000 * MS
