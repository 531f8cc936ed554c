import os
import subprocess
import sys
from pathlib import Path

import pytest

from xenprof.cli.ophelp import list_events_text, main


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(argv)
    out, err = capsys.readouterr()
    return code, out, err


def test_lists_the_events_in_the_originals_layout() -> None:
    lines = list_events_text("core_2").splitlines()
    assert [
        'oprofile: available events for CPU type "Core 2"',
        "",
        "See Intel Architecture Developer's Manual Volume 3, Appendix A and",
        "Intel Architecture Optimization Reference Manual",
        "",
        "CPU_CLK_UNHALTED: (counter: all)",
        "\tClock cycles when not halted (min count: 6000)",
        "\tUnit masks (default 0x0)",
        "\t----------",
        "\t0x00: Unhalted core cycles",
    ] == lines[:10]


def test_lists_the_counters_of_an_event_that_not_all_can_count() -> None:
    assert "GLOBAL_POWER_EVENTS: (counter: 0, 4)\n" in list_events_text("p4")


def test_no_masks_are_listed_for_a_mandatory_zero() -> None:
    text = list_events_text("hammer")
    assert "\tData cache misses (min count: 500)\nDATA_CACHE_REFILLS" in text


def test_no_line_is_wider_than_a_terminal() -> None:
    lines = list_events_text("core_2").splitlines()
    assert [] == [line for line in lines if len(line.expandtabs(8)) > 80]


@pytest.mark.parametrize(
    ("argv", "out"),
    [
        (["GLOBAL_POWER_EVENTS"], "29\n"),
        (["-u", "ITLB_REFERENCE:100000"], "7\n"),
        (["--unit-mask", "BSQ_CACHE_REFERENCE"], "1855\n"),
        (["-e", "GLOBAL_POWER_EVENTS:100000", "ITLB_REFERENCE:100000"], "0 4 \n"),
        (["GLOBAL_POWER_EVENTS:100000:1:1:1"], "0 \n"),
        (["--get-default-event"], "GLOBAL_POWER_EVENTS:100000:1:1:1\n"),
        (["-r"], "i386/p4\n"),
    ],
)
def test_answers_on_one_line(capsys: pytest.CaptureFixture[str], argv: list[str], out: str) -> None:
    assert (0, out, "") == run(capsys, "--cpu-type=i386/p4", *argv)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["NONE"], 'No such event "NONE"'),
        (["-e", "ITLB_REFERENCE"], "Invalid count for event ITLB_REFERENCE"),
        (["-e"], "ophelp: no event given; see ophelp --help"),
        (["--xyz"], "ophelp: --xyz: unknown option; see ophelp --help"),
        (["--callgraph"], "ophelp: --callgraph: missing argument; see ophelp --help"),
        (["--callgraph=x", "-e", "A:1"], "ophelp: --callgraph: invalid numeric value: x"),
        (["-c", "vax"], "cpu_type 'vax' is not valid"),
        (["-c", "timer"], "no events are known for CPU type 'timer'"),
    ],
)
def test_a_mistake_is_one_line_on_stderr(
    capsys: pytest.CaptureFixture[str], argv: list[str], message: str
) -> None:
    assert (1, "", f"{message}\n") == run(capsys, "-c", "p4", *argv)


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
