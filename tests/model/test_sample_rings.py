"""The shared buffers: 15 usable slots of an active vcpu, 2047 of a passive one; their readers."""

import itertools

import numpy as np
import pytest

from hypervisor.model.codebook.book import Kind
from hypervisor.model.codebook.overheads import Overheads
from hypervisor.model.profiling.chunks import SampleChunk
from hypervisor.model.profiling.counterconfig import CounterConfig
from hypervisor.model.profiling.rings import ACTIVE_SAMPLES, PASSIVE_SAMPLES, ring_size
from hypervisor.model.profiling.sample_log import SampleLog
from hypervisor.model.profiling.xenoprof import Xenoprof
from tests.support.model.hosts import MS, SECOND, burst, cpu, domain, make_host
from tests.support.model.profiling import begin, set_counter, xenoprof_now

USER, KERNEL, XEN = (1, 0, 0), (0, 1, 0), (0, 0, 1)


@pytest.fixture(scope="module")
def host():
    return make_host(domain("a", memory_mib=16), domain("b", memory_mib=16, vcpus=2))


@pytest.fixture
def xen(host):
    """Yield a profiler that is counting in domain 0 and 1 (active) and 2 (passive)."""
    costs = Overheads(host.code)
    samples = SampleLog(costs.sample, costs.backtrace_frame)
    xenoprof = Xenoprof(host.execution, host.pmu, samples, can_profile=True)
    live = host.hypercalls.live
    xenoprof.init(0)
    xenoprof.set_passive(live[2])
    for domid in (0, 1):
        xenoprof.set_active(domid)
        xenoprof.get_buffer(live[domid])
    xenoprof.reserve_counters()
    xenoprof.counter(0, CounterConfig(0x1D, 1, 100_000, kernel=True, user=True))
    xenoprof.setup_events()
    for domid in (0, 1):
        xenoprof.enable_virq(live[domid])
        xenoprof.attach_reader(domid, Drain(xenoprof))
    xenoprof.start()
    yield xenoprof
    host.execution.accounting.is_counting = False


class Drain:
    """A driver that empties its own vcpu's ring; domain 0's empties the passive ones too."""

    def __init__(self, xenoprof):
        self.xenoprof = xenoprof

    def virq(self, vcpu, virqs, rows):
        self.xenoprof.take_ring(vcpu)
        if vcpu.domain.domid == 0:
            while self.xenoprof.take_passive():
                pass


def log(xenoprof, host, domid, by_mode, times=1, *, vcpu=0, at_ns=0):
    """Take `times` samples of one mode in a vcpu, 1 us apart, as one segment."""
    chunk = SampleChunk(
        ((0, Kind.CYCLES),),
        np.array([[by_mode]]) * times,
        np.array([[at_ns]]),
        np.array([[1000]]),
        np.array([[0, domid, vcpu, 0, 0, -1]], dtype=np.int32),
        np.array([0]),
        np.array([1]),
        np.array([host.code.index["timer_tick"]]),
        np.array([1.0]),
    )
    xenoprof.log.take(chunk, [host.hypercalls.live[domid].vcpus[vcpu]])


def test_rings_are_as_large_as_the_drivers_ask():
    assert (16, 2048) == (ring_size(ACTIVE_SAMPLES, 1), ring_size(PASSIVE_SAMPLES, 1))


@pytest.mark.parametrize(("vcpus", "slots"), [(2, 2048), (4, 2045), (8, 1021), (32, 253)])
def test_rings_share_32_pages(vcpus, slots):
    assert slots == ring_size(PASSIVE_SAMPLES, vcpus)


# -- The first loss


@pytest.mark.parametrize("times", [14, 15, 16, 17, 40])
def test_an_active_ring_loses_from_the_16th_hypervisor_sample_on(xen, host, times):
    log(xen, host, 1, XEN, times)
    assert (min(times, 15), max(times - 15, 0)) == (xen.unread(1), xen.tally.lost)


@pytest.mark.parametrize("times", [2046, 2047, 2048, 2049, 5000])
def test_a_passive_ring_loses_from_the_2048th_sample_on(xen, host, times):
    log(xen, host, 2, USER, times)
    assert (min(times, 2047), max(times - 2047, 0)) == (xen.unread(2), xen.tally.lost)


@pytest.mark.parametrize(("domid", "mode", "capacity"), [(1, XEN, 15), (2, KERNEL, 2047)])
def test_it_does_not_matter_in_how_many_segments_they_come(xen, host, domid, mode, capacity):
    lost = []
    for times in (capacity - 3, 2, 1, 1, 4):
        log(xen, host, domid, mode, times)
        lost.append(xen.tally.lost)
    assert [0, 0, 0, 1, 5] == lost


def test_each_vcpu_has_a_ring_of_its_own(xen, host):
    for vcpu in (0, 1):
        log(xen, host, 2, USER, 2047, vcpu=vcpu)
    assert (4094, 0) == (xen.unread(2), xen.tally.lost)


def test_a_guest_sample_interrupts_the_guest_which_empties_the_ring(xen, host):
    for _ in range(10):
        log(xen, host, 1, XEN, 14)
        log(xen, host, 1, KERNEL)
    assert (0, 0) == (xen.unread(1), xen.tally.lost)


def test_a_guest_sample_of_domain_0_empties_the_passive_rings(xen, host):
    log(xen, host, 2, USER, 2047)
    log(xen, host, 0, KERNEL)
    log(xen, host, 2, USER, 2047)
    assert (2047, 0) == (xen.unread(2), xen.tally.lost)


def test_hypervisor_samples_in_domain_0_do_not_empty_them(xen, host):
    log(xen, host, 2, USER, 2047)
    log(xen, host, 0, XEN, 5)
    log(xen, host, 2, USER, 3)
    assert (2047, 3) == (xen.unread(2), xen.tally.lost)


def test_samples_of_another_active_domain_do_not_empty_them(xen, host):
    log(xen, host, 2, USER, 2047)
    log(xen, host, 1, USER, 5)
    log(xen, host, 2, USER, 3)
    assert (2047, 3) == (xen.unread(2), xen.tally.lost)


def test_nobody_empties_them_once_domain_0_has_no_daemon(xen, host):
    xen.detach_reader(0)
    log(xen, host, 2, USER, 2047)
    log(xen, host, 0, USER, 5)
    log(xen, host, 2, USER, 3)
    assert (2047, 3) == (xen.unread(2), xen.tally.lost)


def test_a_domain_without_a_daemon_fills_its_15_slots_and_loses_the_rest(xen, host):
    xen.detach_reader(1)
    lost = []
    for times in (10, 5, 1, 100):
        log(xen, host, 1, USER, times)
        lost.append(xen.tally.lost)
    assert ([0, 0, 1, 101], 15) == (lost, xen.unread(1))


def test_lost_samples_are_counted_by_domain(xen, host):
    log(xen, host, 1, XEN, 20)
    log(xen, host, 2, USER, 2050)
    assert {1: 5, 2: 3} == xen.tally.ring_full


def test_a_domain_on_no_list_is_only_counted(xen, host):
    xen.reset_passive_list()
    log(xen, host, 2, USER, 7)
    assert (7, 0, 7) == (xen.tally.others, xen.tally.passive, xen.tally.total)


def test_what_is_logged_is_told_by_domain_and_mode(xen, host):
    log(xen, host, 1, XEN, 20)
    log(xen, host, 1, USER, 4)
    log(xen, host, 2, KERNEL, 2050)
    assert {(1, 0): [4, 0, 15], (2, 0): [0, 2047, 0]} == xen.tally.logged


# -- In a running host


def passive_host(sleep_ms, **domain0):
    """Return a host with a busy passive guest, and a domain 0 that works for 1 ms at a time."""
    workload = {"workload": [burst(1, sleep_ms)]} if sleep_ms else {}
    made = make_host(domain("busy", cpu(), cpus="1"), domain0={"cpus": "0", **workload, **domain0})
    driver = made.profiler.oprofile("0")
    for name, value in {"buffer_size": "4000000", "cpu_buffer_size": "4000000"}.items():
        driver.write(name, value)
    return made


def test_an_idle_domain_0_loses_passive_samples_as_soon_as_2047_wait():
    host = passive_host(0)
    set_counter(host)
    begin(host, (0,), (1,))
    host.hypercalls.pause_domain(0)  # it takes no sample any more
    seen = []
    for step in range(1, 40):
        host.advance(host.now_ns + (3 * MS if step < 25 else 100_000))
        now = xenoprof_now(host)
        seen.append((now.lost, max(0, now.passive + now.lost - 2047)))
    assert [expected for _, expected in seen] == [lost for lost, _ in seen]
    assert (0, True) == (seen[0][0], seen[-1][0] > 0)


def test_loss_goes_to_nothing_as_domain_0_gets_busy():
    losses = []
    for sleep_ms in (1_000_000, 500, 100, 20):
        host = passive_host(sleep_ms)
        set_counter(host, count=50_000)  # 2047 samples in 32 ms
        begin(host, (0,), (1,))
        host.advance(2 * SECOND)
        losses.append(xenoprof_now(host).lost)
    assert all(more > less for more, less in itertools.pairwise(losses))
    assert 0 == losses[-1]
