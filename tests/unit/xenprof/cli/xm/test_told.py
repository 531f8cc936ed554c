from dataclasses import replace

import pytest

from tests.support.talk_host import DESKTOP, HOST, MYSQL, NEW_TOOLS, WINDOOF, FakeClient
from xenprof.cli.xm.told import credit_note, memory_note, restored_note

MIB = 1024
CONFIG = "(vm (name DesktopVM) (memory 512) (cpu_cap 50) (cpu_weight 512))"


def host(**changed):
    """Return a host of 4096 MiB with one domain, DesktopVM with 512 MiB."""
    domain = replace(DESKTOP, **changed)
    return replace(HOST, domains=(domain,), memory_kib=4096 * MIB, free_kib=100 * MIB)


@pytest.mark.parametrize(
    ("mib", "changed", "said"),
    [
        (512, {}, ""),
        (256, {}, ""),
        (9000, {}, "DesktopVM may have 512 MiB at most: its balloon stops there; "
         "this machine has 4096 MiB"),
        (9000, {"maximum_kib": 9999 * MIB},
         "this machine has 4096 MiB: DesktopVM cannot get 9000"),
        (600, {}, "DesktopVM may have 512 MiB at most: its balloon stops there; "
         "first: xm mem-max DesktopVM 600"),
        (700, {"maximum_kib": 800 * MIB},
         "100 MiB are free: DesktopVM gets to 612 MiB at most"),
        (256, {"paused": True},
         "DesktopVM does not run: its balloon does not follow until it does"),
        (64, {"demand_kib": 100 * MIB},
         "DesktopVM needs 100 MiB: it swaps what is missing, and its balloon may not get there"),
    ],
)  # fmt: skip
def test_it_is_told_why_a_balloon_will_not_follow(mib, changed, said):
    assert memory_note(host(**changed), "DesktopVM", mib) == said


def test_a_fully_virtualized_domain_has_no_balloon():
    assert memory_note(replace(HOST, domains=(WINDOOF,)), "3", 128) == (
        "WinDoof is fully virtualized and has no balloon: its memory stays as it is"
    )


def test_mem_set_prints_its_note_after_the_call(xm):
    code, _, error = xm("mem-set", "DesktopVM", "600", client=FakeClient())

    assert (code, error) == (
        0, "note: DesktopVM may have 512 MiB at most: its balloon stops there; "
        "first: xm mem-max DesktopVM 600\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("count", "said"),
    [
        ("1", ""),
        ("2", ""),
        ("9", "note: ossvm02 has 2 VCPUs and uses 2\n"),
        ("0", "note: ossvm02 has 2 VCPUs and uses 1, the least\n"),
    ],
)
def test_vcpu_set_says_how_many_a_domain_uses_that_cannot_have_the_number(xm, count, said):
    assert xm("vcpu-set", "ossvm02", count, client=FakeClient()) == (0, "", said)


def test_a_number_after_xm_top_is_told_with_the_option_meant(xm):
    _, _, error = xm("top", "-b", "-n", "1")

    assert error == (
        "Error: 'xm top' requires 0 arguments.\n"
        "note: -i N is the number of iterations, such as -i 1; -n shows networks\n"
    )


def test_a_save_says_which_settings_of_the_scheduler_its_file_does_not_keep():
    assert credit_note(HOST, "r5b2-mySQL01", "(vm (name r5b2-mySQL01))") == (
        f"r5b2-mySQL01 had weight {MYSQL.weight} and cap 25, which its file does not keep; "
        "after xm restore: xm sched-credit -d r5b2-mySQL01 -w 256 -c 25"
    )


def test_tools_of_3_1_restore_what_the_configuration_has():
    settings = replace(NEW_TOOLS, domains=(replace(DESKTOP, weight=512, cap_percent=50),))

    assert credit_note(settings, "DesktopVM", CONFIG) == ""


def test_a_restored_domain_without_its_settings_says_so():
    assert restored_note(HOST, CONFIG) == (
        "DesktopVM had weight 512 and cap 50, which these tools do not restore: "
        "xm sched-credit -d DesktopVM -w 512 -c 50"
    )


def test_a_restored_domain_with_its_settings_says_nothing():
    assert restored_note(HOST, "(vm (name DesktopVM))") == ""
