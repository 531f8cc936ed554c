from dataclasses import replace

import pytest

from tests.support.talk_host import HOST, MYSQL, NEW_TOOLS, OSSVM02, FakeClient, vcpu
from xenprof.cli.xm.host import info_table
from xenprof.cli.xm.listing import row, state_letters, vcpu_table

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
web                                            256     2                 0.0
"""
MANAGED = {"domains": [{"name": "web", "memory_mib": 256, "vcpus": 2}]}
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
    assert xm("list", hosts=[NEW_TOOLS], managed=MANAGED) == (0, LIST_3_1, "")


def test_list_of_named_domains_keeps_their_order_and_takes_ids(xm):
    _, out, _ = xm("list", "13", "DesktopVM")
    assert [line[:12] for line in out.splitlines()[1:]] == ["r5b2-mySQL01", "DesktopVM   "]


def test_a_domain_that_does_not_exist_is_an_error_with_the_usage(xm):
    code, out, error = xm("list", "nosuch")
    assert (code, error) == (1, "Error: Domain 'nosuch' does not exist.\n")
    assert out.startswith("Usage: xm list [options] [Domain, ...]\n\n")


def test_list_shows_the_balloon_target_at_once():
    host = replace(HOST, domains=(replace(OSSVM02, target_kib=128 * 1024),))
    assert row(host.domains[0]).memory_mib == 128


def test_list_shows_the_memory_of_a_domain_without_a_known_target():
    domain = replace(OSSVM02, target_kib=None, memory_kib=1024 * 1024)

    assert row(domain).memory_mib == 1024


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
    calm = replace(OSSVM02, blocked=False)
    assert state_letters(replace(calm, **flags)) == letters


def test_vcpu_list_shows_offline_vcpus_too(xm):
    assert xm("vcpu-list", "0", "ossvm02", "r5b2-mySQL01") == (0, VCPU_LIST, "")


def test_vcpu_list_names_the_pcpus_of_a_pinned_vcpu():
    pinned = replace(vcpu(0, 1, "runnable", 1.0), affinity=(0, 1, 3))
    host = replace(HOST, domains=(replace(MYSQL, vcpus=(pinned,)),))
    assert list(vcpu_table(host, host.domains))[1] == (
        "r5b2-mySQL01                      13     0     1   ---       1.0 0-1,3"
    )


def test_info_pads_keys_to_23(xm):
    assert list(info_table({"host": "grumble", "nr_cpus": "4"})) == [
        "host                   : grumble",
        "nr_cpus                : 4",
    ]


def test_a_destroyed_domain_that_keeps_pages_is_a_zombie(xm):
    _, out, _ = xm("list", hosts=[replace(HOST, domains=(replace(OSSVM02, dying=True),))])
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["Zombie-ossvm02"]


def test_two_zombies_of_one_name_are_both_listed(xm):
    dead = replace(OSSVM02, dying=True)
    _, out, _ = xm("list", hosts=[replace(HOST, domains=(dead, replace(dead, domid=7)))])
    assert [line.split()[1] for line in out.splitlines()[1:]] == ["6", "7"]


def test_list_long_asks_for_each_domain_by_its_id(xm):
    client = FakeClient(**{"domains/13/sxp": {"sxp": ["domain"]}, "domains/5/sxp": {"sxp": "x"}})
    assert xm("list", "--long", "13", "DesktopVM", client=client) == (0, "(domain)\nx\n", "")


def test_the_state_option_is_unknown_to_3_0_3(xm):
    code, _, error = xm("list", "--state=running")
    assert (code, error) == (1, "Error: option --state not recognized\n")


@pytest.mark.parametrize(
    ("state", "names"),
    [
        ("running", ["DesktopVM", "Domain-0", "WinDoof", "r5b2-mySQL01"]),
        ("paused", ["ossvm02"]),
        ("halted", ["web"]),
        ("crashed", []),
    ],
)
def test_3_1_lists_the_domains_in_a_state(xm, state, names):
    domains = [replace(d, paused=d.name == "ossvm02") for d in HOST.domains]
    hosts = [replace(NEW_TOOLS, domains=tuple(domains))]
    _, out, _ = xm("list", f"--state={state}", hosts=hosts, managed=MANAGED)
    assert [line.split()[0] for line in out.splitlines()[1:]] == names


def test_a_state_that_does_not_exist_is_refused_with_those_that_do(xm):
    _, _, error = xm("list", "--state=blocked", hosts=[NEW_TOOLS])
    assert error == (
        "Error: 'blocked' is no state of a domain; "
        "use one of all, running, paused, halted, suspended, crashed\n"
    )


def test_a_state_and_a_name_exclude_each_other(xm):
    _, _, error = xm("list", "--state=running", "web", hosts=[NEW_TOOLS])
    assert error == ("Error: You may specify either a state or a particular VM, but not both\n")


def test_3_1_finds_a_managed_domain_by_its_name(xm):
    _, out, _ = xm("list", "web", "13", hosts=[NEW_TOOLS], managed=MANAGED)
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["web", "r5b2-mySQL01"]


def test_list_asks_only_for_a_snapshot(xm):
    client = FakeClient()
    xm("list", client=client)
    assert client.posts == []
