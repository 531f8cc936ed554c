from dataclasses import replace

import pytest

from tests.support.advising import (
    change_of,
    commands,
    domain0,
    facts,
    given,
    guest,
    ids,
    pcpus,
    vcpu,
)

ONE = guest(vcpus=1, online=(vcpu(place=0, load_percent=60.0),))
OTHER = guest(
    "db",
    2,
    vcpus=2,
    online=(
        vcpu(affinity=(2, 3), place=2, load_percent=0.0),
        vcpu(1, affinity=(0, 1, 2, 3), place=1, load_percent=70.0),
    ),
)
CROWDED = pcpus(60.0, 70.0, 20.0, 10.0, threads=2)


def test_the_busiest_vcpu_of_a_crowded_core_goes_to_an_idle_one():
    assert ("xm vcpu-pin db 1 2-3",) == commands(facts(ONE, OTHER, pcpus=CROWDED))


@pytest.mark.parametrize(
    "host",
    [
        facts(ONE, OTHER, pcpus=pcpus(59.9, 70.0, 20.0, 10.0, threads=2)),
        facts(ONE, OTHER, pcpus=pcpus(60.0, 70.0, 20.0, 10.1, threads=2)),
        facts(ONE, OTHER, pcpus=pcpus(60.0, 70.0, 20.0, 10.0)),
        facts(ONE, OTHER, pcpus=pcpus(60.0, 70.0, 20.0, None, threads=2)),
        facts(replace(ONE, online=(vcpu(place=0, load_percent=49.9),)), OTHER, pcpus=CROWDED),
        facts(ONE, replace(OTHER, online=(vcpu(place=2), vcpu(1, place=1))), pcpus=CROWDED),
    ],
    ids=["half idle", "none idle", "no threads", "unknown pcpu", "many small", "unknown vcpu"],
)
def test_else_vcpus_stay_where_they_are(host):
    assert [] == ids(host)


def test_its_other_vcpus_stay_where_they_are():
    [advice] = given(facts(ONE, OTHER, pcpus=CROWDED))
    assert [["2-3", "2-3"]] == [one.value for one in change_of(advice).settings]
    gap = replace(OTHER, online=(vcpu(affinity=(1,)), replace(OTHER.online[1], vcpu=2)))
    assert ("xm vcpu-pin db 2 2-3",) == commands(facts(ONE, gap, pcpus=CROWDED))


EVERY = (0, 1, 2, 3)
ANY = (vcpu(affinity=EVERY),)
OWN = domain0(
    vcpus=2, running_percent=50.0, waiting_percent=12.5, online=(*ANY, vcpu(1, affinity=EVERY))
)
FREE = guest(vcpus=1, online=ANY)
PINNED = guest("db", 2, vcpus=1, online=(vcpu(affinity=(0,)),))
IDLE = pcpus(100.0, 100.0, 50.0, 0.0)


def test_a_domain_0_that_waits_gets_a_pcpu_of_its_own_if_guests_can_do_without():
    assert (
        "xm vcpu-set Domain-0 1",
        "xm vcpu-pin Domain-0 0 0",
        "xm vcpu-pin web 0 1-3",
    ) == commands(facts(OWN, FREE, pcpus=IDLE))


def test_it_gets_one_on_which_no_guest_is_pinned_and_those_stay():
    assert (
        "xm vcpu-set Domain-0 1",
        "xm vcpu-pin Domain-0 0 1",
        "xm vcpu-pin web 0 0,2-3",
    ) == commands(facts(OWN, FREE, PINNED, pcpus=IDLE))


@pytest.mark.parametrize(
    "host",
    [
        facts(OWN, FREE, pcpus=pcpus(100.0, 100.0, 50.1, 0.0)),
        facts(replace(OWN, running_percent=49.9), FREE, pcpus=IDLE),
        facts(replace(OWN, waiting_percent=12.4), FREE, pcpus=IDLE),
        facts(replace(OWN, waiting_percent=None), FREE, pcpus=IDLE),
        facts(replace(OWN, online=(vcpu(affinity=(0,)),)), FREE, pcpus=IDLE),
        facts(OWN, replace(FREE, online=(vcpu(),)), pcpus=IDLE),
        facts(OWN, replace(FREE, vcpus=4), pcpus=IDLE),
        facts(
            OWN,
            replace(PINNED, online=(vcpu(affinity=(0, 1, 2)), vcpu(1, affinity=EVERY))),
            pcpus=IDLE,
        ),
    ],
    ids=[
        "pcpus are needed",
        "little to do",
        "seldom waits",
        "unknown",
        "pinned already",
        "unknown pins",
        "a guest needs all",
        "a pinned guest uses all",
    ],
)
def test_else_it_shares_them(host):
    assert [] == ids(host)


MOVES = guest(
    migrations_per_second=1.0,
    running_percent=50.0,
    vcpus=1,
    online=(vcpu(affinity=(0, 1), place=0),),
)


def test_where_sockets_have_memory_a_guest_shall_stay_on_one():
    [advice] = given(facts(MOVES, pcpus=pcpus(50.0, 0.0), cpu_type="hammer"))
    assert ("pinning.nodes", "check", "xm vcpu-pin web 0 1") == (
        advice.id,
        advice.strength,
        advice.do[0].text,
    )


@pytest.mark.parametrize(
    "host",
    [
        facts(MOVES, pcpus=pcpus(50.0, 0.0), cpu_type="core_2"),
        facts(MOVES, pcpus=pcpus(50.0), cpu_type="hammer"),
        facts(replace(MOVES, migrations_per_second=0.9), pcpus=pcpus(9.0, 0.0), cpu_type="hammer"),
        facts(replace(MOVES, running_percent=49.9), pcpus=pcpus(9.0, 0.0), cpu_type="hammer"),
        facts(
            replace(MOVES, online=(vcpu(affinity=(0,)),)), pcpus=pcpus(9.0, 0.0), cpu_type="hammer"
        ),
        facts(replace(MOVES, online=(vcpu(),)), pcpus=pcpus(9.0, 0.0), cpu_type="hammer"),
    ],
    ids=["one memory", "one socket", "stays", "little to do", "pinned", "unknown"],
)
def test_else_it_goes_where_it_likes(host):
    assert [] == ids(host)
