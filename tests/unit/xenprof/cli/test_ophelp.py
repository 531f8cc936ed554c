import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from xenprof.cli.eventlist import list_events_text, list_events_xml
from xenprof.cli.ophelp import main
from xenprof.events import events


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(argv)
    out, err = capsys.readouterr()
    return code, out, err


def test_lists_the_events_in_the_originals_layout() -> None:
    lines = list_events_text("core_2").splitlines()
    assert [
        'oprofile: available events for CPU type "Core 2"',
        "",
        "See Intel Architecture Developer's Manual Volume 3B, Appendix A and",
        "Intel Architecture Optimization Reference Manual",
        "",
        "For architectures using unit masks, you may be able to specify",
        "unit masks by name.  See 'operf' or 'ocount' man page for more details.",
        "",
        "CPU_CLK_UNHALTED: (counter: all)",
        "\tClock cycles when not halted (min count: 6000)",
        "\tUnit masks (default 0x0)",
        "\t----------",
        "\t0x00: Unhalted core cycles",
    ] == lines[:13]


def test_lists_the_counters_of_an_event_that_not_all_can_count() -> None:
    assert "GLOBAL_POWER_EVENTS: (counter: 0, 4)\n" in list_events_text("p4")


def test_no_masks_are_listed_for_a_mandatory_zero() -> None:
    text = list_events_text("hammer")
    assert "\tData cache misses (min count: 500)\nDATA_CACHE_REFILLS" in text


@pytest.mark.parametrize("cpu", ["p4", "p4-ht", "core_2", "hammer"])
def test_words_end_before_column_100(cpu: str) -> None:
    lines = list_events_text(cpu).splitlines()
    assert [] == [line for line in lines if len(line.rstrip().expandtabs(8)) > 99]


@pytest.mark.parametrize("cpu", ["p4", "p4-ht", "core_2", "hammer"])
def test_the_xml_says_the_same_of_each_event_as_the_table(cpu: str) -> None:
    def row(event: ElementTree.Element) -> tuple[object, ...]:
        masks = event.find("unit_masks")
        return (
            event.get("event_name"), event.get("desc"), int(event.get("counter_mask", "0")),
            int(event.get("min_count", "0")),
            () if masks is None else (
                int(masks.get("default", "-1")), masks.get("category"),
                [(int(mask.get("mask", "-1")), mask.get("desc")) for mask in masks],
            ),
        )  # fmt: skip

    top = ElementTree.fromstring(list_events_xml(cpu))
    expected = [
        (
            event.name, event.description, sum(1 << i for i in event.counters), event.min_count,
            () if (event.mask_kind, event.default_mask) == ("mandatory", 0) else (
                event.default_mask, event.mask_kind, [(m.value, m.text) for m in event.masks]
            ),
        )
        for event in events(cpu).values()
    ]  # fmt: skip
    assert expected == [row(event) for event in top.iter("event")]


@pytest.mark.parametrize(
    ("argv", "out"),
    [
        (["GLOBAL_POWER_EVENTS"], "29\n"),
        (["-u", "ITLB_REFERENCE:100000"], "7\n"),
        (["-u", "ITLB_REFERENCE:1:2"], "2\n"),
        (["--unit-mask", "--ignore-count", "BSQ_CACHE_REFERENCE"], "1855\n"),
        (["-iu", "ITLB_REFERENCE:4"], "4\n"),
        (["--extra-mask", "ITLB_REFERENCE:100000"], "0\n"),
        (["-e", "GLOBAL_POWER_EVENTS:100000", "ITLB_REFERENCE:100000"], "0 4 \n"),
        (["-e", "-i", "ITLB_REFERENCE:1", "GLOBAL_POWER_EVENTS"], "0 4 \n"),
        (["-e", "GLOBAL_POWER_EVENTS:100000:1:1:1"], "0 \n"),
        (["-e", "--callgraph=2", "GLOBAL_POWER_EVENTS:45000"], "0 \n"),
        (["--get-default-event"], "GLOBAL_POWER_EVENTS:100000:1:1:1\n"),
        (["-r"], "P4 / Xeon\n"),
        (["-c", "7", "-r"], "P4 / Xeon with 2 hyper-threads\n"),
        (["-c", "i386/core_2", "-u", "LOAD_BLOCK:500:STA"], "STA\n"),
        (["-c", "i386/core_2", "-E", "LOAD_BLOCK:500:STA"], "2\n"),
        (["-e", "MEMORY_COMPLETE:3000:8"], "2 \n"),
        (["-e", "GLOBAL_POWER_EVENTS:100000:"], "0 \n"),
        (["-c", "timer"], "Using timer interrupt.\n"),
        (["-c", "timer", "-e", "X:1"], ""),
        (["-c", "timer", "-d"], ""),
    ],
)
def test_answers_on_one_line(capsys: pytest.CaptureFixture[str], argv: list[str], out: str) -> None:
    assert (0, out, "") == run(capsys, "--cpu-type=i386/p4", *argv)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["NONE"], 'No such event "NONE"'),
        (["GLOBAL_POWER_EVENTS", "ITLB_REFERENCE"], "Too many arguments."),
        (["-e", "ITLB_REFERENCE"], "Invalid count for event ITLB_REFERENCE"),
        (["-e", "NONE:100000"], "Cannot find event NONE"),
        (["-u", "NONE:100000"], "Cannot find event NONE"),
        (["-e", ""], "Invalid event "),
        (["-e", "ITLB_REFERENCE:1:8"], "Invalid unit mask 8 for event ITLB_REFERENCE"),
        (["-e", "NONE:99999999999"], "Cannot find event NONE"),
        (
            ["-e", "ITLB_REFERENCE:99999999999"],
            "Count 99999999999 for event ITLB_REFERENCE is above the maximum 4294967295",
        ),
        (["-e", "ITLB_REFERENCE:1x"], "Invalid event part 1x"),
        (["-e", "ITLB_REFERENCE:1"], "Count 1 for event ITLB_REFERENCE is below the minimum 3000"),
        (
            ["-e", "--callgraph=1", "ITLB_REFERENCE:3000"],
            "Count 3000 for event ITLB_REFERENCE is below the minimum 45000",
        ),
        (
            ["-e", "GLOBAL_POWER_EVENTS:3000:0"],
            "Invalid unit mask 0x0 for event GLOBAL_POWER_EVENTS",
        ),
        (["-e", *["ITLB_REFERENCE:3000"] * 2], "All events must be distinct."),
        (
            ["-e", "ITLB_REFERENCE:9000", "PAGE_WALK_TYPE:9000", "GLOBAL_POWER_EVENTS:9000"],
            "Couldn't allocate hardware counters for the selected events.",
        ),
        (["-u", "ITLB_REFERENCE"], "Invalid count for event ITLB_REFERENCE"),
        (["-iu", "ITLB_REFERENCE", "NONE"], "More than one event specified."),
        (["-e"], "No events given."),
        (["-u"], "No events given."),
        (
            ["-c", "vax"],
            "cpu_type 'vax' is not valid\n"
            "you should upgrade oprofile or force the use of timer mode",
        ),
        (
            ["-c", "1000"],
            "cpu_type '1000' is not valid\n"
            "you should upgrade oprofile or force the use of timer mode",
        ),
    ],
)
def test_a_mistake_is_told_on_stderr(
    capsys: pytest.CaptureFixture[str], argv: list[str], message: str
) -> None:
    assert (1, "", f"{message}\n") == run(capsys, "-c", "p4", *argv)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--xyz"], "ophelp: --xyz: unknown option"),
        (["--callgraph"], "ophelp: --callgraph: missing argument"),
        (["--callgraph=x"], "ophelp: --callgraph: invalid numeric value"),
    ],
)
def test_a_wrong_option_is_answered_with_the_help_text(
    capsys: pytest.CaptureFixture[str], argv: list[str], message: str
) -> None:
    code, out, err = run(capsys, *argv)
    _, help_text, _ = run(capsys, "--help")
    assert (1, "", f"{message}\n{help_text}") == (code, out, err)


def test_without_a_service_it_says_how_to_go_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XENPROF_HOME", str(tmp_path))
    code, out, err = run(capsys)
    assert (1, "", 1) == (code, out, err.count("\n"))
    assert err.endswith("or name a CPU type: --cpu-type=TYPE\n")


def test_starts_without_heavy_libraries() -> None:
    code = (
        "import sys; from xenprof.cli.ophelp import main; main(['-c', 'p4']);"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
    )
    heavy = {"numpy", "pydantic", "starlette", "click", "rich", "elftools"}
    assert set() == heavy & set(done.stderr.split())
