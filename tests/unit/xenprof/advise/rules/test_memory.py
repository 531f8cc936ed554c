from dataclasses import replace

import pytest

from tests.support.advising import commands, domain0, facts, given, guest, ids

SWAPS = guest(memory_mib=96, maximum_mib=256, demand_mib=130, page_ins_per_second=1.0, oom_kills=0)
RICH = guest("rich", 2, memory_mib=512, demand_mib=200)


def test_a_guest_that_swaps_gets_memory_that_the_host_has():
    # 130 MiB and an eighth, in steps of 32 MiB.
    assert ("xm mem-set web 160",) == commands(facts(SWAPS, free_mib=64))


def test_its_ceiling_is_raised_first():
    host = facts(replace(SWAPS, maximum_mib=96), free_mib=64)
    assert ("xm mem-max web 160", "xm mem-set web 160") == commands(host)


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
    ],
    ids=["long ago", "no memory", "no lender", "too small a lender", "unknown", "unknown free"],
)
def test_else_it_does_not(host):
    assert [] == ids(host)


TIGHT = guest(memory_mib=100, maximum_mib=100, demand_mib=90, page_ins_per_second=0.0, oom_kills=0)


def test_a_guest_that_needs_most_of_its_memory_shall_be_able_to_grow():
    [advice] = given(facts(TIGHT, free_mib=28))
    assert ("memory.maximum", "consider", "xm mem-max web 128") == (
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
