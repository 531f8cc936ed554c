import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.model.lots import lot


def test_a_large_packet_of_45_segments_has_65226_bytes_with_its_ethernet_header():
    one = lot(1, 65_160, has_sg=True)

    assert (one.frames, one.ip_bytes + 14) == (45, 65_226)


def test_such_a_packet_takes_a_slot_for_its_headers_one_for_its_cutting_and_16_pages():
    one = lot(1, 65_160, has_sg=True)

    assert (one.slots, one.pages) == (18, 17)


def test_frames_that_are_not_cut_have_a_slot_each():
    assert (10, 10) == (lot(10, 1448).slots, lot(10, 1448).pages)


def test_acknowledgements_have_neither_payload_nor_a_second_slot():
    acks = lot(22, 0, 0, has_sg=True, mark=65_160)

    assert (acks.frames, acks.slots, acks.ip_bytes) == (22, 22, 22 * 52)


def test_every_frame_on_the_wire_has_headers_of_its_own():
    one = lot(2, 65_160, has_sg=True)

    assert 2 * 65_160 + 90 * 52 == one.wire_bytes


@pytest.mark.parametrize(("payload", "is_short"), [(2896, False), (2897, True), (100, True)])
def test_the_last_frame_is_short_if_no_more_data_waited(payload, is_short):
    assert is_short == lot(-(-payload // 1448), 1448, payload).is_short


@given(st.integers(2, 40), st.sampled_from([1448, 31_856, 65_160]), st.data())
def test_what_is_cut_off_and_what_is_left_are_the_lot(packets, unit, data):
    payload = data.draw(st.integers((packets - 1) * unit + 1, packets * unit))
    whole = lot(packets, unit, payload, has_sg=unit > 1448, mark=payload)
    before = (whole.packets, whole.frames, whole.payload_bytes, whole.ip_bytes, whole.slots)
    first = whole.split(data.draw(st.integers(1, packets - 1)))

    assert before == tuple(
        getattr(first, name) + getattr(whole, name)
        for name in ("packets", "frames", "payload_bytes", "ip_bytes", "slots")
    )
    assert payload == first.mark + whole.mark
