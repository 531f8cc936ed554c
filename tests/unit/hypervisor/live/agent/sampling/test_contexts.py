import errno
from uuid import UUID

import pytest

from hypervisor.live.agent.sampling.contexts import ContextSampler
from hypervisor.live.agent.xen.hypercalls import Xen
from tests.support.live.fake_privcmd import FakePrivcmd
from tests.support.live.fakes import MS, FakeClock
from tests.support.live.machine import PAUSED, Domain, Machine, Vcpu

UUID_OF_WEB = str(UUID(int=0))
USER, KERNEL = 0x4551B7, 0xFFFFFFFF81A442B5


class Bench:
    """A guest `1` with a vcpu that spins in user mode; a sample stands for 20 ms."""

    def __init__(self, **state):
        self.vcpu = Vcpu(running=True, rip=USER)
        self.machine = Machine([Domain(0), Domain(1, vcpus=[self.vcpu], **state)])
        self.privcmd = FakePrivcmd(self.machine)
        self.clock = FakeClock()
        self.sampler = ContextSampler(Xen(self.privcmd), self.clock)
        self.sampler.round()

    def pass_round(self, ran_ms):
        self.vcpu.cpu_ns += ran_ms * MS
        self.sampler.round()

    def counts(self):
        return {place[3:]: count for place, count in self.sampler.samples().counts.items()}

    def looks(self):
        return [call for call in self.privcmd.calls if call[:2] == ("domctl", 13)]


def test_a_sample_stands_for_a_period_of_running_time():
    bench = Bench()
    for _ in range(4):
        bench.pass_round(30)

    assert ({(False, USER): 6}, 20 * MS) == (bench.counts(), bench.sampler.samples().period_ns)


def test_a_round_ends_where_a_domain_has_a_number_of_vcpus_that_cannot_be():
    bench = Bench(highest_vcpu=0xFFFFFFFE)
    bench.privcmd.calls.clear()
    bench.pass_round(20)

    assert [] == [call for call in bench.privcmd.calls if call[0] == "domctl"]


def test_a_round_ends_after_a_domain_when_it_is_over():
    bench = Bench()
    bench.machine.domains.append(Domain(2))
    bench.privcmd.calls.clear()
    bench.sampler.round(lambda: True)

    assert [] == [call for call in bench.privcmd.calls if call[2] == 2]


def test_samples_name_domain_and_vcpu():
    bench = Bench()
    bench.pass_round(20)

    assert {(1, UUID_OF_WEB, 0, False, USER): 1} == bench.sampler.samples().counts


def test_the_kernel_of_a_guest_is_told_from_its_programs():
    bench = Bench()
    bench.vcpu.rip, bench.vcpu.in_kernel = KERNEL, True
    bench.pass_round(20)

    assert {(True, KERNEL): 1} == bench.counts()


def test_a_vcpu_that_has_not_run_is_not_paused():
    bench = Bench()
    bench.pass_round(0)
    bench.pass_round(19)

    assert [] == bench.looks()


def test_a_blocked_vcpu_is_looked_at_when_it_is_awake_again():
    bench = Bench()
    bench.vcpu.blocked = True
    bench.pass_round(20)
    before = bench.counts()
    bench.vcpu.blocked = False
    bench.pass_round(0)

    assert ({}, {(False, USER): 1}) == (before, bench.counts())


def test_a_sample_stands_for_all_that_ran_since_the_round_before():
    bench = Bench()
    bench.pass_round(300)

    assert ({(False, USER): 15}, 0) == (bench.counts(), bench.sampler.samples().unplaced)


def test_a_sample_stands_for_ten_periods_of_sleepy_rounds_at_most_and_the_rest_is_told():
    bench = Bench()
    bench.vcpu.blocked = True
    bench.pass_round(300)
    bench.vcpu.blocked = False
    bench.pass_round(0)

    assert ({(False, USER): 10}, 5) == (bench.counts(), bench.sampler.samples().unplaced)


def test_domain_0_and_paused_domains_are_left_alone():
    bench = Bench(flags=PAUSED)
    bench.machine.domains[0].vcpus[0].cpu_ns += 1000 * MS
    bench.pass_round(40)

    assert [] == bench.looks()


def test_a_domain_that_goes_while_it_is_sampled_is_no_error():
    bench = Bench()
    bench.vcpu.cpu_ns += 20 * MS

    def destroy(kind, command, domid):
        if (kind, command) == ("domctl", 13):
            del bench.machine.domains[1]

    bench.privcmd.before = destroy
    bench.sampler.round()

    assert ({}, []) == (bench.counts(), bench.sampler.samples().problems)


def test_a_refusal_is_a_problem_once():
    bench = Bench()
    bench.privcmd.denied["domctl", 13] = errno.EPERM
    bench.pass_round(20)
    bench.pass_round(20)

    assert [
        "contexts: the hypervisor does not permit it (EPERM)"
    ] == bench.sampler.samples().problems


def test_sampling_slows_down_when_a_round_costs_more_than_its_share():
    bench = Bench()

    def cost(kind, command, domid):
        bench.clock.thread += 5 * MS

    bench.privcmd.before = cost
    for _ in range(40):
        bench.pass_round(20)

    assert bench.sampler.pause_seconds() > 0.5 * 0.015 / 0.05


@pytest.mark.parametrize(("hertz", "period_ms"), [(50, 20), (10, 100), (1000, 20), (0, 1000)])
def test_at_most_50_samples_of_a_vcpu_are_taken_in_a_second(hertz, period_ms):
    sampler = ContextSampler(Xen(FakePrivcmd()), FakeClock(), hertz)

    assert period_ms * MS == sampler.samples().period_ns


def test_the_share_holds_where_a_round_costs_more_than_a_second():
    bench = Bench()

    def cost(kind, command, domid):
        bench.clock.thread += 500 * MS

    bench.privcmd.before = cost
    for _ in range(64):
        bench.pass_round(0)

    assert bench.sampler.pause_seconds() > 0.5 * 0.9 / 0.05
