"""`xenprof import perf`: what versions and `-F` make of perf script's text."""

import pytest

from tests.support.importing import imported, profile, refused
from xenprof.imports.perf import read
from xenprof.imports.recording import Recording
from xenprof.report.formats import load
from xenprof.report.formats.request import Request

FRAMES = "\n\t          401020 tick+0x20 (/opt/x)\n\t          402040 main+0x40 (/opt/x)\n\n"


def recording(text: str) -> Recording:
    return read(text.encode(), "perf.txt", domain="d")


def stacks(text: str) -> list[tuple[str, ...]]:
    """Return the stacks, the outermost caller first, by symbol, or by image without one."""
    found = recording(text)
    names = [step.symbol or step.image for step in found.steps]
    return [tuple(names[step] for step in stack) for stack in found.stacks]


@pytest.mark.parametrize(
    ("header", "task", "event", "period"),
    [
        ("java 4000 cycles: ", ("java", 4000, 4000, None), "cycles", 0),
        ("java  4000/4001  [002]   12.500000:     250000 cycles:ppp: ", ("java", 4000, 4001, 2), "cycles:ppp", 250000),
        ("java 4000/4001 [002] 90.000000: ", ("java", 4000, 4001, 2), "samples", 0),
        ("java 4000 90.000001:", ("java", 4000, 4000, None), "samples", 0),
        ("java 4000 90.000001:     250000 ", ("java", 4000, 4000, None), "samples", 250000),
        ("java 4000 [002] ", ("java", 4000, 4000, 2), "samples", 0),
        ("java 4000 [002]  99 cycles: ", ("java", 4000, 4000, 2), "cycles", 99),
        ("java 4000 [002] d..1 90.000001: cycles: ", ("java", 4000, 4000, 2), "cycles", 0),
        ("java 4000 [002] d.h1. U  90.000001: cycles: ", ("java", 4000, 4000, 2), "cycles", 0),
        ("java 4000 U   90.000001: cycles: ", ("java", 4000, 4000, None), "cycles", 0),
        ("java 4000 [002] 2024-01-02 10:00:00.123456    90.000001: cycles: ", ("java", 4000, 4000, 2), "cycles", 0),
        ("VM:  900 VCPU:001 java 4000/4001 [002] 90.1: cycles: ", ("java", 4000, 4001, 2), "cycles", 0),
        ("java [002] 90.1: cycles: ", ("java", None, None, 2), "cycles", 0),
        (" 4000/4001 [002] 90.1: cycles: ", ("", 4000, 4001, 2), "cycles", 0),
        ("90.123456789: cycles: ", ("", None, None, None), "cycles", 0),
        ("GC Thread#0 7 4000 [002] 90.1: cycles: ", ("GC Thread#0 7", 4000, 4000, 2), "cycles", 0),
        ("java-4000 [002] 90.1: cycles: ", ("java", 4000, 4000, 2), "cycles", 0),
        ("Web Content-4000 [002] d..1 90.1: cycles: ", ("Web Content", 4000, 4000, 2), "cycles", 0),
        ("<idle>-0 [002] 90.1: cycles: ", ("<idle>", 0, 0, 2), "cycles", 0),
        (":-1    -1 [000] 5.1: 100 cycles: ", (":-1", 0, 0, 0), "cycles", 100),
        ("java 4000 90.1: 1 cpu_core/cycles/P: ", ("java", 4000, 4000, None), "cpu_core/cycles/P", 1),
        ("java 4000 90.1: 1 raw 0x1a8: ", ("java", 4000, 4000, None), "raw 0x1a8", 1),
        ("java 4000 90.1: sched:sched_switch: prev_comm=a ==> next_comm=b (x)", ("java", 4000, 4000, None), "sched:sched_switch", 0),
        ("java 4000 90.1: 1 page-faults:     7ffe1000 [unknown] (/opt/lib.so)", ("java", 4000, 4000, None), "page-faults", 1),
        ("java 4000 90.1: 1 cpu/mem-stores/P:   7f8812345678  5080184 |OP STORE|LVL L1 hit|LCK No", ("java", 4000, 4000, None), "cpu/mem-stores/P", 1),
        ("java  4000 ", ("java", 4000, 4000, None), "samples", 0),
        ("Web Content  4000/4001 ", ("Web Content", 4000, 4001, None), "samples", 0),
        ("java ", ("java", None, None, None), "samples", 0),
        ("", ("", None, None, None), "samples", 0),
    ],
)  # fmt: skip
def test_a_header_of_any_fields_is_read(header, task, event, period):
    found = recording(header + FRAMES)

    assert (task, (event,), period) == (tuple(found.tasks[0]), found.names, found.types[0].period)
    assert [("main", "tick")] == stacks(header + FRAMES)


@pytest.mark.parametrize(
    "rest",
    [
        "cycles:           401020 tick+0x20 (/opt/x)",
        "     250000 cycles:           401020 tick (/opt/x)",
        "          401020 tick+0x20 (/opt/x)",
        "     250000           401020 tick+0x20 (/opt/x)",
        "1 branches:u:      401020 tick+0x10 (/opt/x) =>      7f2000 b+0x0 (/opt/y)",
        "1 branches:uH:   tr end  syscall      401020 tick+0x10 (/opt/x) =>      0 [unknown] ([unknown])",
        "1 branches:   call                   401020 tick =>  7f2000 b",
        "1 instructions:u:   jmp  401020 tick+0x10 (/opt/x)",
        "1 cpu/mem-loads,ldlat=30/P:   7f8812345678  5080184 |OP LOAD|LVL L1 hit|SNP None|TLB L1 or L2 hit|LCK No     401020 tick+0x1 (/opt/x)",
        "1 cpu/mem-loads/P:  ffff8812345678  68100242 |OP LOAD|LVL LFB hit|SNP None|TLB L1 or L2 hit|LCK No|BLK  N/A      43      401020 tick (/opt/x)",
        "1 mem:  ffff8812345678 |OP LOAD|LVL N/A|LCK No 401020 tick (/opt/x)",
        "1 page-faults:u:       7ffe1000 [unknown] (/opt/lib.so)           401020 tick+0x1 (/opt/x)",
        "1 page-faults:         7ffe1000   4K          401020 tick+0x1 (/opt/x)",
        "1 cycles:    401020 tick+0x1 (/opt/x)  0x401010(/opt/x)/0x401020(/opt/x)/P/-/-/3  0x1/0x2/M/-/-/0",
        "1 cycles:    401020 tick+0x1 (/opt/x)  main+0x1/tick+0x1/P/-/-/4",
        "1 cycles:    401020 tick (/opt/x) ABI:2    AX:0x1    BX:0x2",
        "1 cycles:    401020 tick (/opt/x) ilen: 3 insn: 48 89 e5",
    ],
)  # fmt: skip
def test_a_frame_among_other_fields_is_found(rest):
    assert [("tick",)] == stacks(f"x 1/1 [000] 5.000001:  {rest}\n")


@pytest.mark.parametrize(
    ("frame", "symbol", "image", "layer"),
    [
        ("401020 tick+0x20 (/opt/games/My Game/run)", "tick", "/opt/games/My Game/run", "user"),
        ("401020 tick (/opt/My Game (beta)/run)", "tick", "/opt/My Game (beta)/run", "user"),
        ("401020 tick (/opt/a)b/run)", "tick", "/opt/a)b/run", "user"),
        ("401020 f(int, char (*)(int)) const+0x4 (/opt/x (deleted))", "f(int, char (*)(int)) const", "/opt/x", "user"),
        ("401020 tick", "tick", "[unknown]", "user"),
        ("401020 f(int)", "f(int)", "[unknown]", "user"),
        ("401020 (/opt/x)", "", "/opt/x", "user"),
        ("401020", "", "[unknown]", "user"),
        ("ffffffff81000010 halt+0x12 ([kernel.kallsyms])", "halt", "vmlinux", "kernel"),
        ("ffffffff81000010 halt ([kernel.kallsyms]+0x12)", "halt", "vmlinux", "kernel"),
        ("ffffffff81000010 halt ([kernel.vmlinux].init.text)", "halt", "vmlinux", "kernel"),
        ("ffffffff81000010 halt (/proc/kcore)", "halt", "vmlinux", "kernel"),
        ("ffffffffc0000010 run+0x1 (bpf_prog_6deef7357e7b4530_x)", "run", "bpf_prog_6deef7357e7b4530_x", "kernel"),
        ("ffffffffffffffff [unknown] ([unknown])", "", "[unknown]", "user"),
        ("fffffffffffffe00 [unknown] ([unknown])", "", "[unknown]", "user"),
        ("ffffffffff600000 [unknown] ([unknown])", "", "no-vmlinux", "kernel"),
        ("7f0000001000 Ljava/util/List;::add (/tmp/perf-4000.map)", "Ljava/util/List;::add", "/tmp/perf-4000.map", "user"),
        ("7f0000001000 [unknown] (/tmp/perf-4000.map)", "", "/tmp/perf-4000.map", "user"),
        ("7f0000001000 LazyCompile:*go /srv/a.js:1:2 ([JIT] tid 4000)", "LazyCompile:*go /srv/a.js:1:2", "[JIT]", "user"),
        ("7f0000001000 [unknown] (//anon)", "", "[anon]", "user"),
        ("7f0000001000 [unknown] ([anon:v8])", "", "[anon]", "user"),
        ("7f0000001000 [unknown] (/memfd:doublemapper (deleted))", "", "[anon]", "user"),
        ("7f0000001000 [unknown] (/anon_hugepage (deleted))", "", "[anon]", "user"),
        ("7f0000001000 [unknown] ([stack])", "", "[stack]", "user"),
    ],
)  # fmt: skip
def test_a_frame_is_split_into_symbol_and_image(frame, symbol, image, layer):
    (step,) = recording(f"x 1 [000] 5.0: 1 cycles: \n\t{frame}\n\n").steps

    assert (symbol, image, layer) == (step.symbol, step.image, step.layer)


def test_source_lines_are_those_of_the_frames_above_them():
    text = (
        "x 1/1 [000] 5.0: 100 cycles:\n"
        "\t  7f00 foo+0x1 (/usr/bin/x)\n  foo.c:12\n"
        "\t  7f01 low\n  /src/My Dir/low.h:7 (inlined)\n"
        "\t  7f01 main+0x1 (/usr/bin/x)\n  main.c:3 (discriminator 2)\n"
        "\t  7f02 start (/usr/bin/x)\n  x[7f02]\n"
        "\t  7f03 _start (/usr/bin/x)\n  ??:0\n\n"
        "x 1/1 [000] 6.0: 100 cycles:   7f00 foo+0x1 (/usr/bin/x)\n  foo.c:13\n"
    )

    assert [
        ("foo", "/usr/bin/x", "foo.c", 12),
        ("foo", "/usr/bin/x", "foo.c", 13),
        ("low", "/usr/bin/x", "/src/My Dir/low.h", 7),
        ("main", "/usr/bin/x", "main.c", 3),
        ("start", "/usr/bin/x", "", 0),
        ("_start", "/usr/bin/x", "", 0),
    ] == sorted(
        ((s.symbol, s.image, s.file, s.line) for s in recording(text).steps),
        key=lambda found: ["foo", "low", "main", "start", "_start"].index(found[0]),
    )
    assert [("_start", "start", "main", "low", "foo"), ("foo",)] == stacks(text)


SAMPLE = "x 1 [000] 5.0: 1 cycles: " + FRAMES


def test_what_perf_says_between_samples_is_left_out_and_told():
    text = (
        "Warning:\nProcessed 4711 events and lost 3 chunks!\n\nCheck IO/CPU overload!\n\n"
        + SAMPLE * 3
        + "Failed to open /tmp/perf-1.map, continuing without symbols\n"
        + SAMPLE * 3
    )
    found = recording(text)

    assert [6] == found.values.sum(axis=0).tolist()
    assert (
        "left out 4 lines, first line 1: neither a sample nor a frame of perf script: 'Warning:'",
    ) == found.notes


def test_a_warning_within_a_sample_leaves_it_whole():
    text = SAMPLE.replace("(/opt/x)\n\t", "(/opt/x)\naddr2line: DWARF error: no unit\n\t")

    assert [("main", "tick")] == stacks(text)


def test_events_of_perf_itself_are_no_samples_but_losses_count(tmp_path):
    path = tmp_path / "perf.txt"
    path.write_text(
        "swapper 0 [000] 0.0: PERF_RECORD_MMAP2 -1/0: [0xffff(0x1) @ 0 00:00 0 0]: x [kernel]_text\n"
        "x 1/1 [000] 4.0: PERF_RECORD_COMM exec: x:1/1\n"
        "x 1/1 4.1: PERF_RECORD_FORK(2:2):(1:1)\n"
        + SAMPLE
        + "x 1/1 [000] 5.1: PERF_RECORD_LOST lost 30\n"
        + "x 1/1 [000] 5.2: PERF_RECORD_LOST_SAMPLES lost 4\n"
        + "x 1/1 [000] 5.3: PERF_RECORD_SWITCH_CPU_WIDE OUT  next pid/tid:   2/2\n"
    )

    out = imported("perf", path, tmp_path / "out")

    assert "cycles: 1 samples = 1 stored\nlost before, as the file tells: 34 samples\n" in out
    assert (1,) == profile(tmp_path / "out").totals


def test_where_an_unwinder_gave_up_is_the_outermost_step_in_reports(tmp_path):
    path = tmp_path / "perf.txt"
    path.write_text(
        "game 700/701  12.500000:     250000 task-clock:u: \n"
        "\t          401020 tick+0x20 (/opt/games/My Game/run)\n"
        "\tffffffffffffffff [unknown] ([unknown])\n\n"
    )
    imported("perf", path, tmp_path / "out")

    lines = b"".join(load("folded")(Request(profile(tmp_path / "out"))))
    assert b"{Domain-0};[unknown];run`tick 1\n" == lines


def test_text_that_ends_without_a_newline_behind_a_frame_is_read():
    assert [("main", "tick")] == stacks(SAMPLE.rstrip("\n"))


def test_text_of_windows_is_read():
    text = SAMPLE.replace("\n", "\r\n").encode("utf-16")

    assert 1 == read(text, "perf.txt", domain="d").values.sum()


@pytest.mark.parametrize(
    "text",
    [
        "0000000000401000 T main\n0000000000401010 T f\n",
        "00000000  7f 45 4c 46 02 01 01 00\n",
        "[    5.000001] usb 1-1: new device\n",
        "Jan  2 10:00:00 host sshd[123]: session opened\n",
        "@[\n    tick+12\n    main+3\n]: 5\n",
        "main;tick 5\n",
    ],
)
def test_other_text_is_refused_with_its_first_line(tmp_path, text):
    path = tmp_path / "perf.txt"
    path.write_text(text)

    line = repr(text.partition("\n")[0])
    assert f"line 1: neither a sample nor a frame of perf script: {line}" == refused(
        "perf", path, tmp_path / "out"
    )


@pytest.mark.parametrize(
    "line",
    [
        "x 1 5.0: 1 c:" + " " * 60_000 + "(",
        " " * 60_000 + "x",
        "x" + " " * 60_000 + "1",
        "x 1 5.0: 1 c: " + "a ( " * 15_000,
        "x 1 5.0: 1 c: " + "a " * 30_000 + "(",
        "x 1 5.0: 1 c: " + "/" * 60_000,
        "x 1 5.0: 1 c: " + "/P/-/-/ " * 8_000 + "!",
        "x 1 5.0: 1 c: " + "|OP " * 15_000,
        "x 1 5.0: 1 c: " + ") aaaaaa " * 7_000,
        "\t1 " + "(" * 60_000 + ")",
        "1 " * 30_000,
        "[1] " * 15_000,
        "+0x" + "a" * 60_000 + "!",
    ],
    ids=range(13),
)
def test_a_hostile_line_takes_no_longer_than_another(line):
    text = SAMPLE * 9 + f"{line}\n" * 8

    assert 9 <= recording(text).values.sum()
