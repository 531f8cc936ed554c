import pytest

from hypervisor.live.agent.report.fields import SamplerReport, VcpuReport
from hypervisor.live.agent.sampling.flags import Counts
from hypervisor.live.agent.sampling.runstates import Runstates
from hypervisor.live.agent.xen.records import DomainInfo
from tests.support.live.fakes import SECOND

LIFE = (1, "web")


class Counted:
    """A sampler that has counted what it is told."""

    def __init__(self):
        self.counts = {}
        self.problem = None

    def drain(self):
        counts, self.counts = self.counts, {}
        return counts

    def cost(self):
        return SamplerReport(0, 0, 0, 20)


class Domain:
    """A domain of one vcpu, polled every second."""

    def __init__(self, cap_percent=0):
        self.counted = Counted()
        self.runstates = Runstates(self.counted)
        self.cap_percent = cap_percent
        self.now = 100 * SECOND
        self.cpu_ns = 7 * SECOND
        self.poll(0, Counts())

    def poll(self, ran, counts, seconds=1, uuid="web"):
        """Return the times of its vcpu after so many seconds of which it has run some."""
        self.now += seconds * SECOND
        self.cpu_ns += round(ran * SECOND)
        self.counted.counts = {(1, uuid, 0): counts}
        vcpu = VcpuReport(0, online=True, cpu_ns=self.cpu_ns)
        self.runstates.begin([(1, uuid)])
        domain = DomainInfo(1, 0, 0, 0, 0, self.cpu_ns, 1, 0, 0, uuid, 0, 0)
        return self.runstates.of(domain, [vcpu], self.cap_percent, self.now)[0][7:]


def test_the_time_that_a_vcpu_did_not_run_is_divided_as_the_samples_are():
    times = Domain().poll(ran=0.2, counts=Counts(30, 9, 1))

    assert (0.6 * SECOND, 0.18 * SECOND, 0.02 * SECOND, 0) == times


def test_times_only_grow():
    domain = Domain()
    first = domain.poll(ran=0.2, counts=Counts(40, 0, 0))
    second = domain.poll(ran=0.5, counts=Counts(0, 25, 0))

    assert (0.8 * SECOND, 0, 0, 0) == first
    assert (0.8 * SECOND, 0.5 * SECOND, 0, 0) == second


def test_nothing_is_said_before_the_first_sample():
    assert (None,) * 4 == Domain().poll(ran=0.9, counts=Counts())


@pytest.mark.parametrize("ran", [1, 0.995, 1.005])
def test_a_vcpu_that_has_always_run_has_not_waited_and_needs_no_sample(ran):
    assert (0, 0, 0, 0) == Domain().poll(ran, counts=Counts())


def test_a_vcpu_that_does_not_run_and_is_never_sampled_is_unknown():
    assert (None,) * 4 == Domain().poll(ran=0, counts=Counts())


def test_the_first_sample_of_a_vcpu_that_had_always_run_has_the_rest_since_then():
    domain = Domain()
    domain.poll(ran=1, counts=Counts())

    assert (0.5 * SECOND, 0, 0, 0) == domain.poll(ran=0.5, counts=Counts(3, 0, 0))


def test_time_without_a_sample_waits_for_one():
    domain = Domain()
    domain.poll(ran=0.9, counts=Counts())

    assert (0.3 * SECOND, 0, 0, 0) == domain.poll(ran=0.8, counts=Counts(2, 0, 0))


def test_waits_of_a_domain_at_its_cap_are_capped_time():
    assert (0, 0, 0, 0.77 * SECOND) == Domain(25).poll(ran=0.23, counts=Counts(40, 0, 0))


def test_waits_of_a_domain_far_below_its_cap_are_waits():
    assert (0.9 * SECOND, 0, 0, 0) == Domain(25).poll(ran=0.1, counts=Counts(40, 0, 0))


def test_a_domain_that_has_the_same_number_begins_anew():
    domain = Domain()
    domain.poll(ran=0.2, counts=Counts(40, 0, 0))

    assert (None,) * 4 == domain.poll(ran=0, counts=Counts(9, 0, 0), uuid="db")


def test_moments_at_which_clocks_are_read_do_not_add_up_to_time():
    domain = Domain()
    for _ in range(50):
        domain.poll(ran=1.01, counts=Counts(0, 1, 0))
        times = domain.poll(ran=0.99, counts=Counts(0, 1, 0))

    assert (0, 0, 0, 0) == times


def test_running_time_that_falls_is_no_time_that_was_blocked():
    domain = Domain()
    domain.poll(ran=0.5, counts=Counts(0, 1, 0))
    domain.poll(ran=-5, counts=Counts(0, 9, 0))

    assert (0, 0.75 * SECOND, 0, 0) == domain.poll(ran=0.75, counts=Counts(0, 1, 0))


def test_a_jump_of_running_time_is_not_taken_off_for_ever():
    domain = Domain()
    domain.poll(ran=1e6, counts=Counts(0, 1, 0))
    domain.poll(ran=0, counts=Counts(0, 1, 0))

    assert (0, SECOND, 0, 0) == domain.poll(ran=0, counts=Counts(0, 1, 0))


def test_more_running_than_time_leaves_no_time_to_wait():
    assert (0, 0, 0, 0) == Domain().poll(ran=1.01, counts=Counts(1, 0, 0))
