from dataclasses import replace

import pytest

from tests.support.advising import commands, domain0, facts, given, guest, ids

SWAPS = guest(memory_mib=96, maximum_mib=256, demand_mib=130, page_ins_per_second=1.0, oom_kills=0)
RICH = guest("rich", 2, memory_mib=512, demand_mib=200)


def test_a_guest_that_swaps_gets_memory_that_the_host_has():
    # 130 MiB and an eighth, in steps of 32 MiB.
    assert ("xm mem-set web 160",) == commands(facts(SWAPS, free_mib=64))


@pytest.mark.parametrize("known", [{"maximum_mib": 96}, {"kind": "hvm"}])
def test_where_it_cannot_grow_so_far_it_is_to_start_anew(known):
    host = facts(replace(SWAPS, **known), free_mib=64)
    where = "the configuration file of web, from its next start on"
    assert ("memory = 160", "maxmem = 160") == commands(host, where)
    assert "consider" == given(host)[0].strength


@pytest.mark.parametrize(("most", "expected"), [(129, "memory = 160"), (130, "xm mem-set web 130")])
def test_it_grows_to_its_ceiling_where_that_is_enough(most, expected):
    [advice] = given(facts(replace(SWAPS, maximum_mib=most), free_mib=64))
    assert expected == advice.do[0].text


def test_memory_is_promised_once():
    other = replace(SWAPS, domid=2, name="db")
    assert ["xm mem-set web 160"] == [
        one.do[0].text for one in given(facts(SWAPS, other, free_mib=127))
    ]
    assert ["xm mem-set web 160", "xm mem-set db 160"] == [
        one.do[0].text for one in given(facts(SWAPS, other, free_mib=128))
    ]


def test_a_domain_lends_once():
    other = replace(SWAPS, domid=3, name="db")
    assert 1 == len(given(facts(SWAPS, RICH, other, free_mib=14)))


def test_who_has_killed_processes_and_needs_less_now_is_said_to_have_needed_more():
    killed = replace(SWAPS, page_ins_per_second=0.0, oom_kills=1, demand_mib=50)
    [advice] = given(facts(killed, free_mib=64))
    assert "The guest has needed more than it has" in advice.why


def test_so_does_one_whose_processes_were_killed():
    host = facts(replace(SWAPS, page_ins_per_second=0.0, oom_kills=1), free_mib=64)
    assert ("xm mem-set web 160",) == commands(host)


def test_what_the_host_lacks_comes_from_who_needs_less_than_half_of_its_own():
    host = facts(SWAPS, RICH, free_mib=14)
    assert ("xm mem-set rich 462", "xm mem-set web 160") == commands(host)


def test_domain_0_lends_too():
    host = facts(domain0(memory_mib=657, demand_mib=142), SWAPS, free_mib=0)
    assert ("xm mem-set Domain-0 593", "xm mem-set web 160") == commands(host)


@pytest.mark.parametrize(
    "host",
    [
        facts(replace(SWAPS, page_ins_per_second=0.9), free_mib=64),
        facts(SWAPS, free_mib=63),
        facts(SWAPS, replace(RICH, demand_mib=256), free_mib=14),
        facts(SWAPS, replace(RICH, memory_mib=150, demand_mib=74), free_mib=0),
        facts(replace(SWAPS, demand_mib=None), free_mib=64),
        facts(SWAPS, RICH),
        facts(replace(SWAPS, maximum_mib=None), free_mib=64),
        facts(domain0(memory_mib=319, demand_mib=100), SWAPS, free_mib=0),
    ],
    ids=[
        "long ago",
        "no memory",
        "no lender",
        "too small a lender",
        "unknown",
        "unknown free",
        "unknown ceiling",
        "too little for domain 0",
    ],
)
def test_else_it_does_not(host):
    assert [] == ids(host)


TIGHT = guest(memory_mib=100, maximum_mib=100, demand_mib=90, page_ins_per_second=0.0, oom_kills=0)


def test_a_guest_that_needs_most_of_its_memory_shall_be_able_to_grow():
    [advice] = given(facts(TIGHT, free_mib=28))
    assert ("memory.maximum", "consider", "maxmem = 128") == (
        advice.id,
        advice.strength,
        advice.do[0].text,
    )


@pytest.mark.parametrize(
    "host",
    [
        facts(replace(TIGHT, demand_mib=89), free_mib=28),
        facts(replace(TIGHT, maximum_mib=101), free_mib=28),
        facts(TIGHT, free_mib=27),
        facts(replace(TIGHT, is_memory_unlimited=True), free_mib=28),
        facts(replace(TIGHT, page_ins_per_second=None), free_mib=28),
    ],
    ids=["roomy", "can grow", "no memory", "unlimited", "unknown"],
)
def test_else_its_ceiling_stays(host):
    assert [] == ids(host)
