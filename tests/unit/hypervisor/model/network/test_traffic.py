"""What passes an interface and what does not."""

from hypervisor.model.network.traffic import CLOSED, RING_FULL, Traffic


def test_bytes_are_those_of_frames_with_their_header():
    traffic = Traffic()
    traffic.received(2, 3000)
    traffic.transmitted(1, 52)

    assert (3028, 2, 66, 1) == (
        traffic.receive_bytes, traffic.receive_packets,
        traffic.transmit_bytes, traffic.transmit_packets,
    )  # fmt: skip


def test_every_reason_has_a_count_before_anything_is_dropped():
    traffic = Traffic()

    assert {RING_FULL: 0, CLOSED: 0} == traffic.receive_drops
    assert {CLOSED: 0} == traffic.transmit_drops


def test_what_is_dropped_is_the_sum_of_its_reasons():
    traffic = Traffic()
    traffic.receive_drops[RING_FULL] += 5
    traffic.receive_drops[CLOSED] += 2
    traffic.transmit_drops[CLOSED] += 3

    assert (7, 3) == (traffic.receive_dropped, traffic.transmit_dropped)
