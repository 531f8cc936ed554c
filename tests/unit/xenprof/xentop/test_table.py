from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.talk_host import (
    DESKTOP,
    DOMAIN_0,
    HOST,
    MYSQL,
    OSSVM02,
    VIF,
    WINDOOF,
    XVDA,
    vcpu,
)
from tests.support.xentop_screen import later
from xenprof.xentop.forms import XENTOP_3
from xenprof.xentop.span import Span
from xenprof.xentop.table import Kind, head, summary, table
from xenprof.xentop.view import View

HEADS = [column.head for column in XENTOP_3.columns]


def rows(now, before=None, **view):
    """Return the lines of the table as printed."""
    span = Span(now) if before is None else Span(before).then(now)
    return [line.text for line in table(span, View(**view), XENTOP_3)]


def names(now, before=None, *, by):
    """Return the domains in the order of a column."""
    return [line.split()[0] for line in rows(now, before, sort=HEADS.index(by))[1:]]


def of(*domains):
    return replace(HOST, domains=domains)


def test_a_domain_that_was_not_there_before_shows_no_cpu_percent():
    now = later(of(DOMAIN_0, OSSVM02), 3, ossvm02=3.0)
    assert rows(now, of(DOMAIN_0))[2].split()[3] == "0.0"


def test_cpu_percent_is_of_one_pcpu():
    assert rows(later(of(OSSVM02), 3, ossvm02=6.0), of(OSSVM02))[1].split()[3] == "200.0"


def test_another_life_of_the_same_number_was_not_there_before():
    earlier, now = (replace(OSSVM02, uuid=uuid) for uuid in ("old", "new"))
    assert rows(later(of(now), 3, ossvm02=3.0), of(earlier))[1].split()[3] == "0.0"


def test_another_run_of_the_host_compares_with_nothing():
    span = Span(HOST).then(later(HOST, -3))
    assert span.before is None


def test_a_snapshot_of_the_same_moment_leaves_the_span():
    span = Span(HOST).then(later(HOST, 3))
    assert span.then(later(HOST, 3)) is span


def test_memory_is_what_the_domain_has_not_its_target():
    shrinking = replace(OSSVM02, memory_kib=60_000, target_kib=32 * 1024)
    assert rows(of(shrinking))[1].split()[4] == "60000"


def test_vcpu_lines_hold_five_online_vcpus_each():
    many = tuple(vcpu(n, 0, "blocked", n) for n in range(6))
    assert rows(of(replace(OSSVM02, vcpus=many)), vcpus=True)[2:] == [
        "VCPUs(sec):   0:          0s  1:          1s  2:          2s  3:          3s  4:          4s",
        "          5:          5s",
    ]


def test_network_and_disk_lines_follow_the_domain_and_skip_tap_disks():
    assert rows(of(DESKTOP), networks=True, vbds=True)[2:] == [
        "Net0 RX:  2048000bytes     1500pkts        0err        2drop  "
        "TX:  1025000bytes      900pkts        0err        0drop",
        "VBD 51712 [ca: 0]  OO:        4   RD:      729   WR:       31",
    ]


def test_a_head_stands_before_the_first_domain_or_before_each():
    assert [
        sum(
            line.kind is Kind.HEAD
            for line in table(Span(HOST), View(repeats_head=repeats), XENTOP_3)
        )
        for repeats in (False, True)
    ] == [1, 5]


def test_without_domains_there_is_nothing_to_show():
    assert rows(of()) == []


def test_names_sort_ignoring_case():
    assert names(HOST, by="NAME") == ["DesktopVM", "Domain-0", "ossvm02", "r5b2-mySQL01", "WinDoof"]


def test_states_sort_in_the_order_of_their_letters_and_waiting_domains_last():
    states: dict[str, dict[str, Any]] = {
        "gone": {"dying": True, "shutdown": True},
        "over": {"shutdown": True},
        "calm": {"blocked": True, "paused": True},
        "sunk": {"crashed": True},
        "held": {"paused": True},
        "busy": {"running": True},
        "late": {},
    }
    domains = [
        replace(OSSVM02, domid=n, name=name, **{"blocked": False, **flags})
        for n, (name, flags) in enumerate(states.items(), 1)
    ]
    assert names(of(*reversed(domains)), by="STATE") == list(states)


LESS = replace(
    OSSVM02, domid=8, name="a-less", cpu_ns=1, memory_kib=1024, maximum_kib=1024,
    vcpus=OSSVM02.vcpus[:1], vifs=(replace(VIF, receive_bytes=1, transmit_bytes=1),),
    vbds=(replace(XVDA, out_of_requests=1, read_requests=1, write_requests=1),),
)  # fmt: skip
MORE = replace(
    OSSVM02, domid=9, name="b-more", cpu_ns=2, memory_kib=2048, maximum_kib=2048,
    vifs=(VIF, VIF), vbds=(XVDA, XVDA),
)  # fmt: skip


@pytest.mark.parametrize("head", [head for head in HEADS if head not in ("NAME", "STATE", "SSID")])
def test_most_comes_first_in_every_other_column(head):
    now = later(of(LESS, MORE), 3, **{"a-less": 1, "b-more": 2})
    assert names(now, of(LESS, MORE), by=head) == ["b-more", "a-less"]


@pytest.mark.parametrize("head", ["MAXMEM(k)", "MAXMEM(%)"])
def test_no_limit_is_more_than_any(head):
    assert names(HOST, by=head)[0] == "Domain-0"


def test_equal_ranks_are_in_the_order_of_names():
    assert names(HOST, by="SSID") == names(HOST, by="NAME")


@given(st.permutations([DOMAIN_0, WINDOOF, DESKTOP, OSSVM02, MYSQL]), st.sampled_from(HEADS))
def test_the_order_of_the_snapshot_does_not_matter(domains, head):
    assert names(of(*domains), by=head) == names(HOST, by=head)


def test_the_summary_is_of_the_host():
    assert summary(replace(HOST, unix_ns=HOST.unix_ns + 3723 * 10**9)) == (
        "xentop - 01:02:03   Xen 3.0.3-rc5.el5",
        "5 domains: 1 running, 4 blocked, 0 paused, 0 crashed, 0 dying, 0 shutdown ",
        "Mem: 4194304k total, 3145728k used, 1048576k free    CPUs: 4 @ 3200MHz",
    )


def test_a_domain_counts_under_the_first_of_its_states_and_a_waiting_one_under_none():
    both = replace(OSSVM02, paused=True)
    late = replace(MYSQL, blocked=False)
    over = replace(WINDOOF, blocked=False, shutdown=True, dying=True)
    assert summary(of(both, late, over))[1] == (
        "3 domains: 0 running, 1 blocked, 0 paused, 0 crashed, 0 dying, 1 shutdown "
    )


def test_the_head_is_xentops():
    assert head(XENTOP_3).text == (
        "      NAME  STATE   CPU(sec) CPU(%)     MEM(k) MEM(%)  MAXMEM(k) MAXMEM(%) VCPUS NETS "
        "NETTX(k) NETRX(k) VBDS   VBD_OO   VBD_RD   VBD_WR SSID"
    )
