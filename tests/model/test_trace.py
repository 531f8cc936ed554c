"""The trace rings of the model: bounded, balanced, and as dear as on a real host."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.errors import Refused
from hypervisor.model.cpu.trace import MAX_TAKEN, Trace
from hypervisor.model.dom0.tracereader import XENMON_EVENTS
from hypervisor.model.machine import build
from hypervisor.model.scenario.spec import load_scenario
from hypervisor.model.timing.clock import Clock
from hypervisor.trace_events import (
    ALL,
    BLOCK,
    DOM0OP,
    GRANT_MAP,
    IDLE_DOMAIN,
    LOST_RECORDS,
    MEM,
    S_TIMER,
    SCHED,
    SLEEP,
    SWITCH,
    SWITCH_INFNEXT,
    SWITCH_INFPREV,
    WAKE,
    is_selected,
    ring_records,
)
from tests.support.copying import copied
from tests.support.measured import measured
from tests.support.model.hosts import MS, SECOND, burst, cpu, domain, make_host
from tests.support.paths import ROOT
from xenprof.trace.records import joined
from xenprof.trace.summary import Summariser
from xenprof.trace.xentrace30 import decode, encode

EVERY_PCPU = (1 << 64) - 1


def busy_host():
    return make_host(domain("a", cpu()), domain("b", burst(3, 4, jitter=0.3)), domain("c", cpu()))


def traced(host, until_ns, pages=400, mask=ALL):
    """Return all records of `host` up to a time, with none lost."""
    host.tracer.set_ring_pages(pages)
    host.tracer.set_masks(mask, EVERY_PCPU)
    host.advance(until_ns)
    return list(host.tracer.read())


def trace(pages=1):
    """Return rings alone, which are never polled."""
    clock = Clock()
    rings = Trace(clock, 2)
    rings.set_ring_pages(pages)
    rings.set_poll(10**18, 1)
    rings.set_masks(ALL, EVERY_PCPU)
    return clock, rings


def test_nothing_is_recorded_until_somebody_asks():
    host = busy_host()
    host.advance(SECOND)
    assert (sum(host.tracer.status().emitted), list(host.tracer.read())) == (0, [])


def test_a_world_that_is_not_traced_is_the_same_whoever_looks():
    plain, looked_at = busy_host(), busy_host()
    looked_at.tracer.set_masks(0, EVERY_PCPU)
    for host in (plain, looked_at):
        host.advance(2 * SECOND)
        host.tracer.read()
    assert replace(plain.telemetry.snapshot(), trace=None) == replace(
        looked_at.telemetry.snapshot(), trace=None
    )


@pytest.mark.parametrize(("events", "least", "most"), [(ALL, 0.05, 1), (XENMON_EVENTS, 0.5, 3)])
def test_tracing_costs_what_the_readme_of_xenmon_says(events, least, most):
    """1 to 2 % with xenmon, which draws once a second; without it only records and their reader."""

    def busy_percent(events):
        host = make_host(domain("a", burst(2, 8)), domain("b", burst(5, 20)))
        host.tracer.set_masks(events, EVERY_PCPU)
        host.advance(10 * SECOND)
        times = [measured(one.cpu_ns) for one in host.telemetry.snapshot().domains]
        return 100 * sum(times) / (10 * SECOND)

    assert least < busy_percent(events) - busy_percent(0) < most


def test_the_reader_of_a_trace_is_a_process_of_domain_0():
    host = busy_host()
    host.tracer.set_masks(XENMON_EVENTS, EVERY_PCPU)
    host.advance(2 * SECOND)
    tasks = host.hypercalls.residents[0].guest.tasks.values()
    assert {"/usr/sbin/xenbaked", "/usr/bin/python"} <= {task.program for task in tasks}


def test_the_same_scenario_gives_the_same_bytes():
    runs = [encode(traced(busy_host(), SECOND), 3200) for _ in range(2)]
    assert runs[0] == runs[1]


PROGRAM = """
import hashlib
from hypervisor.model.machine import build
from hypervisor.model.scenario.spec import load_scenario
from xenprof.trace.xentrace30 import encode
host = build(load_scenario("grumble"), epoch_ns=0)
host.tracer.set_masks(0xfffff000, 15)
host.advance(2_000_000_000)
print(hashlib.sha256(encode(host.tracer.read(), 3200)).hexdigest())
"""


def test_the_hash_seed_does_not_matter():
    prints = set()
    for seed in ("0", "4242"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", PROGRAM]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        prints.add(done.stdout)
    assert len(prints) == 1


def test_a_copy_goes_on_alike():
    host = busy_host()
    host.tracer.set_masks(ALL, EVERY_PCPU)
    host.advance(250 * MS)
    twin = copied(host)
    for each in (host, twin):
        each.advance(SECOND)
    assert host.tracer.read() == twin.tracer.read()


def test_no_two_records_have_the_same_time():
    host = build(load_scenario("grumble"), epoch_ns=0)
    records = traced(host, SECOND, mask=0x0001F000)
    host.tracer.set_masks(SCHED, EVERY_PCPU)
    host.advance(2 * SECOND)
    records += host.tracer.read()
    times = [record.time_ns for record in records if record.event < MEM]
    assert len(times) == len(set(times))


def test_the_records_of_a_pcpu_are_in_order_over_all_polls():
    host = busy_host()
    records = traced(host, SECOND)
    mine = [record.time_ns for record in records if record.pcpu == 0]
    assert mine == sorted(mine)


def test_a_pcpu_that_is_masked_out_has_no_records():
    host = busy_host()
    host.tracer.set_masks(ALL, 0b10)
    host.advance(SECOND)
    assert {record.pcpu for record in host.tracer.read()} == {1}


@pytest.mark.parametrize(
    ("event", "mask", "passes"),
    [
        (SWITCH, SCHED, True),
        (SWITCH, 0x0002A000, True),
        (SWITCH, DOM0OP, False),
        (SWITCH, MEM, True),  # both have bit 1 of the class, as in the original
        (GRANT_MAP, SCHED, True),
        (GRANT_MAP, 0x00080000, False),  # no subclass
        (SWITCH, 0, False),
    ],
)
def test_a_mask_selects_by_class_and_subclass(event, mask, passes):
    assert is_selected(event, mask) is passes


# Sizes and losses.


@pytest.mark.parametrize(("pages", "records"), [(1, 73), (20, 1462)])
def test_a_ring_holds_what_its_pages_hold(pages, records):
    assert ring_records(pages) == records


def test_what_does_not_fit_is_lost_and_told_once_there_is_room():
    _, rings = trace()
    for _ in range(ring_records(1) + 5):
        rings.emit(0, S_TIMER, ())
    first = rings.read()
    rings.emit(0, S_TIMER, ())
    told, then = rings.read()
    assert (len(first), told.event, told.data, then.event) == (73, LOST_RECORDS, (5,), S_TIMER)


def test_a_batch_loses_what_does_not_fit_of_it():
    _, rings = trace()
    rings.emit(0, GRANT_MAP, (3,), 100)
    assert (len(rings.read()), rings.status().lost) == (73, (27, 0))


def test_a_batch_is_spread_over_its_time():
    clock, rings = trace()
    clock.now = 1000
    rings.emit(0, GRANT_MAP, (3,), 4, 600)
    assert [700, 800, 900, 1000] == [record.time_ns for record in rings.read()]


def test_a_batch_does_not_reach_back_behind_what_was_read():
    clock, rings = trace()
    clock.now = 1000
    rings.emit(0, S_TIMER, ())
    rings.read()
    clock.now = 2000
    rings.emit(0, GRANT_MAP, (3,), 2, 0)
    assert [1500, 2000] == [record.time_ns for record in rings.read()]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("emit"), st.integers(0, 1), st.integers(1, 200)),
        st.tuples(st.just("read"), st.just(0), st.just(0)),
        st.tuples(st.just("poll"), st.just(0), st.just(0)),
    ),
    max_size=60,
)


@given(STEPS)
def test_emitted_is_read_lost_or_still_held(steps):
    clock, rings = trace()
    read = told = 0
    for what, pcpu, count in steps:
        clock.now += 10
        if what == "emit":
            rings.emit(pcpu, GRANT_MAP, (1,), count, clock.now - 10)
        elif what == "poll":
            rings._poll(None)
        else:
            records = rings.read()
            read += sum(record.event != LOST_RECORDS for record in records)
            told += sum(record.data[0] for record in records if record.event == LOST_RECORDS)
        status = rings.status()
        for books in zip(status.emitted, status.read, status.lost, status.held, strict=True):
            assert books[0] == sum(books[1:])
    status = rings.status()
    assert (read, told <= sum(status.lost)) == (sum(status.read), True)


def test_a_reader_that_does_not_come_costs_bounded_memory():
    clock, rings = trace(pages=4000)
    for _ in range(10):
        clock.now += 10
        rings.emit(0, GRANT_MAP, (1,), 100_000)
        rings._poll(None)
    assert sum(rings.status().held) <= MAX_TAKEN + ring_records(4000)


def test_ring_pages_are_set_once_per_boot():
    host = make_host()
    host.tracer.set_ring_pages(30)
    with pytest.raises(Refused, match="30 pages already"):
        host.tracer.set_ring_pages(30)


@pytest.mark.parametrize("pages", [0, -1, 10**9])
def test_a_size_that_cannot_be_is_refused(pages):
    with pytest.raises(Refused, match="cannot have"):
        make_host().tracer.set_ring_pages(pages)


def test_rings_are_left_alone_below_the_threshold():
    host = busy_host()
    host.tracer.set_poll(10 * MS, 1_000_000)
    host.tracer.set_masks(ALL, EVERY_PCPU)
    host.advance(4 * SECOND)
    assert sum(host.tracer.status().lost) > 0


# The contents of records.


def test_a_summary_of_the_records_has_the_runstates_of_the_host():
    host = busy_host()
    host.advance(SECOND)
    before = host.telemetry.snapshot()
    records = traced(host, 6 * SECOND)
    after = host.telemetry.snapshot()
    summariser = Summariser(mhz=3200)
    rows = joined([decode(encode(records, 3200))])
    summariser.add(rows.take(rows.tsc.argsort(kind="stable")))
    summary = summariser.finish("", 0)
    for vcpu in summary.vcpus:
        if vcpu.domain == IDLE_DOMAIN:
            continue
        old, new = (one.domains[vcpu.domain].vcpus[vcpu.vcpu] for one in (before, after))
        # Its state before its first record is not known; nothing else may be missing.
        times = [c + o for c, o in zip(vcpu.cycles, vcpu.open_cycles, strict=True)]
        known_ns = [round(summary.seconds(cycles) * SECOND) for cycles in times]
        unknown_ns = 5 * SECOND - sum(known_ns)
        for real_ns, ns in (
            (new.running_ns - old.running_ns, known_ns[0]),
            (new.runnable_ns - old.runnable_ns, known_ns[1]),
            (new.blocked_ns - old.blocked_ns, known_ns[2]),
        ):
            assert -10_000 <= real_ns - ns <= unknown_ns + 10_000


def test_switch_info_says_how_long_the_previous_ran():
    records = [r for r in traced(busy_host(), SECOND) if r.pcpu == 0]
    switches = [r for r in records if r.event == SWITCH]
    ran = [r.data[1] for r in records if r.event == SWITCH_INFPREV]
    between = [later.time_ns - earlier.time_ns for earlier, later in pairwise(switches)]
    assert max(abs(a - b) for a, b in zip(ran[1:], between, strict=True)) < 100


def test_switch_info_allots_a_timeslice():
    records = traced(busy_host(), SECOND)
    allotted = {r.data[2] for r in records if r.event == SWITCH_INFNEXT and r.data[0] != 32767}
    assert allotted == {30 * MS}


def test_each_pcpu_goes_on_with_what_it_was_switched_to():
    records = [r for r in traced(busy_host(), SECOND) if r.event == SWITCH and r.pcpu == 1]
    assert all(a.data[2:] == b.data[:2] for a, b in pairwise(records))


def test_a_sleeper_blocks_and_wakes_in_turn():
    records = traced(make_host(domain("a", burst(3, 4))), SECOND)
    mine = [r.event for r in records if r.event in (WAKE, BLOCK) and r.data[0] == 1]
    assert all(a != b for a, b in pairwise(mine)) and len(mine) > 100


def test_a_pause_is_a_sleep():
    host = busy_host()
    host.tracer.set_masks(ALL, EVERY_PCPU)
    host.advance(100 * MS)
    host.toolstack.domains.pause("a")
    told = [r.data for r in host.tracer.read() if r.event == SLEEP]
    assert told == [(1, 0)]


def test_a_snapshot_reads_no_records():
    host = busy_host()
    host.tracer.set_masks(ALL, EVERY_PCPU)
    host.advance(100 * MS)
    before = host.tracer.status()
    host.telemetry.snapshot()
    assert before == host.tracer.status()
