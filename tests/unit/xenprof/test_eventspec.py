import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.event_tables import ALL_EVENTS
from xenprof import events
from xenprof.events import EventError, EventSetting
from xenprof.eventspec import parse_setting


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("ITLB_REFERENCE:6000", EventSetting("ITLB_REFERENCE", 6000, 7)),
        ("ITLB_REFERENCE:0x2000:2", EventSetting("ITLB_REFERENCE", 0x2000, 2)),
        ("ITLB_REFERENCE:020000:0x6:0", EventSetting("ITLB_REFERENCE", 8192, 6, kernel=False)),
        ("ITLB_REFERENCE:6000:7:1:0", EventSetting("ITLB_REFERENCE", 6000, 7, user=False)),
        ("ITLB_REFERENCE:6000:", EventSetting("ITLB_REFERENCE", 6000, 7)),
        ("ITLB_REFERENCE:6000::0", EventSetting("ITLB_REFERENCE", 6000, 7, kernel=False)),
    ],
)
def test_a_specification_is_resolved_and_empty_parts_are_left_out(
    text: str, setting: EventSetting
) -> None:
    assert setting == parse_setting("p4-ht", text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ITLB_REFERENCE", "Invalid count for event ITLB_REFERENCE"),
        ("ITLB_REFERENCE:", "Invalid count for event ITLB_REFERENCE:"),
        ("ITLB_REFERENCE:many", "Invalid event part many"),
        ("ITLB_REFERENCE::7", "Invalid count for event ITLB_REFERENCE::7"),
        ("ITLB_REFERENCE:6000:one", "Cannot find unit mask one for ITLB_REFERENCE"),
        ("ITLB_REFERENCE:6000:7:1:1:1", "Invalid event part 1"),
        ("ITLB_REFERENCE:-1", "Count -1 for event ITLB_REFERENCE is below the minimum 6000"),
        (
            "ITLB_REFERENCE:4294967296",
            "Count 4294967296 for event ITLB_REFERENCE is above the maximum 4294967295",
        ),
        ("CPU_CLK:many", 'No such event "CPU_CLK"'),
        ("ITLB_REFERENCE:1:9", "Invalid unit mask 0x9 for event ITLB_REFERENCE"),
        ("CPU_CLK:6000", 'No such event "CPU_CLK"'),
        ("ITLB_REFERENCE:5999", "Count 5999 for event ITLB_REFERENCE is below the minimum 6000"),
        ("GLOBAL_POWER_EVENTS:6000:0", "Invalid unit mask 0x0 for event GLOBAL_POWER_EVENTS"),
        ("ITLB_REFERENCE:6000:8", "Invalid unit mask 8 for event ITLB_REFERENCE"),
        ("ITLB_REFERENCE:6000:0", "Invalid unit mask 0x0 for event ITLB_REFERENCE"),
    ],
)
def test_a_bad_specification_is_refused_with_ophelps_message(text: str, message: str) -> None:
    with pytest.raises(EventError) as caught:
        parse_setting("p4-ht", text)
    assert message == str(caught.value)


def test_a_unit_mask_may_be_given_by_its_name() -> None:
    assert EventSetting("LOAD_BLOCK", 500, 4) == parse_setting("core_2", "LOAD_BLOCK:500:STD")


def test_call_graphs_need_counts_fifteen_times_larger() -> None:
    with pytest.raises(EventError, match="below the minimum 90000"):
        parse_setting("p4-ht", "ITLB_REFERENCE:89999", callgraph=True)


@given(st.sampled_from(ALL_EVENTS), st.integers(0, 2**16), st.booleans(), st.booleans())
def test_the_text_of_a_setting_parses_to_the_same_setting(
    of: tuple[str, events.Event], extra: int, kernel: bool, user: bool
) -> None:
    cpu, event = of
    setting = EventSetting(event.name, event.min_count + extra, event.default_mask, kernel, user)
    assert setting == parse_setting(cpu, setting.text)


@given(st.text(max_size=30))
def test_any_text_is_a_setting_or_an_event_error(text: str) -> None:
    for specification in (text, f"ITLB_REFERENCE:{text}"):
        try:
            setting = parse_setting("p4", specification)
        except EventError:
            continue
        assert setting.name in events.events("p4")


@pytest.mark.parametrize(
    ("cpu", "old", "name"),
    [
        ("hammer", "RETIRED_INSNS", "RETIRED_INSTRUCTIONS"),
        ("hammer", "L1_AND_L2_DTLB_MISSES", "L1_DTLB_AND_L2_DTLB_MISS"),
        ("core_2", "INST_RETIRED.ANY_P", "INST_RETIRED_ANY_P"),
    ],
)
def test_names_of_old_versions_mean_the_present_event(cpu: str, old: str, name: str) -> None:
    assert name == parse_setting(cpu, f"{old}:100000").name
