import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenprof.imports.errors import InputError
from xenprof.imports.xenoprof.buffer import Counters, decode

KERNEL = (0xFFFFFFFF81000010, 1, 0)


def ring(slots, *, head, tail=0, vcpu=0, counters=(0, 0, 0, 0)):
    header = struct.pack("<4I4Q", head, tail, len(slots), vcpu, *counters)
    return header + b"".join(struct.pack("<QBB6x", *slot) for slot in slots)


def entry(number, mode=0):
    return (number, mode, 0)


def pcs(rings):
    return [one.entries["pc"].tolist() for one in rings]


@given(size=st.integers(2, 40), tail=st.integers(0, 39), count=st.integers(0, 39), data=st.data())
def test_entries_come_oldest_first_wherever_the_ring_starts(size, tail, count, data):
    tail, count = tail % size, min(count, size - 1)
    expected = data.draw(st.lists(st.integers(0, 2**64 - 2), min_size=count, max_size=count))
    slots = [entry(0xDEAD)] * size
    for n, pc in enumerate(expected):
        slots[(tail + n) % size] = entry(pc)

    rings = decode(ring(slots, head=(tail + count) % size, tail=tail), "buffer")

    assert [expected] == pcs(rings)


def test_the_rings_of_several_vcpus_follow_each_other_up_to_the_zeros_of_the_last_page():
    first = ring([entry(7), entry(0)], head=1, vcpu=0)
    second = ring([entry(8), entry(9), entry(0)], head=2, vcpu=1)

    rings = decode(first + second + bytes(512), "buffer")

    assert [(0, [7]), (1, [8, 9])] == [(r.vcpu, r.entries["pc"].tolist()) for r in rings]


def test_counters_are_those_of_the_header():
    (only,) = decode(ring([entry(0)] * 2, head=0, counters=(1, 2, 3, 4)), "buffer")

    assert Counters(hypervisor=1, kernel=2, user=3, lost=4) == only.counters


def test_what_is_no_entry_yet_is_not_checked():
    rings = decode(ring([entry(5), (1, 77, 0)], head=1), "buffer")

    assert [[5]] == pcs(rings)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "starts with zeros"),
        (bytes(4096), "starts with zeros"),
        (b"\x7fELF" + bytes(100), "not a Xenoprof buffer: the header at byte 0 says head"),
        (b"\1" * 20, "half a header at byte 0"),
        (ring([entry(0)] * 2, head=2), "head 2, tail 0, size 2"),
        (ring([entry(0)] * 2, head=0, tail=9), "tail 9"),
        (ring([entry(0)] * 2, head=0, vcpu=2**31), "vcpu 2147483648"),
        (ring([entry(0)] * 8, head=0)[:-1], "truncated Xenoprof buffer: the 8 entries of vcpu 0"),
        (ring([entry(0)] * 2, head=1) * 2, "two rings of vcpu 0"),
        (ring([entry(0)] * 2, head=1) + bytes(48) + b"x", "data after its last ring, at byte 80"),
        (ring([entry(0, mode=3), entry(0)], head=1), "entry 0 has mode 3"),
        (ring([entry(2**64 - 1), entry(0)], head=1), "call-graph records"),
    ],
)
def test_what_is_no_buffer_is_refused_with_the_reason(data, message):
    with pytest.raises(InputError, match=message) as caught:
        decode(data, "some.bin")

    assert str(caught.value).startswith("some.bin")


@given(st.binary(max_size=400))
def test_any_bytes_are_rings_or_refused(data):
    try:
        rings = decode(data, "some.bin")
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert sum(len(r.entries) for r in rings) * 16 < len(data)


@given(st.data())
def test_a_damaged_header_is_refused_or_yields_entries_of_the_file(data):
    whole = bytearray(ring([KERNEL] * 6, head=5))
    at = data.draw(st.integers(0, 15))
    whole[at] = data.draw(st.integers(0, 255))
    try:
        rings = decode(bytes(whole), "some.bin")
    except InputError:
        return
    assert {KERNEL[0]} >= set(np.concatenate([r.entries["pc"] for r in rings]).tolist())
