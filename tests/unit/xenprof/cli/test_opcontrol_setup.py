"""opcontrol's setup: what it remembers, and what it shows of it."""

import os
import subprocess
import sys

import pytest

from tests.support.fake_host import VMLINUX, XEN
from tests.support.paths import ROOT


def test_setup_is_remembered_line_by_line_in_the_originals_order(opcontrol):
    opcontrol(
        "--setup", f"--vmlinux={VMLINUX}", f"--xen={XEN}", "--separate=lib,cpu",
        "--event=GLOBAL_POWER_EVENTS:100000", "--buffer-size=0x10000", "--image=/bin/ls",
    )  # fmt: skip
    assert opcontrol.daemonrc() == [
        "SESSION_DIR=/var/lib/oprofile",
        "CHOSEN_EVENTS_0=GLOBAL_POWER_EVENTS:100000:1:1:1",
        "NR_CHOSEN=1",
        "SEPARATE_LIB=1",
        "SEPARATE_KERNEL=0",
        "SEPARATE_THREAD=0",
        "SEPARATE_CPU=1",
        f"VMLINUX={VMLINUX}",
        "IMAGE_FILTER=/bin/ls",
        "BUF_SIZE=0x10000",
        "CPU_BUF_SIZE=0",
        "CALLGRAPH=0",
        f"XENIMAGE={XEN}",
    ]


def test_first_event_of_a_command_replaces_the_remembered_ones(opcontrol):
    opcontrol("--no-vmlinux", "--event=GLOBAL_POWER_EVENTS:100000", "--event=INSTR_RETIRED:6000")
    opcontrol("--event=INSTR_RETIRED:7000")
    assert "NR_CHOSEN=1" in opcontrol.daemonrc()


def test_each_separate_option_starts_from_none(opcontrol):
    opcontrol("--no-vmlinux", "--separate=all")
    opcontrol("--separate=cpu")
    assert [line for line in opcontrol.daemonrc() if line.endswith("=1")] == ["SEPARATE_CPU=1"]


def test_damaged_daemonrc_is_refused(opcontrol):
    path = opcontrol.root() / "root/.oprofile/daemonrc"
    path.parent.mkdir(parents=True)
    path.write_text("VMLINUX=`reboot`\n")
    assert (opcontrol("--status"), opcontrol.err) == (
        1,
        f'Invalid value "`reboot`" for VMLINUX in {path}.\n',
    )


def test_status_prints_state_and_setup(opcontrol):
    opcontrol("--separate=all", "--event=INSTR_RETIRED:6000", "--no-vmlinux")
    opcontrol("--status")
    assert opcontrol.out.splitlines() == [
        "Daemon not running",
        "Session-dir: /var/lib/oprofile",
        "Event 0: INSTR_RETIRED:6000:1:1:1",
        "Separate options: library kernel thread cpu",
        "vmlinux file: none",
        "Image filter: none",
        "Call-graph depth: 0",
    ]


def test_the_default_event_can_be_chosen_by_that_word(opcontrol):
    opcontrol("--no-vmlinux", "--event=default")
    assert "CHOSEN_EVENTS_0=GLOBAL_POWER_EVENTS:100000:1:1:1" in opcontrol.daemonrc()


def test_numbers_are_shown_as_they_were_typed_but_masks_in_decimal(opcontrol):
    opcontrol("--no-vmlinux", "--buffer-size=010", "--event=MACHINE_CLEAR:0x2000:0x40:1:0")
    opcontrol("--status")
    assert {"Event 0: MACHINE_CLEAR:0x2000:64:1:0", "Buffer size: 010"} <= set(
        opcontrol.out.splitlines()
    )


@pytest.mark.parametrize(
    ("separate", "shown"),
    [("lib,cpu", "library cpu"), ("cpu", " cpu"), ("none", "none"), ("thread,cpu", " thread cpu")],
)
def test_separations_are_shown_with_the_originals_blanks(opcontrol, separate, shown):
    opcontrol("--no-vmlinux", f"--separate={separate}")
    opcontrol("--status")
    assert f"Separate options: {shown}" in opcontrol.out.splitlines()


def test_after_the_status_nothing_else_is_done(opcontrol):
    opcontrol("--status", "--start", "--no-vmlinux")
    assert ("vmlinux file: none" in opcontrol.out, opcontrol.err, opcontrol.daemonrc()) == (
        True,
        "note: after --status nothing else is done\n",
        [],
    )


def test_the_same_setup_while_a_daemon_runs_is_told_as_well(opcontrol):
    opcontrol("--start", "--no-vmlinux")
    opcontrol("--start", "--no-vmlinux")
    assert opcontrol.out.splitlines() == [
        "The profiling daemon is currently active, so changes to the configuration",
        "will be used the next time you restart oprofile after a --shutdown or --deinit.",
        "Profiler running.",
    ]


def test_verbose_shows_the_parameters(opcontrol):
    opcontrol("--start-daemon", "--no-vmlinux", "-V", "--separate=cpu", "--buffer-size=9000")
    assert opcontrol.out.splitlines()[:17] == [
        "Parameters used:",
        "SESSION_DIR /var/lib/oprofile",
        "LOCK_FILE /var/lib/oprofile/lock",
        "SAMPLES_DIR /var/lib/oprofile/samples",
        "CURRENT_SAMPLES_DIR /var/lib/oprofile/samples/current",
        "CPUTYPE i386/p4-ht",
        "BUF_SIZE 9000",
        "BUF_WATERSHED default value",
        "CPU_BUF_SIZE default value",
        "SEPARATE_LIB 0",
        "SEPARATE_KERNEL 0",
        "SEPARATE_THREAD 0",
        "SEPARATE_CPU 1",
        "CALLGRAPH 0",
        "VMLINUX none",
        "KERNEL_RANGE",
        "XENIMAGE none",
    ]


def test_setup_while_a_daemon_runs_waits_for_the_next_one(opcontrol):
    opcontrol("--start-daemon", "--no-vmlinux")
    opcontrol("--separate=cpu")
    told, during = opcontrol.out.count("\n"), opcontrol.daemonrc()
    opcontrol("--shutdown")
    opcontrol("--status")
    assert (told, "SEPARATE_CPU=0" in during, "SEPARATE_CPU=1" in opcontrol.daemonrc()) == (
        2,
        True,
        True,
    )


def test_domain_lists_are_not_remembered(opcontrol):
    opcontrol("--start-daemon", "--no-vmlinux", "--active-domains=0,1")
    opcontrol("--shutdown")
    opcontrol("--start-daemon")
    assert opcontrol.client.setups[-1].active_domains is None


def test_setups_at_once_lose_nothing(opcontrol, tmp_path):
    """Each adds its own setting to what the others have written."""
    opcontrol("--no-vmlinux")
    lines = ["--buffer-size=7"], ["--image=/bin/a"], ["--separate=cpu"], ["--session-dir=/var/x"]
    code = "import sys; from tests.support.opcontrol_shell import at_once; at_once(*sys.argv[1:])"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), *words],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for words in lines
    ]
    assert [one.wait(60) for one in running] == [0] * len(lines)
    assert {"BUF_SIZE=7", "IMAGE_FILTER=/bin/a", "SEPARATE_CPU=1", "SESSION_DIR=/var/x"} <= set(
        opcontrol.daemonrc()
    )


def test_the_option_that_is_nearest_to_an_unknown_one_is_told(opcontrol):
    opcontrol("--strat")
    assert opcontrol.err.splitlines()[-1] == "note: did you mean --start?"


def test_the_event_that_is_nearest_to_an_unknown_one_is_told(opcontrol):
    opcontrol("--no-vmlinux", "--event=GLOBAL_POWR_EVENTS:100000")
    assert opcontrol.err.splitlines()[-1] == "note: did you mean GLOBAL_POWER_EVENTS?"
