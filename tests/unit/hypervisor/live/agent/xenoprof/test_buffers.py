import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.live.agent.xenoprof.buffers import Buffer, BufferBroken, Counts, Mapped
from hypervisor.live.agent.xenoprof.hypercall import Shared
from tests.support.live.fake_privcmd import FakePrivcmd

ENTRIES = 8


def content(head=0, tail=0, size=ENTRIES, counts=(0, 0, 0, 0)):
    """Return the memory of a buffer for 8 entries, whose pcs are their places."""
    made = bytearray(struct.pack("<4I4Q", head, tail, size, 3, *counts))
    for place in range(ENTRIES):
        made += struct.pack("<QBB6x", place, place % 3, 0)
    return made


def pcs(buffer):
    return [pc for pc, _, _ in buffer.take()]


@pytest.mark.parametrize(
    ("head", "tail", "places"),
    [(0, 0, []), (3, 0, [0, 1, 2]), (2, 6, [6, 7, 0, 1]), (0, 5, [5, 6, 7]), (7, 0, [*range(7)])],
)
def test_what_lies_between_the_places_is_read_round_the_end(head, tail, places):
    buffer = Buffer(1, memoryview(content(head, tail)))

    assert (places, []) == (pcs(buffer), pcs(buffer))


def test_xen_sees_how_far_it_was_read():
    memory = content(head=2, tail=6)
    Buffer(1, memoryview(memory)).take()

    assert (2, 2) == struct.unpack_from("<II", memory)


def test_an_entry_is_a_pc_a_mode_and_a_counter():
    memory = content(head=1)
    struct.pack_into("<QBB", memory, 48, 0xFFFF82D040201940, 2, 1)

    assert [(0xFFFF82D040201940, 2, 1)] == Buffer(1, memoryview(memory)).take()


@pytest.mark.parametrize("places", [(ENTRIES, 0), (0, ENTRIES), (0xFFFFFFFF, 0), (0, 0x80000000)])
def test_places_outside_of_the_buffer_are_refused(places):
    buffer = Buffer(1, memoryview(content(*places)))

    with pytest.raises(BufferBroken, match=r"domain 1: it is written to \d+ and read to \d+ of 8"):
        buffer.take()


@pytest.mark.parametrize("size", [0, 1, ENTRIES + 1, 0xFFFFFFFF])
def test_a_size_that_cannot_be_is_refused_and_the_memory_let_go_of(size):
    memory = content(size=size)

    with pytest.raises(BufferBroken, match=f"its size is {size}"):
        Buffer(1, memoryview(memory))

    memory.append(0)  # refused while there are views of it


def test_counts_are_those_since_it_began():
    memory = content(counts=(100, 200, 300, 400))
    buffer = Buffer(1, memoryview(memory))
    buffer.begin()
    struct.pack_into("<4Q", memory, 16, 101, 202, 303, 404)

    assert (Counts(1, 2, 3, 4), 6) == (buffer.counts(), buffer.counts().written)


def test_a_count_that_went_down_has_begun_again():
    assert Counts(0, 0, 5, 0) == Counts(3, 0, 5, 0).since(Counts(3, 0, 0, 7))


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=48 + 16 * ENTRIES, max_size=48 + 16 * ENTRIES))
def test_nonsense_is_refused_or_read_but_never_a_crash(data):
    try:
        found = Buffer(1, memoryview(bytearray(data))).take()
    except BufferBroken:
        return
    assert len(found) < ENTRIES


@pytest.mark.parametrize(
    "shared",
    [
        Shared(0x5000000, 0, 4096),
        Shared(0x5000000, -1, 4096),
        Shared(0x5000000, 1, 32),
        Shared(0x5000000, 33, 4096),
        Shared(0x5000001, 1, 4096),
        Shared(0x5000000, 1, -4096),
    ],
)
def test_buffers_that_cannot_be_are_not_mapped(shared):
    with pytest.raises(BufferBroken, match="domain 1 cannot have such buffers"):
        Mapped(FakePrivcmd(), 1, shared)


def test_a_broken_buffer_leaves_nothing_mapped():
    with pytest.raises(BufferBroken, match="its size is 0"):
        Mapped(FakePrivcmd(), 1, Shared(0x5000000, 1, 4096))


def test_the_buffers_of_a_domain_lie_one_behind_the_other():
    privcmd = FakePrivcmd()
    privcmd.frames[0x5000] = content() + content()[:8] + struct.pack("<II", 8, 4) + bytes(4000)
    privcmd.frames[0x5000] += bytes(8192 - len(privcmd.frames[0x5000]))
    mapped = Mapped(privcmd, 1, Shared(0x5000000, 2, 48 + 16 * ENTRIES))

    assert [3, 4] == [one.vcpu for one in mapped.buffers]
