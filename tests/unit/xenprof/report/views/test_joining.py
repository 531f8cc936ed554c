"""Stacks through several domains: from the cause on, or from the place on."""

import numpy as np

from tests.support.stack_profiles import CYCLES, FRAMES, for_any, profile, profiles
from xenprof.profile.stacks import Frame, Layer, StackProfile
from xenprof.report.views.joining import by_place, cause, crosses_domains
from xenprof.report.views.merge import merged
from xenprof.report.views.table import BY, table

WEB = Frame("sys_write", "vmlinux", Layer.KERNEL, "web")
BACK = Frame("net_rx", "netbk", Layer.KERNEL, "Domain-0")
POLL = Frame("netif_poll", "xennet", Layer.KERNEL, "web")


def one(*frames: Frame) -> StackProfile:
    return StackProfile(frames, (tuple(range(len(frames))),), np.array([[5]]), (CYCLES,))


def names(of: StackProfile) -> list[tuple[str, str]]:
    (stack,) = of.stacks
    return [(of.frames[step].domain, of.frames[step].symbol) for step in stack]


def test_a_stack_begins_where_its_time_was_spent():
    assert names(by_place(one(WEB, BACK))) == [("Domain-0", "[for web]"), ("Domain-0", "net_rx")]


def test_the_mark_tells_the_first_of_several_causes():
    other = Frame("send", "vmlinux", Layer.KERNEL, "other")
    placed = by_place(one(other, BACK, POLL))
    assert names(placed) == [("web", "[for other]"), ("web", "netif_poll")]


def test_work_that_comes_back_to_its_cause_needs_no_mark():
    assert names(by_place(one(WEB, BACK, POLL))) == [("web", "netif_poll")]


def test_a_stack_in_one_domain_stays():
    assert names(by_place(one(WEB, POLL))) == [("web", "sys_write"), ("web", "netif_poll")]


def test_a_mark_tells_its_cause():
    placed = by_place(one(WEB, BACK))
    assert ["web"] == [cause(frame) for frame in placed.frames if cause(frame)]


def test_both_ways_know_that_domains_work_for_each_other():
    crossing, alone = one(WEB, BACK), one(WEB, POLL)
    assert [True, True, False, False] == [
        crosses_domains(each) for each in (crossing, by_place(crossing), alone, by_place(alone))
    ]


def test_by_place_a_domains_total_is_its_own_time():
    found = table(by_place(profile()), BY["domain"])
    assert found.own.tolist() == found.total.tolist()
    assert {frame.domain for frame in FRAMES} == {key[0] for key in found.keys}


@for_any(profiles())
def test_every_sample_stays_in_its_function(given):
    def own(of: StackProfile):
        found = table(of, BY["symbol"])
        return {
            key: counts for key, counts in zip(found.keys, found.own.tolist(), strict=True)
            if any(counts)
        }  # fmt: skip

    assert own(by_place(given)) == own(merged([given]))
