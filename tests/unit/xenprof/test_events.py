import pytest

from tests.support.event_tables import ALL_EVENTS
from xenprof import events
from xenprof.events import EventError, EventSetting


@pytest.mark.parametrize(
    ("cpu", "count"), [("p4", 36), ("p4-ht", 20), ("core_2", 125), ("hammer", 87), ("ppro", 0)]
)
def test_every_table_is_whole(cpu: str, count: int) -> None:
    assert count == len(events.events(cpu))


def test_every_default_mask_is_valid() -> None:
    bad = [(cpu, e.name) for cpu, e in ALL_EVENTS if not e.allows(e.default_mask)]
    assert [] == bad


def test_every_event_can_be_counted_by_a_counter_that_exists() -> None:
    bad = [
        (cpu, e.name)
        for cpu, e in ALL_EVENTS
        if not e.counters or max(e.counters) >= events.cpu_type(cpu).counters
    ]
    assert [] == bad


def test_every_event_and_mask_is_described() -> None:
    texts = [
        (e.name, text) for _, e in ALL_EVENTS for text in (e.description, *map(_text, e.masks))
    ]
    assert [] == [(name, text) for name, text in texts if not text or text != text.strip()]


def _text(mask: events.UnitMask) -> str:
    return mask.text


@pytest.mark.parametrize(
    ("cpu", "text"),
    [
        ("p4", "GLOBAL_POWER_EVENTS:100000:1:1:1"),
        ("p4-ht", "GLOBAL_POWER_EVENTS:100000:1:1:1"),
        ("core_2", "CPU_CLK_UNHALTED:100000:0:1:1"),
        ("hammer", "CPU_CLK_UNHALTED:100000:0:1:1"),
    ],
)
def test_the_default_event_counts_cycles(cpu: str, text: str) -> None:
    assert text == events.default_event(cpu).text


def test_the_timer_has_no_default_event() -> None:
    with pytest.raises(EventError, match="no default event"):
        events.default_event("timer")


@pytest.mark.parametrize(
    ("mask", "is_valid"), [(0x40, True), (0xC0, True), (0x4F, True), (0x80, False), (0, False)]
)
def test_a_bitmask_is_an_or_of_listed_values(mask: int, is_valid: bool) -> None:
    assert is_valid == events.events("core_2")["L2_IFETCH"].allows(mask)


@pytest.mark.parametrize(
    ("cpu", "name", "masks"),
    [
        ("p4-ht", "MACHINE_CLEAR", [0x1, 0x4, 0x40]),
        ("p4", "MEMORY_COMPLETE", [0x1, 0x2, 0x4, 0x8]),
        ("core_2", "BUS_TRAN_ANY", [0xC0, 0x40, 0x0, 0x20]),
        ("core_2", "EXT_SNOOP", [0x0, 0x20, 0x8, 0x2, 0x1]),
        ("hammer", "DATA_CACHE_LINES_EVICTED", [0x1, 0x2, 0x4, 0x8, 0x10, 0x1F]),
        ("hammer", "THERMAL_STATUS_AND_DRAM_ECC_ERRORS", [0x1, 0x2, 0x4, 0x8, 0x80]),
    ],
)
def test_masks_are_those_that_ophelp_lists(cpu: str, name: str, masks: list[int]) -> None:
    assert masks == [mask.value for mask in events.events(cpu)[name].masks]


def test_requests_of_hammers_processors_and_devices_have_combined_masks() -> None:
    masks = [mask.value for mask in events.events("hammer")["CPU_IO_REQUESTS_TO_MEMORY_IO"].masks]
    assert [0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA8, 0xAA, 0xAC, 0xAF] == masks[:9]
    assert [0xBC, 0xBF, 0x61, 0x64, 0x65] == masks[-5:]


def test_the_names_of_core_2s_masks_are_those_that_ophelp_lists() -> None:
    names = {
        event.name: [mask.name for mask in event.masks]
        for event in events.events("core_2").values()
        if any(mask.name for mask in event.masks)
    }
    assert {
        "LOAD_BLOCK": ["STA", "STD", "OVERLAP_STORE", "UNTIL_RETIRE", "L1D"],
        "STORE_BLOCK": ["SB_DRAIN_CYCLES", "ORDER", "NOOP"],
        "DTLB_MISSES": ["ANY", "MISS_LD", "L0_MISS_LD", "MISS_ST"],
        "MEMORY_DISAMBIGUATION": ["RESET", "SUCCESS"],
        "PAGE_WALKS": ["COUNT", "CYCLES"],
        "DELAYED_BYPASS": ["FP", "SIMD", "LOAD"],
        "INST_RETIRED": ["Any", "Loads", "Stores", "Other"],
        "SEG_RENAME_STALLS": ["ES", "DS", "FS", "GS"],
        "SEG_RENAMES": ["ES", "DS", "FS", "GS"],
    } == names


@pytest.mark.parametrize(("mask", "is_valid"), [(0, True), (2, True), (3, False)])
def test_an_exclusive_mask_is_one_listed_value(mask: int, is_valid: bool) -> None:
    assert is_valid == events.events("core_2")["CPU_CLK_UNHALTED"].allows(mask)


@pytest.mark.parametrize(
    ("cpu", "names", "counters"),
    [
        ("p4", ["GLOBAL_POWER_EVENTS", "ITLB_REFERENCE"], (0, 4)),
        ("p4", ["IOQ_ACTIVE_ENTRIES", "GLOBAL_POWER_EVENTS", "BRANCH_RETIRED"], (4, 0, 3)),
        ("p4", ["GLOBAL_POWER_EVENTS", "IOQ_ALLOCATION"], (4, 0)),
        ("core_2", ["CPU_CLK_UNHALTED", "INST_RETIRED_ANY_P"], (0, 1)),
        ("core_2", ["CPU_CLK_UNHALTED", "MEM_LOAD_RETIRED"], (1, 0)),
    ],
)
def test_events_take_the_lowest_counters_that_leave_room_for_all(
    cpu: str, names: list[str], counters: tuple[int, ...]
) -> None:
    settings = [EventSetting(name, 100_000, 0) for name in names]
    assert counters == events.assign_counters(cpu, settings)


def test_three_events_for_two_counters_cannot_be_allocated() -> None:
    names = ("GLOBAL_POWER_EVENTS", "ITLB_REFERENCE", "PAGE_WALK_TYPE")
    with pytest.raises(EventError, match="Couldn't allocate hardware counters"):
        events.assign_counters("p4", [EventSetting(name, 6000, 1) for name in names])


def test_more_events_than_counters_are_refused() -> None:
    settings = [EventSetting("CPU_CLK_UNHALTED", 6000, 0)] * 3
    with pytest.raises(EventError, match=r"Need 3 counters but only has 2\.$"):
        events.assign_counters("core_2", settings)


@pytest.mark.parametrize(
    ("cpu", "name", "mask", "text"),
    [
        ("core_2", "CPU_CLK_UNHALTED", 0, "Unhalted core cycles"),
        ("core_2", "DTLB_MISSES", 0xF, "multiple flags"),
        ("p4", "GLOBAL_POWER_EVENTS", 1, "mandatory"),
        ("p4", "BSQ_CACHE_REFERENCE", 0x100, "read 2nd level cache miss"),
        ("hammer", "DATA_CACHE_MISSES", 0, "No unit mask"),
    ],
)
def test_a_mask_is_described_by_its_exact_value(cpu: str, name: str, mask: int, text: str) -> None:
    assert text == events.mask_text(events.events(cpu)[name], mask)


@pytest.mark.parametrize(
    ("number", "mask", "name"),
    [
        (0x2E, 0x41, "LLC_MISSES"),
        (0x2E, 0x4F, "LLC_REFS"),
        (0x2E, 0x7F, "L2_RQSTS"),
        (0x3C, 0, "CPU_CLK_UNHALTED"),
    ],
)
def test_events_that_share_a_number_are_told_apart_by_the_mask(
    number: int, mask: int, name: str
) -> None:
    event = events.event_by_number("core_2", number, mask)
    assert event is not None
    assert name == event.name


@pytest.mark.parametrize(
    ("cpu", "number", "text"),
    [
        ("ppro", 0x79, "clocks processor is not halted"),
        ("athlon", 0x76, "Cycles outside of halt state"),
        ("nehalem", 0x3C, "Clock cycles when not halted"),
    ],
)
def test_cycles_are_known_of_cpu_types_without_a_table(cpu: str, number: int, text: str) -> None:
    event = events.event_by_number(cpu, number)
    assert event is not None
    assert ("CPU_CLK_UNHALTED", text) == (event.name, event.description)


def test_an_unknown_number_has_no_event() -> None:
    assert events.event_by_number("core_2", 0xFFF) is None
