"""What happens to a domain of a real Xen is seen by the next poll."""

from collections.abc import Iterator

import pytest

from tests.support.measured import measured
from tests.support.realxen.machine import Machine
from tests.support.realxen.outside import OutsideAgent


@pytest.fixture(scope="module")
def guest(xen: Machine) -> Iterator[str]:
    xen.create("changing")
    yield "changing"
    xen.run("xl destroy changing")


def test_one_that_is_created_and_destroyed(xen, agent: OutsideAgent):
    xen.create("brief")
    domid = int(xen.run("xl domid brief"))
    created = agent.domain("brief")
    xen.run("xl destroy brief")

    assert created is not None
    assert (domid, "pv", 160 << 10) == (created.domid, created.kind, created.target_kib)
    assert agent.domain("brief") is None


def test_a_pause_and_its_end(xen, agent: OutsideAgent, guest):
    before = agent.domain(guest)
    xen.run(f"xl pause {guest}")
    paused = agent.domain(guest)
    xen.run(f"xl unpause {guest}")
    after = agent.domain(guest)

    assert before is not None
    assert paused is not None
    assert after is not None
    assert [False, True, False] == [before.paused, paused.paused, after.paused]


def test_weight_and_cap(xen, agent: OutsideAgent, guest):
    xen.run(f"xl sched-credit -d {guest} -w 300 -c 40")
    seen = agent.domain(guest)

    assert seen is not None
    assert (300, 40) == (seen.weight, seen.cap_percent)


def test_pinning(xen, agent: OutsideAgent, guest):
    xen.run(f"xl vcpu-pin {guest} 0 1")
    seen = agent.domain(guest)

    assert seen is not None
    assert (1,) == seen.vcpus[0].affinity


def test_ballooning(xen, agent: OutsideAgent, guest):
    xen.run(f"xl mem-set {guest} 120")
    asked = agent.domain(guest)

    def shrunk() -> bool:
        seen = agent.domain(guest)
        return seen is not None and measured(seen.memory_kib) <= 121 << 10

    assert asked is not None
    assert 120 << 10 == asked.target_kib
    assert agent.until(shrunk)
