import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenprof import events
from xenprof.events import EventError, EventSetting

TABLES = ["i386/p4", "i386/p4-ht", "i386/core_2", "x86-64/hammer"]
ALL_EVENTS = [(cpu, event) for cpu in TABLES for event in events.events(cpu).values()]


@pytest.mark.parametrize(
    ("cpu", "count"), [("p4", 36), ("p4-ht", 20), ("core_2", 125), ("hammer", 87), ("ppro", 0)]
)
def test_every_table_is_whole(cpu: str, count: int) -> None:
    assert count == len(events.events(cpu))


@pytest.mark.parametrize(
    ("name", "number", "old_number"),
    [
        ("i386/piii", 2, 2),
        ("i386/p4", 5, 6),
        ("x86-64/hammer", 6, 10),
        ("i386/p4-ht", 7, 11),
        ("i386/core_2", 32, 40),
    ],
)
def test_files_number_the_cpu_types_by_their_version(
    name: str, number: int, old_number: int
) -> None:
    assert (number, old_number, old_number) == (
        events.cpu_number(name, 0x13),
        events.cpu_number(name, 0x12),
        events.cpu_number(name, 0x10),
    )


def test_a_number_leads_back_to_its_cpu_type() -> None:
    for version in (0x12, 0x13):
        for cpu in events.CPU_TYPES:
            number = cpu.number if version == 0x13 else cpu.old_number
            if number is not None:
                assert cpu == events.cpu_type_by_number(number, version)


def test_scenario_names_name_the_same_cpu_type() -> None:
    assert events.cpu_type("i386/p4-ht") == events.cpu_type("p4-ht")


def test_an_unknown_cpu_type_is_refused() -> None:
    with pytest.raises(EventError, match="cpu_type 'i386/p5' is not valid"):
        events.cpu_type("i386/p5")


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
    ("text", "setting"),
    [
        ("ITLB_REFERENCE:6000", EventSetting("ITLB_REFERENCE", 6000, 7)),
        ("ITLB_REFERENCE:0x2000:2", EventSetting("ITLB_REFERENCE", 0x2000, 2)),
        ("ITLB_REFERENCE:020000:0x6:0", EventSetting("ITLB_REFERENCE", 8192, 6, kernel=False)),
        ("ITLB_REFERENCE:6000:7:1:0", EventSetting("ITLB_REFERENCE", 6000, 7, user=False)),
    ],
)
def test_a_specification_is_resolved(text: str, setting: EventSetting) -> None:
    assert setting == events.parse_setting("p4-ht", text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ITLB_REFERENCE", "Invalid count for event ITLB_REFERENCE"),
        ("ITLB_REFERENCE:", "Invalid count for event ITLB_REFERENCE:"),
        ("ITLB_REFERENCE:many", "Invalid event part many"),
        ("ITLB_REFERENCE:6000:", "Invalid event part "),
        ("ITLB_REFERENCE:6000:7:1:1:1", "Invalid event part 1"),
        ("ITLB_REFERENCE:-1", "Invalid event part -1"),
        ("ITLB_REFERENCE:4294967296", "Invalid event part 4294967296"),
        ("CPU_CLK:6000", 'No such event "CPU_CLK"'),
        ("ITLB_REFERENCE:5999", "Count 5999 for event ITLB_REFERENCE is below the minimum 6000"),
        ("GLOBAL_POWER_EVENTS:6000:0", "Invalid unit mask 0x0 for event GLOBAL_POWER_EVENTS"),
        ("ITLB_REFERENCE:6000:8", "Invalid unit mask 0x8 for event ITLB_REFERENCE"),
        ("ITLB_REFERENCE:6000:0", "Invalid unit mask 0x0 for event ITLB_REFERENCE"),
    ],
)
def test_a_bad_specification_is_refused_with_ophelps_message(text: str, message: str) -> None:
    with pytest.raises(EventError) as caught:
        events.parse_setting("p4-ht", text)
    assert message == str(caught.value)


def test_call_graphs_need_counts_fifteen_times_larger() -> None:
    with pytest.raises(EventError, match="below the minimum 90000"):
        events.parse_setting("p4-ht", "ITLB_REFERENCE:89999", callgraph=True)


@given(st.sampled_from(ALL_EVENTS), st.integers(0, 2**16), st.booleans(), st.booleans())
def test_the_text_of_a_setting_parses_to_the_same_setting(
    of: tuple[str, events.Event], extra: int, kernel: bool, user: bool
) -> None:
    cpu, event = of
    setting = EventSetting(event.name, event.min_count + extra, event.default_mask, kernel, user)
    assert setting == events.parse_setting(cpu, setting.text)


@given(st.text(max_size=30))
def test_any_text_is_a_setting_or_an_event_error(text: str) -> None:
    for specification in (text, f"ITLB_REFERENCE:{text}"):
        try:
            setting = events.parse_setting("p4", specification)
        except EventError:
            continue
        assert setting.name in events.events("p4")


@pytest.mark.parametrize(
    ("mask", "is_valid"), [(0x40, True), (0xC0, True), (0x4F, True), (0x80, False), (0, False)]
)
def test_a_bitmask_is_an_or_of_listed_values(mask: int, is_valid: bool) -> None:
    assert is_valid == events.events("core_2")["L2_IFETCH"].allows(mask)


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


def test_an_unknown_number_has_no_event() -> None:
    assert events.event_by_number("core_2", 0xFFF) is None


@pytest.mark.parametrize(
    ("cpu", "old", "name"),
    [
        ("hammer", "RETIRED_INSNS", "RETIRED_INSTRUCTIONS"),
        ("hammer", "L1_AND_L2_DTLB_MISSES", "L1_DTLB_AND_L2_DTLB_MISS"),
        ("core_2", "INST_RETIRED.ANY_P", "INST_RETIRED_ANY_P"),
    ],
)
def test_names_of_old_versions_mean_the_present_event(cpu: str, old: str, name: str) -> None:
    assert name == events.parse_setting(cpu, f"{old}:100000").name
