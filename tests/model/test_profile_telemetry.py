"""What a snapshot tells of profiles: the session, and the events that samples stand for."""

import pytest

from hypervisor.model.codebook.events import MEASURES, event_kind
from hypervisor.telemetry import HostSnapshot
from tests.support.measured import measured
from tests.support.model.hosts import MS, cpu, domain, make_host
from tests.support.model.profiling import CYCLES, INSTRUCTIONS, begin, count_now, set_counter

MISSES = (0x0C, 0x100)  # BSQ_CACHE_REFERENCE: reads that miss the second level


def host_with(*counters: tuple[str, tuple[int, int], int]):
    """Return a host whose counters count these events: names, numbers and masks, counts."""
    host = make_host(domain("x", cpu(), memory_mib=64))
    program(host, *counters)
    return host


def program(host, *counters):
    for index, (name, event, count) in enumerate(counters):
        set_counter(host, index, event=event, count=count)
        host.profiler.oprofile("0").write(f"{index}/name", name)


def sampled(host):
    begin(host, (0, 1))
    host.advance(host.now_ns + 300 * MS)
    count_now(host)
    snapshot: HostSnapshot = host.telemetry.snapshot()
    host.profiler.oprofile("0").write("enable", "0")
    for domid in (1, 0):
        host.profiler.oprofile(str(domid)).close_buffer()
    return snapshot


def of(snapshot, event):
    return [row for row in snapshot.samples if row.event == event and row.domain == "x"]


def test_samples_stand_for_as_many_events_as_the_count():
    rows = of(sampled(host_with(("GLOBAL_POWER_EVENTS", CYCLES, 100_000))), "GLOBAL_POWER_EVENTS")
    assert [row.samples * 100_000 for row in rows] == [row.counted for row in rows] != []


def test_each_session_counts_with_its_own_count():
    host = host_with(("GLOBAL_POWER_EVENTS", CYCLES, 100_000))
    first = of(sampled(host), "GLOBAL_POWER_EVENTS")[0]
    program(host, ("GLOBAL_POWER_EVENTS", CYCLES, 200_000))
    second = of(sampled(host), "GLOBAL_POWER_EVENTS")[0]
    more = second.samples - first.samples
    assert first.counted + 200_000 * more == second.counted


def test_samples_keep_their_event_when_another_is_counted_later():
    host = host_with(("GLOBAL_POWER_EVENTS", CYCLES, 100_000))
    before = of(sampled(host), "GLOBAL_POWER_EVENTS")
    program(host, ("INSTR_RETIRED", INSTRUCTIONS, 100_000))
    assert before == of(sampled(host), "GLOBAL_POWER_EVENTS")


@pytest.mark.parametrize(
    ("event", "measures"),
    [(CYCLES, "cycles"), (INSTRUCTIONS, "instructions"), (MISSES, "cache_misses")],
)
def test_an_event_says_what_it_measures(event, measures):
    rows = of(sampled(host_with(("E", event, 10_000))), "E")
    assert {measures} == {row.measures for row in rows}


@pytest.mark.parametrize(
    ("cpu_type", "number", "mask", "measures"),
    [
        ("p4-ht", 0x1D, 1, "cycles"),
        ("p4-ht", 0x23, 1, "instructions"),
        ("p4-ht", 0x0C, 0x100, "cache_misses"),
        ("core_2", 0x3C, 0, "cycles"),
        ("core_2", 0xC0, 0, "instructions"),
        ("core_2", 0x2E, 0x41, "cache_misses"),
        ("hammer", 0x76, 0, "cycles"),
        ("hammer", 0xC0, 0, "instructions"),
        ("hammer", 0x7E, 7, "cache_misses"),
    ],
)
def test_every_processor_has_events_of_each_measure(cpu_type, number, mask, measures):
    kind = event_kind(cpu_type, number, mask)
    assert kind is not None
    assert measures == MEASURES[kind]


def test_an_event_that_measures_something_else_says_nothing():
    rows = of(sampled(host_with(("BRANCH_RETIRED", (0x01, 0xF), 10_000))), "BRANCH_RETIRED")
    assert {None} == {row.measures for row in rows}


def test_one_event_with_masks_that_measure_different_things_measures_neither():
    counters = ("BSQ_CACHE_REFERENCE", MISSES, 10_000), ("BSQ_CACHE_REFERENCE", (0x0C, 7), 10_000)
    rows = of(sampled(host_with(*counters)), "BSQ_CACHE_REFERENCE")
    assert {None} == {row.measures for row in rows}


def test_a_session_is_told_while_it_counts():
    session = sampled(host_with(("GLOBAL_POWER_EVENTS", CYCLES, 100_000))).profiling
    assert session is not None
    assert (("GLOBAL_POWER_EVENTS:100000:1:1:1",), (0, 1), ()) == (
        session.events, session.active_domains, session.passive_domains,
    )  # fmt: skip


def test_no_session_is_told_when_nothing_counts():
    host = host_with(("GLOBAL_POWER_EVENTS", CYCLES, 100_000))
    sampled(host)
    assert host.telemetry.snapshot().profiling is None


def test_each_session_has_a_trace_id_of_its_own():
    host = host_with(("GLOBAL_POWER_EVENTS", CYCLES, 100_000))
    ids = {measured(sampled(host).profiling).trace_id for _ in range(2)}
    assert [32, 32] == [len(each) for each in ids]


def test_a_session_says_when_it_has_begun():
    host = host_with(("GLOBAL_POWER_EVENTS", CYCLES, 100_000))
    host.advance(70 * MS)
    assert 70 * MS == measured(sampled(host).profiling).began_ns
