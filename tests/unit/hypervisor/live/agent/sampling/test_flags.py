import errno
import random
from uuid import UUID

import pytest

from hypervisor.live.agent.errors import HypercallFailed
from hypervisor.live.agent.sampling.flags import Sampler
from hypervisor.live.agent.xen.hypercalls import Xen
from tests.support.live.fake_privcmd import FakePrivcmd
from tests.support.live.fakes import MS, FakeClock
from tests.support.live.machine import PAUSED, RUNNING, SHUTDOWN, Domain, Machine, Vcpu

WEB = UUID("7d2c4b1e-0000-4000-8000-00000000002a")
VCPU = (1, str(WEB), 0)


class Sampled:
    """A sampler on vcpu 0 of domain 0, on pcpu 0, beside a domain of one vcpu on pcpu 1."""

    def __init__(self, **settings):
        self.web = Domain(1, WEB, flags=0, vcpus=[Vcpu(pcpu=1)])
        self.privcmd = FakePrivcmd(Machine([Domain(0, flags=RUNNING), self.web]))
        self.clock = FakeClock()
        self.sampler = Sampler(
            Xen(self.privcmd), self.clock, own_vcpu=lambda: 0, chance=random.Random(1), **settings
        )

    def round(self, flags=0, **state):
        self.web.flags = flags
        for name, value in state.items():
            setattr(self.web.vcpus[0], name, value)
        self.sampler.round()


def test_each_state_that_is_not_running_is_counted():
    sampled = Sampled()

    sampled.round(blocked=False, running=False)
    sampled.round(running=True)
    sampled.round(running=False, blocked=True)
    sampled.round(online=False)
    sampled.round(flags=PAUSED)
    sampled.round(flags=SHUTDOWN)

    assert {VCPU: (1, 1, 3, 0)} == sampled.sampler.drain()
    assert {} == sampled.sampler.drain()


def test_a_vcpu_on_the_pcpu_of_the_sampler_is_unseen_in_a_round():
    sampled = Sampled()

    sampled.round(pcpu=0)
    sampled.round(pcpu=0, blocked=True)

    assert ({VCPU: (0, 0, 0, 2)}, 2) == (
        sampled.sampler.drain(),
        sampled.sampler.cost().skipped,
    )


def test_a_blocked_domain_is_judged_by_where_it_blocked():
    sampled = Sampled()

    sampled.round(pcpu=0)
    sampled.round(flags=0x10, blocked=True)

    assert ({VCPU: (0, 0, 0, 2)}, 2) == (
        sampled.sampler.drain(),
        sampled.sampler.cost().skipped,
    )


def test_a_blocked_domain_costs_no_hypercall_for_its_vcpus():
    sampled = Sampled()
    sampled.round(flags=0x10, blocked=True)
    sampled.privcmd.calls.clear()

    sampled.round(flags=0x10)

    assert [] == [call for call in sampled.privcmd.calls if call[2] == 1 and call[0] == "domctl"]
    assert {VCPU: (0, 2, 0, 0)} == sampled.sampler.drain()


def test_an_offline_vcpu_of_a_blocked_domain_is_not_blocked():
    sampled = Sampled()
    sampled.web.vcpus.append(Vcpu(pcpu=1, online=False))
    sampled.round()
    sampled.sampler.drain()

    sampled.round(flags=0x10, blocked=True)

    assert {VCPU: (0, 1, 0, 0), (1, str(WEB), 1): (0, 0, 1, 0)} == sampled.sampler.drain()


def test_a_domain_that_is_destroyed_while_sampled_is_no_problem():
    sampled = Sampled()

    def destroy(kind, command, domid):
        if (kind, command, domid) == ("domctl", 14, 1):
            del sampled.privcmd.machine.domains[1:]

    sampled.privcmd.before = destroy
    sampled.sampler.round()

    assert ({}, None) == (sampled.sampler.drain(), sampled.sampler.problem)


def test_a_denied_round_is_told_and_the_next_one_tries_again():
    sampled = Sampled()
    sampled.privcmd.denied = {("domctl", 14): errno.EPERM}
    sampled.sampler.round()
    problem = sampled.sampler.problem
    sampled.privcmd.denied = {}

    sampled.sampler.round()

    assert ("the hypervisor does not permit it (EPERM)", None) == (problem, sampled.sampler.problem)


def test_a_round_that_fails_in_another_way_is_a_problem_and_not_the_last():
    sampled = Sampled()

    def fail(kind, command, domid):
        raise IndexError("hostile")

    sampled.privcmd.before = fail
    sampled.sampler.round()

    assert "it has failed: IndexError('hostile')" == sampled.sampler.problem


def test_a_refusal_for_one_domain_leaves_the_others_sampled():
    sampled = Sampled()
    sampled.privcmd.machine.domains.append(Domain(2, UUID(int=2), flags=0, vcpus=[Vcpu(pcpu=1)]))

    def deny(kind, command, domid):
        if domid == 1:
            raise HypercallFailed(errno.EACCES)

    sampled.privcmd.before = deny
    sampled.sampler.round()

    assert (str(HypercallFailed(errno.EACCES)), {(2, str(UUID(int=2)), 0): (1, 0, 0, 0)}) == (
        sampled.sampler.problem,
        sampled.sampler.drain(),
    )


@pytest.mark.parametrize(("rounds_a_second", "period_ms"), [(50, 20), (100, 10), (20, 50)])
def test_the_period_is_the_one_that_was_asked_for(rounds_a_second, period_ms):
    assert period_ms * MS == Sampled(rounds_a_second=rounds_a_second).sampler.period_ns()


def test_rounds_that_cost_more_than_their_share_are_made_less_often():
    sampled = Sampled(share=0.02)

    def cost(kind, command, domid):
        sampled.clock.thread += MS

    sampled.privcmd.before = cost
    for _ in range(3):
        sampled.sampler.round()

    assert (9 * MS, 150 * MS) == (sampled.sampler.cost().cpu_ns, sampled.sampler.period_ns())


@pytest.mark.parametrize("calls_ms", [10, 50, 1000])
def test_the_share_holds_however_much_a_round_costs(calls_ms):
    sampled = Sampled(share=0.02)

    def cost(kind, command, domid):
        sampled.clock.thread += calls_ms * MS

    sampled.privcmd.before = cost
    sampled.sampler.round()

    assert 0.02 == sampled.sampler.cost().cpu_ns / sampled.sampler.period_ns()


def test_pauses_are_by_chance_around_the_period():
    sampled = Sampled(rounds_a_second=50)

    pauses = [sampled.sampler.pause_seconds() for _ in range(1000)]

    assert 0.010 <= min(pauses) < max(pauses) <= 0.030
    assert pytest.approx(0.020, rel=0.05) == sum(pauses) / len(pauses)
