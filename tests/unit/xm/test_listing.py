from dataclasses import replace

import pytest

from tests.unit.xm.talk_host import DESKTOP, HOST, MYSQL, OSSVM02, FakeClient, as_json, vcpu
from xenprof.cli.xm.listing import info_table, list_table, state_letters, vcpu_table
from xenprof.cli.xm.sxp import domain_sxp

LIST = """\
Name                                      ID Mem(MiB) VCPUs State   Time(s)
DesktopVM                                  5      512     1 -b----      7.2
Domain-0                                   0      657     2 r-----   1281.0
WinDoof                                    3      512     1 -b----      8.9
ossvm02                                    6       64     1 -b----      0.1
r5b2-mySQL01                              13      500     1 -b----     16.1
"""
LIST_3_1 = """\
Name                                      ID   Mem VCPUs      State   Time(s)
DesktopVM                                  5   512     1     -b----      7.2
Domain-0                                   0   657     2     r-----   1281.0
WinDoof                                    3   512     1     -b----      8.9
ossvm02                                    6    64     1     -b----      0.1
r5b2-mySQL01                              13   500     1     -b----     16.1
"""
VCPU_LIST = """\
Name                              ID VCPUs   CPU State   Time(s) CPU Affinity
Domain-0                           0     0     0   r--     708.9 any cpu
Domain-0                           0     1     1   -b-     572.1 any cpu
ossvm02                            6     0     2   -b-       0.1 any cpu
ossvm02                            6     1     -   --p       0.0 any cpu
r5b2-mySQL01                      13     0     1   -b-      16.1 any cpu
"""


def test_list_of_all_is_laid_out_as_by_3_0_3_and_sorted_by_bytes(xm):
    assert xm("list") == (0, LIST, "")


def test_list_of_3_1_has_its_own_columns(xm):
    assert xm("list", hosts=[replace(HOST, tools="3.1")]) == (0, LIST_3_1, "")


def test_list_of_named_domains_keeps_their_order_and_takes_ids(xm):
    _, out, _ = xm("list", "13", "DesktopVM")
    assert [line[:12] for line in out.splitlines()[1:]] == ["r5b2-mySQL01", "DesktopVM   "]


def test_a_domain_that_does_not_exist_is_an_error_with_the_usage(xm):
    code, out, error = xm("list", "nosuch")
    assert (code, error) == (1, "Error: Domain 'nosuch' does not exist.\n")
    assert out.startswith("Usage: xm list [options] [Domain, ...]\n\n")


def test_list_shows_the_balloon_target_at_once():
    host = as_json(replace(HOST, domains=(replace(OSSVM02, target_kib=128 * 1024),)))
    assert list(list_table(host, host["domains"]))[1].split()[2] == "128"


@pytest.mark.parametrize(
    ("flags", "letters"),
    [
        ({}, "------"),
        ({"running": True}, "r-----"),
        ({"paused": True, "blocked": True}, "-bp---"),
        ({"shutdown": True}, "---s--"),
        ({"shutdown": True, "crashed": True}, "----c-"),
        ({"dying": True}, "-----d"),
    ],
)
def test_state_letters_of_a_guest(flags, letters):
    calm = as_json(replace(HOST, domains=(replace(OSSVM02, blocked=False),)))["domains"][0]
    assert state_letters(calm | flags) == letters


def test_vcpu_list_shows_offline_vcpus_too(xm):
    assert xm("vcpu-list", "0", "ossvm02", "r5b2-mySQL01") == (0, VCPU_LIST, "")


def test_vcpu_list_names_the_pcpus_of_a_pinned_vcpu():
    pinned = replace(vcpu(0, 1, "runnable", 1.0), affinity=(0, 1, 3))
    host = as_json(replace(HOST, domains=(replace(MYSQL, vcpus=(pinned,)),)))
    assert list(vcpu_table(host, host["domains"]))[1] == (
        "r5b2-mySQL01                      13     0     1   ---       1.0 0-1,3"
    )


def test_info_pads_keys_to_23(xm):
    assert list(info_table({"host": "grumble", "nr_cpus": "4"})) == [
        "host                   : grumble",
        "nr_cpus                : 4",
    ]


def test_list_long_is_one_nested_list_for_each_domain():
    sxp = domain_sxp(as_json(replace(HOST, domains=(DESKTOP,)))["domains"][0], as_json(), "-b----")
    assert sxp.splitlines()[:3] == [
        "(domain",
        "    (domid 5)",
        "    (uuid 00000000-0000-0000-0000-000000000005)",
    ]
    assert sxp.count("(") == sxp.count(")")
    assert "    (device (vbd (backend 0) (dev xvda:disk) (uname phy:/dev/sdb1) (mode w)))" in sxp
    assert "    (state -b----)" in sxp


def test_list_asks_only_for_a_snapshot(xm):
    client = FakeClient()
    xm("list", client=client)
    assert client.posts == []
