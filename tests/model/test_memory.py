"""Every page of the host is Xen's, a domain's, free, or being scrubbed."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hypervisor.errors import Refused
from hypervisor.model.memory.pages import XEN_KIB, Memory
from tests.support.measured import measured_sum
from tests.support.model.hosts import MS, SECOND, burst, cpu, domain, fileio, make_host
from tests.support.model.squeezed import paging

MIB = 1024
LOT_NS = 10 * MS


def test_a_pcpu_scrubs_one_mib_in_each_tick():
    memory = Memory(1024 * MIB, pcpus=4)
    memory.take(100 * MIB, 0)
    memory.release(100 * MIB, 5 * MS)
    left = []
    for tick in range(4):
        memory.scrub(tick * LOT_NS)
        left.append(memory.scrub_kib // MIB)
    assert left == [100, 96, 92, 88]


def test_what_is_being_scrubbed_cannot_be_taken():
    memory = Memory(XEN_KIB + 100 * MIB)
    memory.take(100 * MIB, 0)
    memory.release(100 * MIB, 0)
    with pytest.raises(Refused, match="I need 102400 KiB, but only 10240 KiB of memory is free"):
        memory.take(100 * MIB, 10 * LOT_NS)


def test_how_often_one_looks_does_not_change_how_much_is_scrubbed():
    seldom, often = Memory(1024 * MIB), Memory(1024 * MIB)
    for memory in (seldom, often):
        memory.take(500 * MIB, 0)
        memory.release(500 * MIB, 7 * MS)
    for step in range(1000):
        often.scrub(step * MS)
    seldom.scrub(999 * MS)
    assert seldom.free_kib == often.free_kib


class PageBooks(RuleBasedStateMachine):
    """Memory alone, with domains as ids only."""

    def __init__(self):
        super().__init__()
        self.memory = Memory(512 * MIB, pcpus=2)
        self.owned = 0
        self.now = 0

    @rule(kib=st.integers(0, 600 * MIB))
    def take(self, kib):
        try:
            self.memory.take(kib, self.now)
        except Refused:
            return
        self.owned += kib

    @rule(kib=st.integers(0, 600 * MIB))
    def take_up_to(self, kib):
        self.owned += self.memory.take_up_to(kib, self.now)

    @rule(percent=st.integers(0, 100), is_dead=st.booleans())
    def lose(self, percent, is_dead):
        kib = self.owned * percent // 100
        self.owned -= kib
        if is_dead:
            self.memory.release(kib, self.now)
        else:
            self.memory.give_back(kib)

    @rule(ns=st.integers(0, 2 * SECOND))
    def wait(self, ns):
        self.now += ns
        self.memory.scrub(self.now)

    @invariant()
    def balances(self):
        memory = self.memory
        assert memory.total_kib == XEN_KIB + self.owned + memory.free_kib + memory.scrub_kib
        assert min(memory.free_kib, memory.scrub_kib) >= 0


TestPageBooks = PageBooks.TestCase
TestPageBooks.settings = settings(max_examples=50, deadline=None)

NAMES = ("desktop", "db", "diskless")


class BalloonedHost(RuleBasedStateMachine):
    """Several guests that balloon, swap, run out of memory and die."""

    def __init__(self):
        super().__init__()
        self.host = make_host(
            domain("desktop", burst(3, 4, memory_mib=64), cpu(), memory_mib=160, maxmem_mib=400),
            domain("db", fileio(queue_depth=2), cpu(threads=3), memory_mib=96, vcpus=2),
            domain("diskless", cpu(memory_mib=20), disk=[], memory_mib=64, maxmem_mib=300),
            memory_mib=640,
        )
        self.gone = set()

    @rule(name=st.sampled_from(NAMES), mib=st.sampled_from([8, 24, 40, 61, 90, 128, 300, 4000]))
    def set_memory(self, name, mib):
        if name not in self.gone:
            self.host.toolstack.resources.set_memory(name, mib)

    @rule(ms=st.sampled_from([3, 40, 400, 2500, 9000]))
    def advance(self, ms):
        self.host.advance(self.host.now_ns + ms * MS)

    @rule(count=st.sampled_from([1, 2]))
    @precondition(lambda self: "db" not in self.gone)
    def set_vcpus(self, count):
        self.host.toolstack.resources.set_vcpus("db", count)

    @rule()
    @precondition(lambda self: "desktop" not in self.gone)
    def destroy(self):
        self.gone.add("desktop")
        self.host.toolstack.domains.destroy("desktop")

    def alive(self):
        """Return the domains but those whose last request is still at the disk."""
        return [one for one in self.host.hypercalls.live.values() if not one.dying]

    @invariant()
    def pages_of_the_host_balance(self):
        one = self.host.telemetry.snapshot()
        owned = measured_sum(*(each.memory_kib for each in one.domains))
        assert one.memory_kib == measured_sum(XEN_KIB, owned, one.free_kib, one.scrub_kib)

    @invariant()
    def no_guest_has_more_resident_than_it_has_pages(self):
        for each in self.alive():
            pager = paging(self.host, each.name)
            resident_kib = pager.demand_kib - pager.swapped_kib
            # A guest that has panicked does not manage memory any more.
            assert resident_kib <= each.memory_kib or pager.has_panicked

    @invariant()
    def what_is_swapped_fits_the_partition_and_the_programs(self):
        for each in self.alive():
            pager = paging(self.host, each.name)
            programs_kib = pager.demand_kib - pager.kernel_kib
            assert 0 <= pager.swapped_kib <= min(pager.swap.total_kib, programs_kib)


TestBalloonedHost = pytest.mark.no_cover(BalloonedHost.TestCase)
TestBalloonedHost.settings = settings(
    max_examples=20,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
