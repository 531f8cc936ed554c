"""The queues of SEDF stay in order whatever happens, and no vcpu is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.domainsettings import SedfParameters
from hypervisor.model.cpu.sched.sedf_queues import EXTRA, LOST
from hypervisor.model.cpu.topology import Topology
from tests.support.model.sedfsim import MS, SedfSim

PCPUS = 2
DOMAINS = 4
NEW_GUEST = SedfParameters(0, 0, 0, extratime=True, weight=1)

which = st.integers(0, DOMAINS - 1)
timed = st.builds(
    lambda period_us, percent, extratime: SedfParameters(
        period_us * 1000, max(5000, period_us * 10 * percent), 0, extratime=extratime, weight=0
    ),
    st.sampled_from([200, 1_000, 20_000, 100_000, 1_000_000]),
    st.integers(1, 100),
    st.booleans(),
)
weighted = st.builds(
    lambda weight, extratime, period_ns: SedfParameters(
        period_ns, 0, 0, extratime=extratime, weight=weight
    ),
    st.sampled_from([1, 2, 500]),
    st.booleans(),
    st.sampled_from([0, MS]),
)
step = st.one_of(
    st.tuples(st.just("wake"), which),
    st.tuples(st.just("sleep"), which),
    st.tuples(st.just("affinity"), which, st.integers(1, (1 << PCPUS) - 1)),
    st.tuples(st.just("adjust"), which, timed | weighted),
    st.tuples(st.just("decide"), st.integers(0, PCPUS - 1)),
    st.tuples(st.just("pass"), st.integers(1, 30_000)),
)


def check(sim):
    """Check that each queue is in order, and each runnable vcpu once on `run` or `wait`."""
    seen = []
    orders = (lambda one: one.scores[LOST], lambda one: one.scores[EXTRA])
    for number, queues in enumerate(sim.sedf._pcpus):
        assert queues.run == sorted(queues.run, key=lambda one: one.deadline_ns)
        assert queues.wait == sorted(queues.wait, key=lambda one: one.begin_ns)
        for kind in (LOST, EXTRA):
            extra = queues.extra[kind]
            assert extra == sorted(extra, key=orders[kind])
            assert len(extra) == len(set(map(id, extra)))
            assert all(record in queues.run + queues.wait for record in extra)
        for record in queues.run + queues.wait:
            assert number == record.vcpu.processor
            assert record.is_queued
        seen += queues.run + queues.wait
    assert len(seen) == len(set(map(id, seen)))
    waiting = {id(vcpu.sched) for vcpu in sim.vcpus() if vcpu.runnable}
    assert waiting == {id(record) for record in seen}


@pytest.mark.no_cover
@settings(max_examples=60, deadline=None)
@given(steps=st.lists(step, max_size=50))
def test_queues_are_in_order_and_complete_whatever_happens(steps):
    sim = SedfSim("3.0.3", Topology(1, PCPUS, 1))
    for number in range(DOMAINS):
        sim.add(awake=bool(number % 2))
    vcpus = sim.vcpus()
    for what, number, *more in steps:
        match what:
            case "wake":
                sim.wake(vcpus[number])
            case "sleep":
                sim.sleep(vcpus[number])
            case "affinity":
                sim.set_affinity(vcpus[number], more[0])
            case "adjust":
                sim.sedf.adjust_sedf(sim.domains[number], more[0])
            case "decide":
                sim.tickle(number)
            case _:
                sim.run(number / 1_000_000)
        sim.run(0)
        check(sim)
    for number, vcpu in enumerate(vcpus):
        sim.sedf.adjust_sedf(vcpu.domain, NEW_GUEST)
        sim.set_affinity(vcpu, 1 << number % PCPUS)
        sim.wake(vcpu)
    before = [sim.lives[vcpu].running_ns for vcpu in vcpus]
    sim.run(3)  # of which up to one second repays what one of them has lost
    gained_ns = [sim.lives[vcpu].running_ns - old for vcpu, old in zip(vcpus, before, strict=True)]
    assert min(gained_ns) > 800 * MS
