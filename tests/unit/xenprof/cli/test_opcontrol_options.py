"""opcontrol's command line: what it understands, and what it says of mistakes."""

import pytest

from tests.support.fake_host import VMLINUX

COUNT = "Count 10 for event INSTR_RETIRED is below the minimum 6000"


def test_no_arguments_print_the_usage_on_stderr(opcontrol):
    assert (opcontrol(), opcontrol.out, "--start-daemon" in opcontrol.err) == (0, "", True)


@pytest.mark.parametrize("word", ["--help", "-?"])
def test_help_succeeds(opcontrol, word):
    assert (opcontrol(word), opcontrol.out, "--active-domains" in opcontrol.err) == (0, "", True)


def test_an_empty_first_word_prints_the_usage(opcontrol):
    assert (opcontrol("", "--status"), "--start-daemon" in opcontrol.err) == (0, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--x"], 'Unknown option "--x". See opcontrol --help'),
        (["start"], 'Unknown option "start". See opcontrol --help'),
        (["--stop", "--dump"], 'Option "--dump" not valid with other options.'),
        (["--stop", "-d"], 'Option "-d" not valid with other options.'),
        (["-s", "--no-vmlinux"], 'Option "--setup" not valid with "-s".'),
        (["--stop", "--session-dir=/x"], 'Option "--setup" not valid with "--stop".'),
        (["--start", "--setup"], "No options specified for --setup."),
        (["--note-table-size=1"], 'Unknown option "--note-table-size". See opcontrol --help'),
        (["-V", "--stop"], "Option --verbose may only be used with --start or --start-daemon"),
        (["-c", "x"], "Argument for -c, x, is not a valid number."),
        (["--buffer-size=x", "--none"], "Argument for --buffer-size, x, is not a valid number."),
        (["--event=INSTR_RETIRED:-1"], COUNT.replace("10", "-1")),
        (["--event=INSTR_RETIRED:6000:0x80"], "Invalid unit mask 80 for event INSTR_RETIRED"),
        (
            ["-e", "INSTR_RETIRED:6000", "-e", "INSTR_RETIRED:6000:1"],
            "All events must be distinct.",
        ),
        (["--stop", "--no-vmlinux"], 'Option "--setup" not valid with "--stop".'),
        (["--setup"], "No options specified for --setup."),
        (["--buffer-size=1o"], "Argument for --buffer-size, 1o, is not a valid number."),
        (["--vmlinux=/a b"], "Argument for --vmlinux, /a b, is not valid argument."),
        (["--save=a/b"], "Argument for --save, a/b, cannot change directory."),
        (["--kernel-range=12"], "Argument for --kernel-range, 12, is not valid argument."),
        (["--vmlinux=/nowhere"], 'The specified vmlinux file "/nowhere" doesn\'t exist.'),
        (["--event=NOPE:100000"], 'No such event "NOPE"'),
        (["--event=INSTR_RETIRED:10"], COUNT),
        (["--callgraph=4"], "Call-graph profiling unsupported on this kernel/hardware"),
        (
            ["--dump"],
            "Unable to complete dump of oprofile data: is the oprofile daemon running?",
        ),
        (["--domain=9", "--status"], "Domain '9' does not exist."),
        (
            ["--no-vmlinux", "--active-domains=0,1"],
            'Option "--active-domains" needs --start-daemon on the same command line.',
        ),
        (
            ["--start-daemon", "--no-vmlinux", "--active-domains=0,1", "--passive-domains=1"],
            "Domain 1 is in both --active-domains and --passive-domains.",
        ),
    ],
)
def test_mistake_is_told_in_one_line_with_exit_code_1(opcontrol, words, message):
    assert (opcontrol(*words), opcontrol.err, opcontrol.out) == (1, f"{message}\n", "")


def test_missing_value_is_followed_by_the_usage(opcontrol):
    assert opcontrol("--vmlinux") == 1
    first, *usage = opcontrol.err.splitlines()
    assert (first, usage[0]) == ("No value given for option --vmlinux", "opcontrol: usage:")


def test_an_option_without_its_value_is_named_as_it_was_typed(opcontrol):
    assert opcontrol("-e") == 1
    assert opcontrol.err.splitlines()[0] == "No value given for option -e"


@pytest.mark.parametrize(
    "word",
    ["--separate=none", "--image=all", "--event=INSTR_RETIRED:6000", "--callgraph=0", "--xen=/x"],
)
def test_a_setup_without_a_decision_about_vmlinux_is_not_saved(opcontrol, word):
    code = opcontrol(word)
    assert (code, opcontrol.err.splitlines(), opcontrol.daemonrc()) == (
        1,
        [
            "No vmlinux file specified. You must specify the correct vmlinux file, e.g.",
            "opcontrol --vmlinux=/path/to/vmlinux",
            "If you do not have a vmlinux file, use ",
            "opcontrol --no-vmlinux",
            "Enter opcontrol --help for full options",
        ],
        [],
    )


def test_bad_separation_is_told_on_stdout(opcontrol):
    assert (opcontrol("--separate=lib,all,x"), opcontrol.out) == (
        1,
        "invalid --separate= argument: x\n",
    )


@pytest.mark.parametrize(
    ("words", "read_as"),
    [
        (["-status"], "--status"),
        (["\u2013status"], "--status"),
        (["\u2014status"], "--status"),
        (["-separate=all"], "--separate=all"),
        (["--buffer-", "size=65536"], "--buffer-size=65536"),
        (["-", "no-vmlinux"], "--no-vmlinux"),
    ],
)
def test_mangled_option_is_understood_with_one_line_of_notice(opcontrol, words, read_as):
    opcontrol("--no-vmlinux")
    assert (opcontrol(*words), opcontrol.err) == (0, f"opcontrol: read as {read_as}\n")


def test_values_may_stand_apart_and_short_options_work(opcontrol):
    opcontrol("-e", "INSTR_RETIRED:6000", "--vmlinux", VMLINUX)
    assert {"CHOSEN_EVENTS_0=INSTR_RETIRED:6000:1:1:1", f"VMLINUX={VMLINUX}"} <= set(
        opcontrol.daemonrc()
    )
