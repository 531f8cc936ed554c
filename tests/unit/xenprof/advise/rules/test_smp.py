from dataclasses import replace

import pytest

from tests.support.advising import commands, domain0, facts, given, guest, ids, pcpus, vcpu

# 49 % of a pcpu run and 1 % waits: one vcpu is half used.
ANY = (vcpu(affinity=(0, 1, 2, 3)), vcpu(1, affinity=(0, 1, 2, 3)))
WIDE = guest(online=ANY, vcpus=2, cap=0, running_percent=49.0, waiting_percent=1.0)
ROOM = pcpus(50.0, 50.0, 50.0, 100.0)


def test_a_guest_keeps_as_many_vcpus_as_are_at_most_half_used():
    assert ("xm vcpu-set web 1",) == commands(facts(WIDE, pcpus=ROOM))


def test_so_does_domain_0():
    own = domain0(online=ANY, vcpus=4, cap=0, running_percent=98.0, waiting_percent=2.0)
    assert ("xm vcpu-set Domain-0 2",) == commands(facts(own, pcpus=ROOM))


@pytest.mark.parametrize(
    "host",
    [
        facts(replace(WIDE, running_percent=49.1), pcpus=ROOM),
        facts(replace(WIDE, waiting_percent=0.9), pcpus=ROOM),
        facts(replace(WIDE, vcpus=1), pcpus=ROOM),
        facts(replace(WIDE, cap=25, capped_percent=1.0), pcpus=ROOM),
        facts(replace(WIDE, cap=25), pcpus=ROOM),
        facts(replace(WIDE, waiting_percent=None), pcpus=ROOM),
        facts(WIDE, pcpus=pcpus(100.0, 50.1)),
        facts(WIDE, pcpus=pcpus(0.0, None)),
        facts(replace(WIDE, online=(vcpu(affinity=(3,)),)), pcpus=ROOM),
    ],
    ids=[
        "load",
        "no wait",
        "one",
        "capped",
        "unknown cap",
        "unknown",
        "too few pcpus",
        "unknown",
        "its own pcpu is busy",
    ],
)
def test_else_it_keeps_all(host):
    assert [] == ids(host)


def test_no_domain_needs_more_vcpus_than_there_are_pcpus():
    assert ("xm vcpu-set web 2",) == commands(facts(guest(vcpus=3), pcpus=pcpus(None, None)))


def test_as_many_as_pcpus_are_no_fault():
    assert [] == ids(facts(guest(vcpus=2), pcpus=pcpus(None, None)))


WANTS = guest(running_percent=80.0, waiting_percent=15.0, vcpus=1)
MORE = guest("db", 2, running_percent=90.0, waiting_percent=5.0, vcpus=1)
FULL = pcpus(100.0, 100.0)


def test_on_a_host_with_too_much_work_the_least_guest_that_is_enough_shall_leave():
    [advice] = given(facts(WANTS, MORE, pcpus=FULL))
    # 190 % of 200 are wanted, of which 180 % would do; 20 of them wait.
    assert ("smp.overcommit", "web") == (advice.id, advice.do[0].text.split()[3])


@pytest.mark.parametrize(
    "host",
    [
        facts(replace(WANTS, running_percent=69.0), MORE, pcpus=FULL),
        facts(replace(WANTS, waiting_percent=12.0, running_percent=90.0), MORE, pcpus=FULL),
        facts(replace(WANTS, waiting_percent=None), MORE, pcpus=FULL),
        facts(replace(WANTS, waiting_percent=120.0), pcpus=FULL),
    ],
    ids=["enough", "few wait", "unknown", "one guest"],
)
def test_else_all_stay(host):
    assert [] == ids(host)


def test_if_no_guest_is_enough_the_one_that_wants_most_shall_leave():
    many = [guest(f"g{n}", n, running_percent=60.0, waiting_percent=30.0 + n) for n in range(1, 7)]
    assert ("xm migrate --live g6 OTHER",) == commands(facts(*many, pcpus=FULL))
