import errno
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.live.agent.errors import HypercallFailed
from hypervisor.live.agent.tracing.buffers import RUNSTATES, Tracing
from hypervisor.live.agent.tracing.rings import RingsBroken, RingsShared
from hypervisor.live.agent.xen.hypercalls import Xen
from tests.support.live.fake_privcmd import FakePrivcmd
from tests.support.live.fake_rings import PAGE, FakeRings, change, record
from tests.support.live.machine import Machine


class Bench:
    """A fake hypervisor with rings, and what traces it; `at_wait` happens while it looks round."""

    def __init__(self, *, pages=1, there=False):
        self.machine = Machine(trace_pages=pages if there else 0)
        self.privcmd = FakePrivcmd(self.machine)
        self.rings = FakeRings(self.privcmd, pages=pages)
        self.waits = 0
        self.at_wait = lambda: None
        self.tracing = Tracing(Xen(self.privcmd), self.privcmd, self._wait)

    def _wait(self, seconds):
        self.waits += 1
        self.at_wait()


@pytest.fixture
def bench():
    return Bench()


def test_rings_are_made_with_the_wanted_size_and_the_trace_begins(bench):
    bench.tracing.start(RUNSTATES, pages=1)

    machine = bench.machine
    assert (1, RUNSTATES, True) == (machine.trace_pages, machine.trace_mask, machine.is_traced)


def test_each_ring_s_records_are_read_once(bench):
    bench.tracing.start(RUNSTATES)
    first, second = change(5, 1, 0, 0, 1), change(6, 1, 1, 1, 0)
    bench.rings.emit(0, first)
    bench.rings.emit(1, second)

    assert [(0, first), (1, second)] == bench.tracing.read()
    assert [] == bench.tracing.read()


def test_what_was_in_the_rings_before_is_left_out():
    bench = Bench(there=True)
    bench.machine.is_traced = True
    bench.rings.emit(0, change(5, 1, 0, 0, 1))

    bench.tracing.start(RUNSTATES)

    assert [] == bench.tracing.read()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 7), min_size=1, max_size=2000))
def test_records_come_out_of_a_ring_as_they_went_in(sizes):
    bench = Bench()
    bench.tracing.start(RUNSTATES)
    written, read = [], b""
    for number, size in enumerate(sizes):
        one = record(0x21002, tuple(range(size)), number)
        bench.rings.emit(0, one)
        written.append(one)
        if number % 50 == 49:
            read += b"".join(data for _, data in bench.tracing.read())
    read += b"".join(data for _, data in bench.tracing.stop())

    assert b"".join(written) == without_wraps(read)


def without_wraps(data: bytes) -> bytes:
    kept, at = b"", 0
    while at < len(data):
        (head,) = struct.unpack_from("<I", data, at)
        size = 4 * (1 + (head >> 28 & 7) + (2 if head >> 31 else 0))
        if head & 0x0FFFFFFF != 0x1F002:
            kept += data[at : at + size]
        at += size
    return kept


def test_at_the_end_the_trace_is_off_and_the_masks_are_as_before(bench):
    bench.machine.trace_mask = 0x0008F000
    bench.tracing.start(RUNSTATES, pcpus=[0])
    bench.rings.emit(0, change(5, 1, 0, 0, 1))

    left = bench.tracing.stop()

    assert (1, False, 0x0008F000) == (
        len(left),
        bench.machine.is_traced,
        bench.machine.trace_mask,
    )


def test_losses_are_told_before_the_record_after_them(bench):
    bench.tracing.start(RUNSTATES)
    for tsc in range(400):
        bench.rings.emit(0, change(tsc, 1, 0, 0, 1), tsc)
    held = len(bench.tracing.read()[0].data) // 16

    bench.rings.emit(0, change(400, 1, 0, 0, 1), 400)
    ((_, told),) = bench.tracing.read()

    (lost,) = struct.unpack_from("<I", without_wraps(told), 12)
    assert (400 - held, PAGE // 16 - 1) == (lost, held)


def test_another_program_that_reads_is_seen_before_anything_is_changed():
    bench = Bench(there=True)
    bench.machine.is_traced = True
    bench.at_wait = lambda: bench.rings.set_counters(0, 16 * bench.waits, 16 * bench.waits)

    with pytest.raises(
        RingsShared, match=r"another program reads them; end it .*xenprof-agent --trace"
    ):
        bench.tracing.start(RUNSTATES)

    assert (True, 0xFFFFF000) == (bench.machine.is_traced, bench.machine.trace_mask)


def test_rings_that_a_killed_program_has_left_are_taken_over():
    bench = Bench(there=True)
    bench.machine.is_traced = True
    bench.at_wait = lambda: bench.rings.emit(0, change(bench.waits, 1, 0, 0, 1))

    bench.tracing.start(RUNSTATES)

    assert (RUNSTATES, []) == (bench.machine.trace_mask, bench.tracing.read())


def test_another_program_that_begins_to_read_ends_the_trace_but_not_its_own(bench):
    bench.tracing.start(RUNSTATES)
    bench.rings.emit(0, change(5, 1, 0, 0, 1))
    bench.rings.set_counters(0, 16, 16)

    with pytest.raises(RingsShared, match="reads them too"):
        bench.tracing.read()

    assert ([], True) == (bench.tracing.stop(), bench.machine.is_traced)


def test_another_program_that_chooses_other_events_ends_the_trace(bench):
    bench.tracing.start(RUNSTATES)
    bench.machine.trace_mask = 0x0001F000

    with pytest.raises(RingsShared, match="has chosen other events"):
        bench.tracing.read()

    assert ([], 0x0001F000) == (bench.tracing.stop(), bench.machine.trace_mask)


@pytest.mark.parametrize(
    "counters", [(0, 8188 * 2), (0, 6), (0, 4096), (0xFFFFFFFC, 0), (0, 0xFFFFFFFC)]
)
def test_counters_that_cannot_be_right_are_an_error(counters):
    bench = Bench()
    bench.tracing.start(RUNSTATES)
    bench.rings.set_counters(0, 0, counters[1])
    if counters[0]:
        bench.rings.set_counters(0, *counters)

    with pytest.raises((RingsBroken, RingsShared)):
        bench.tracing.read()


def test_a_table_without_rings_is_an_error(bench):
    bench.rings.table[:] = bytes(PAGE)

    with pytest.raises(RingsBroken, match="names no ring"):
        bench.tracing.start(RUNSTATES)


def test_a_table_that_points_beyond_itself_is_an_error(bench):
    struct.pack_into("<H", bench.rings.table, 2, 0xFFFF)

    with pytest.raises(RingsBroken, match="cut off"):
        bench.tracing.start(RUNSTATES)


def test_a_hypervisor_that_refuses_says_its_errno():
    bench = Bench()
    bench.privcmd.denied["sysctl", 2] = errno.ENOSYS

    with pytest.raises(HypercallFailed):
        bench.tracing.start(RUNSTATES)
