import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.model.network.nic import INTERRUPT_GAP_NS, RING_PACKETS, Nic
from hypervisor.model.timing.clock import Clock
from tests.support.copying import copied

MS = 1_000_000
FRAME_NS = 1538 * 8


class Host:
    """A host that takes packets off the ring `delay_ns` after each interrupt."""

    def __init__(self, delay_ns=0, batch_ns=INTERRUPT_GAP_NS, limit=64):
        self.clock = Clock()
        self.nic: Nic[str] = Nic(self.clock, self.interrupted, batch_ns)
        self.delay_ns = delay_ns
        self.limit = limit
        self.interrupts = []
        self.received = {}
        self.dropped = 0

    def interrupted(self, count):
        self.interrupts.append((self.clock.now, count))
        self.clock.schedule(self.clock.now + self.delay_ns, self.poll)

    def poll(self, _):
        limit = self.limit
        for flow, _ in self.nic.peek():
            packets, payload_bytes, dropped = self.nic.take_flow(flow, limit)
            limit -= packets
            old = self.received.get(flow, (0, 0))
            self.received[flow] = (old[0] + packets, old[1] + payload_bytes)
            self.dropped += dropped
        if self.nic.peek():
            self.clock.schedule(self.clock.now + self.delay_ns, self.poll)
        else:
            self.nic.poll_done()

    def run(self, ns):
        self.clock.run_until(self.clock.now + ns)


def test_a_full_frame_takes_1538_bytes_of_wire():
    expected = FRAME_NS
    assert expected == Nic(Clock(), print).transmit(0, 1, 1500)


def test_batches_leave_one_behind_the_other():
    nic: Nic[str] = Nic(Clock(), print)
    nic.transmit(0, 10, 15_000)
    expected = 20 * FRAME_NS
    assert expected == nic.transmit(5, 10, 15_000)


def test_an_idle_wire_starts_at_once():
    nic: Nic[str] = Nic(Clock(), print)
    nic.transmit(0, 1, 1500)
    expected = MS + FRAME_NS
    assert expected == nic.transmit(MS, 1, 1500)


def test_small_packets_are_padded_to_84_bytes_of_wire():
    expected = 84 * 8 * 10
    assert expected == Nic(Clock(), print).transmit(0, 10, 10)


def test_receiving_and_transmitting_do_not_share_the_wire():
    host = Host()
    host.nic.transmit(0, 1000, 1_500_000)
    host.nic.offer("f", 1, 1500)
    host.run(FRAME_NS)
    assert host.received == {"f": (1, 1500)}


def test_line_rate_is_81274_full_frames_a_second():
    host = Host()
    host.nic.offer("f", 200_000, 300_000_000)
    host.run(1000 * MS)
    packets, payload = host.received["f"]
    assert packets == pytest.approx(81_274, abs=11)
    assert packets * 1500 == payload


def test_a_saturated_wire_interrupts_8000_times_a_second():
    host = Host()
    host.nic.offer("f", 100_000, 150_000_000)
    host.run(1000 * MS)
    assert host.nic.interrupts == pytest.approx(8000, abs=2)


def test_a_slow_flow_interrupts_for_each_packet():
    host = Host()
    host.nic.offer("f", 10, 1000, spread_ns=10 * MS)
    host.run(20 * MS)
    assert [(MS * k, 1) for k in range(1, 11)] == host.interrupts


def test_coarse_batches_stand_for_the_interrupts_that_they_replace():
    host = Host(batch_ns=8 * INTERRUPT_GAP_NS)
    host.nic.offer("f", 100_000, 150_000_000)
    host.run(1000 * MS)
    assert len(host.interrupts) == pytest.approx(1000, abs=2)
    assert host.nic.interrupts == pytest.approx(8000, abs=10)


def test_an_early_packet_is_not_held_up_by_a_slow_flow_that_was_armed_first():
    host = Host()
    host.nic.offer("slow", 1, 100, spread_ns=50 * MS)
    host.nic.offer("fast", 1, 1500)
    host.run(MS)
    assert list(host.received) == ["fast"]


def test_a_host_that_does_not_keep_up_loses_what_the_ring_cannot_hold():
    host = Host(delay_ns=1000 * MS)
    host.nic.offer("f", 1000, 1_500_000)
    host.run(500 * MS)
    assert (sum(n for _, n in host.nic.peek()), len(host.received)) == (RING_PACKETS, 0)
    assert host.nic.dropped_packets == 1000 - RING_PACKETS


def test_a_host_that_polls_slowly_receives_at_its_own_speed():
    host = Host(delay_ns=2 * MS, limit=64)  # 32 000 packets per second
    host.nic.offer("f", 81_274, 81_274 * 1500)
    host.run(1000 * MS)
    assert host.received["f"][0] == pytest.approx(32_000, rel=0.02)


def test_no_interrupt_comes_while_the_host_polls():
    host = Host(delay_ns=10 * MS, limit=256)
    host.nic.offer("f", 250, 375_000, spread_ns=5 * MS)
    host.run(6 * MS)
    host.nic.offer("f", 1, 1500)
    host.run(3 * MS)
    expected = 1
    assert expected == len(host.interrupts)


def test_a_copied_card_goes_on_alike():
    host = Host()
    host.nic.offer("f", 1000, 1_500_000)
    host.run(MS)
    twin = copied(host)
    host.run(50 * MS)
    twin.run(50 * MS)
    assert host.received == twin.received


offer = st.tuples(
    st.integers(0, 3 * MS), st.sampled_from("abc"), st.integers(0, 300), st.integers(40, 1500),
    st.sampled_from([0, 100_000, 5 * MS]),
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(offer, max_size=15), st.integers(0, 2 * MS), st.integers(1, 128))
def test_what_was_offered_was_received_or_dropped(offers, delay_ns, limit):
    host = Host(delay_ns=delay_ns, limit=limit)
    total = 0
    for gap, flow, packets, size, spread in offers:
        host.run(gap)
        host.nic.offer(flow, packets, packets * size, spread)
        total += packets
    host.run(100_000 * MS)
    assert total == sum(packets for packets, _ in host.received.values()) + host.dropped
    assert host.dropped == host.nic.dropped_packets
    assert sum(size for _, size in host.received.values()) == host.nic.received_bytes
