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

    def poll(self, ran, counts, seconds=1, uuid="web", is_read=True):
        """Return the times of its vcpu after so many seconds of which it has run some."""
        self.now += seconds * SECOND
        self.cpu_ns += round(ran * SECOND)
        self.counted.counts = {(1, uuid, 0): counts}
        vcpu = VcpuReport(0, online=True, cpu_ns=self.cpu_ns if is_read else None)
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


def test_time_without_a_sample_is_unknown_and_no_later_sample_stands_for_it():
    domain = Domain()
    nothing = domain.poll(ran=20, counts=Counts(), seconds=137)

    assert ((None,) * 4, (0, 0.5 * SECOND, 0, 0)) == (
        nothing,
        domain.poll(ran=0.5, counts=Counts(0, 1, 0)),
    )


def test_a_poll_without_a_sample_is_divided_as_those_of_a_moment_ago():
    domain = Domain()
    domain.poll(ran=0.5, counts=Counts(3, 1, 0))

    assert (0.75 * SECOND, 0.25 * SECOND, 0, 0) == domain.poll(ran=0.5, counts=Counts())


def test_samples_that_are_old_divide_nothing():
    domain = Domain()
    domain.poll(ran=0.5, counts=Counts(3, 1, 0))
    times = [domain.poll(ran=0.5, counts=Counts()) for _ in range(11)]

    assert (False, True) == (None in times[9], None in times[10])


def test_a_vcpu_that_is_mostly_on_the_pcpu_of_the_sampler_is_unknown_however_samples_find_it():
    domain = Domain()
    times = [domain.poll(ran=0.4, counts=Counts(0, n % 10 // 9, 0, 5)) for n in range(60)]

    assert {(None,) * 4} == set(times)


def test_a_vcpu_that_is_seen_half_of_the_time_is_known():
    domain = Domain()
    times = [domain.poll(ran=0.4, counts=Counts(5, 0, 0, 5)) for _ in range(60)]

    assert (36 * SECOND, 0, 0, 0) == times[-1]


def test_times_go_on_from_where_they_were_when_they_are_known_again():
    domain = Domain()
    known = [domain.poll(ran=0.5, counts=Counts(9, 0, 0)) for _ in range(100)][-1]
    unknown = [domain.poll(ran=0.5, counts=Counts(0, 0, 0, 9)) for _ in range(100)][-1]
    again = [domain.poll(ran=0.5, counts=Counts(9, 0, 0)) for _ in range(100)]
    first = next(times for times in again if times[0] is not None)

    assert (50 * SECOND, None) == (known[0], unknown[0])
    assert first[0] - known[0] <= 10.5 * SECOND  # what was divided by samples that were fresh yet


@pytest.mark.parametrize("counts", [Counts(), Counts(1, 2, 3), Counts(0, 0, 1, 1), Counts(0, 9)])
@pytest.mark.parametrize("ran", [0, 0.3, 0.99, 1.3])
def test_no_poll_adds_more_than_has_passed_less_what_ran(ran, counts):
    domain = Domain()
    before = domain.poll(ran=0.5, counts=Counts(9, 9, 9))
    grown = [
        (now or 0) - (then or 0)
        for now, then in zip(domain.poll(ran, counts, seconds=3), before, strict=True)
    ]

    assert sum(grown) <= round((3 - ran) * SECOND)


def test_a_vcpu_whose_running_time_was_not_read_for_a_while_begins_where_it_was():
    domain = Domain()
    before = domain.poll(ran=0.5, counts=Counts(9, 0, 0))
    for _ in range(100):
        domain.poll(ran=0.5, counts=Counts(9, 0, 0), is_read=False)

    assert (None,) * 4 == domain.poll(ran=0.5, counts=Counts(9, 0, 0))
    assert before[0] + 0.5 * SECOND == domain.poll(ran=0.5, counts=Counts(9, 0, 0))[0]


def test_waits_of_a_domain_at_its_cap_are_capped_time():
    assert (0, 0, 0, 0.77 * SECOND) == Domain(25).poll(ran=0.23, counts=Counts(40, 0, 0))


def test_waits_of_a_domain_far_below_its_cap_are_waits():
    assert (0.9 * SECOND, 0, 0, 0) == Domain(25).poll(ran=0.1, counts=Counts(40, 0, 0))


def test_a_domain_that_uses_its_cap_on_the_whole_waits_for_it_in_a_poll_that_gave_it_less():
    domain = Domain(25)
    for ran in (0.23, 0.25, 0.05, 0.24, 0.1):
        times = domain.poll(ran, counts=Counts(40, 0, 0))

    assert (0, 0, 0, 4.13 * SECOND) == times


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
