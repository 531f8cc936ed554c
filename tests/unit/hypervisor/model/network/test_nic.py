from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.model.network.nic import RING_PACKETS, Nic
from hypervisor.model.timing.clock import Clock
from tests.support.copying import copied
from tests.support.model.lots import Wanderer, lot

MS = 1_000_000
GAP_NS = 125_000
FRAME_NS = 1538 * 8


class Restless(Nic):
    """A card that works out its interrupt again whenever its ring could become full."""

    def _is_told_before(self, burst):
        could_be_full = self.ring_packets + self.coming > RING_PACKETS
        return not could_be_full and super()._is_told_before(burst)


class Host:
    """A host that takes a lot off the ring `delay_ns` after the interrupt or the lot before."""

    def __init__(self, delay_ns=0, speed_mbit=1000, card=Nic):
        self.clock = Clock()
        self.nic = card(self.clock, self.polled, speed_mbit)
        self.delay_ns = delay_ns
        self.interrupts = []
        self.received = {}
        self.flows = {}
        self.waiting = []

    def polled(self, count, lots):
        self.interrupts.append((self.clock.now, count))
        self.waiting = lots
        self.clock.schedule(self.clock.now + self.delay_ns, self.take)

    def take(self, _):
        one = self.waiting.pop(0)
        self.nic.ring_packets -= one.packets
        old = self.received.get(one.flow.name, (0, 0))
        self.received[one.flow.name] = (old[0] + one.packets, old[1] + one.ip_bytes)
        if self.waiting:
            self.clock.schedule(self.clock.now + self.delay_ns, self.take)
        else:
            self.nic.poll_done()

    def offer(self, name, packets, size=1500, spread_ns=0, patience_ns=0):
        """Offer packets of `size` bytes, in lots that a ring can hold."""
        flow = self.flows.setdefault(name, Wanderer(name))
        while packets:
            count = min(packets, 128)
            packets -= count
            self.nic.offer(lot(count, size - 52, wanderer=flow), spread_ns, patience_ns)

    @property
    def dropped(self):
        return sum(lost.packets for flow in self.flows.values() for lost in flow.lost)

    def run(self, ns):
        self.clock.run_until(self.clock.now + ns)


def test_a_full_frame_takes_1538_bytes_of_wire():
    expected = FRAME_NS
    assert expected == Nic(Clock(), print).transmit(0, 1, 1500)


def test_batches_leave_one_behind_the_other():
    nic = Nic(Clock(), print)
    nic.transmit(0, 10, 15_000)
    expected = 20 * FRAME_NS
    assert expected == nic.transmit(5, 10, 15_000)


def test_an_idle_wire_starts_at_once():
    nic = Nic(Clock(), print)
    nic.transmit(0, 1, 1500)
    expected = MS + FRAME_NS
    assert expected == nic.transmit(MS, 1, 1500)


def test_small_packets_are_padded_to_84_bytes_of_wire():
    expected = 84 * 8 * 10
    assert expected == Nic(Clock(), print).transmit(0, 10, 10)


@pytest.mark.parametrize(
    ("speed_mbit", "expected"), [(10, 1_230_400), (100, 123_040), (10_000, 1230)]
)
def test_a_frame_takes_its_time_at_each_speed(speed_mbit, expected):
    assert expected == Nic(Clock(), print, speed_mbit).transmit(0, 1, 1500)


def test_receiving_and_transmitting_do_not_share_the_wire():
    host = Host()
    host.nic.transmit(0, 1000, 1_500_000)
    host.offer("f", 1)
    host.run(FRAME_NS)
    assert host.received == {"f": (1, 1500)}


def test_line_rate_is_81274_full_frames_a_second():
    host = Host()
    host.offer("f", 100_000)
    host.run(1000 * MS)
    packets, payload = host.received["f"]
    assert packets == pytest.approx(81_274, abs=128)
    assert packets * 1500 == payload


def test_a_saturated_wire_interrupts_8000_times_a_second():
    host = Host()
    host.offer("f", 100_000)
    host.run(1000 * MS)
    assert host.nic.interrupts == pytest.approx(8000, rel=0.01)


def test_a_lot_that_comes_alone_is_told_when_its_last_packet_is_there():
    host = Host()
    host.offer("f", 20)
    host.run(MS)
    assert [(20 * FRAME_NS, 2)] == host.interrupts


def test_a_patient_lot_waits_for_others():
    host = Host()
    host.offer("f", 1, patience_ns=5 * MS)
    host.run(3 * MS)
    host.offer("f", 1, patience_ns=5 * MS)
    host.run(10 * MS)
    assert [(5 * MS, 2)] == host.interrupts


def test_no_two_interrupts_are_nearer_than_the_gap():
    host = Host()
    for _ in range(50):
        host.offer("f", 1)
        host.run(20_000)
    times = [at for at, _ in host.interrupts]
    assert min(after - before for before, after in pairwise(times)) == GAP_NS


def test_an_early_packet_is_not_held_up_by_a_slow_flow_that_was_armed_first():
    host = Host()
    host.offer("slow", 1, 100, spread_ns=50 * MS)
    host.offer("fast", 1)
    host.run(MS)
    assert list(host.received) == ["fast"]


def test_a_host_that_does_not_keep_up_loses_what_the_ring_cannot_hold():
    host = Host(delay_ns=1000 * MS)
    host.offer("f", 1000)
    host.run(999 * MS)
    assert (host.nic.ring_packets, len(host.received)) == (128, 0)
    host.run(10_000 * MS)
    assert host.nic.dropped_packets == 1000 - 128 - RING_PACKETS


def test_no_interrupt_comes_while_the_host_polls():
    host = Host(delay_ns=10 * MS)
    host.offer("f", 120, spread_ns=5 * MS)
    host.run(6 * MS)
    host.offer("f", 1)
    host.run(3 * MS)
    expected = 1
    assert expected == len(host.interrupts)


def test_a_copied_card_goes_on_alike():
    host = Host()
    host.offer("f", 1000)
    host.run(MS)
    twin = copied(host)
    host.run(50 * MS)
    twin.run(50 * MS)
    assert host.received == twin.received


offer = st.tuples(
    st.integers(0, 3 * MS), st.sampled_from("abc"), st.integers(0, 300), st.integers(52, 1500),
    st.sampled_from([0, 100_000, 5 * MS]), st.sampled_from([0, 8 * MS]),
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(offer, max_size=15), st.integers(0, 2 * MS))
def test_what_was_offered_was_received_or_dropped(offers, delay_ns):
    host = Host(delay_ns=delay_ns)
    total = 0
    for gap, flow, packets, size, spread, patience in offers:
        host.run(gap)
        host.offer(flow, packets, size, spread, patience)
        total += packets
    host.run(100_000 * MS)
    assert total == sum(packets for packets, _ in host.received.values()) + host.dropped
    assert host.dropped == host.nic.dropped_packets
    assert sum(size for _, size in host.received.values()) == host.nic.received_bytes


@given(
    st.lists(
        st.tuples(
            st.integers(1, 150),  # packets
            st.sampled_from([60, 700, 1500]),
            st.sampled_from([0, 300_000, 2 * MS, 8 * MS]),  # spread
            st.integers(0, 2 * MS),  # until the next
        ),
        max_size=60,
    ),
    st.sampled_from([0, 20_000, 200_000]),
)
@settings(max_examples=150, deadline=None)
def test_bursts_that_begin_after_the_next_interrupt_leave_it_where_it_is(offers, delay_ns):
    host, restless = Host(delay_ns), Host(delay_ns, card=Restless)
    for number, (packets, size, spread_ns, pause_ns) in enumerate(offers):
        for one in (host, restless):
            one.offer(str(number), packets, size, spread_ns)
            one.run(pause_ns)
    for one in (host, restless):
        one.run(20 * MS)
    assert host.interrupts == restless.interrupts
    assert host.received == restless.received
