from dataclasses import replace

import pytest

from tests.support.advising import commands, domain0, facts, guest, ids, pcpus, vcpu

WEB = guest(weight=256, running_percent=20.0, waiting_percent=5.0)
BATCH = guest("batch", 2, weight=512, running_percent=150.0, waiting_percent=0.0)


def test_a_domain_with_more_than_the_default_weight_gets_it_if_others_starve():
    assert ("xm sched-credit -d batch -w 256",) == commands(facts(WEB, BATCH))


def test_on_xen_4_the_command_is_of_xl():
    assert ("xl sched-credit -d batch -w 256",) == commands(facts(WEB, BATCH, xen_major=4))


@pytest.mark.parametrize(
    "host",
    [
        facts(WEB, replace(BATCH, weight=256)),
        facts(replace(WEB, waiting_percent=4.9), BATCH),
        facts(replace(WEB, running_percent=20.1), BATCH),
        facts(replace(WEB, weight=512), BATCH),
        facts(WEB, replace(BATCH, running_percent=25.0)),
        facts(WEB, replace(BATCH, waiting_percent=50.0)),
        facts(WEB, BATCH, scheduler="sedf"),
        facts(WEB, domain0(weight=512, running_percent=150.0, waiting_percent=0.0)),
    ],
    ids=[
        "default",
        "little",
        "seldom",
        "equal",
        "small",
        "starved itself",
        "no weights",
        "domain 0",
    ],
)
def test_else_weights_are_left_alone(host):
    assert [] == ids(host)


CAPPED = guest(cap=25, capped_percent=5.0, online=(vcpu(affinity=(0, 1)),))


def test_a_cap_is_lifted_if_pcpus_are_idle():
    assert ("xm sched-credit -d web -c 0",) == commands(facts(CAPPED, pcpus=pcpus(50.0)))


def test_it_is_lifted_only_for_what_its_own_pcpus_have():
    host = facts(CAPPED, pcpus=pcpus(100.0, 100.0, 0.0))
    assert [] == ids(host)
    assert ["weights.capped"] == ids(replace(host, pcpus=pcpus(50.0, 100.0, 100.0)))


@pytest.mark.parametrize(
    "host",
    [
        facts(CAPPED, pcpus=pcpus(50.1)),
        facts(replace(CAPPED, capped_percent=4.9), pcpus=pcpus(50.0)),
        facts(replace(CAPPED, capped_percent=60.0), pcpus=pcpus(50.0)),
        facts(replace(CAPPED, cap=0), pcpus=pcpus(50.0)),
        facts(CAPPED, pcpus=pcpus(50.0, None)),
        facts(replace(CAPPED, online=(vcpu(),)), pcpus=pcpus(50.0)),
        facts(CAPPED, pcpus=pcpus(50.0), scheduler="sedf"),
        facts(CAPPED, pcpus=pcpus(50.0), scheduler=None),
    ],
    ids=[
        "busy",
        "seldom",
        "needs more",
        "none",
        "unknown",
        "unknown pcpus",
        "other scheduler",
        "unknown scheduler",
    ],
)
def test_else_a_cap_stays(host):
    assert [] == ids(host)


OWN = domain0(weight=256, running_percent=20.0, waiting_percent=5.0)
NEIGHBOUR = guest(weight=256)


def test_domain_0_gets_a_higher_weight_if_it_waits_and_no_pcpu_is_idle():
    assert ("xm sched-credit -d Domain-0 -w 512",) == commands(
        facts(OWN, NEIGHBOUR, pcpus=pcpus(100.0, 98.0))
    )


@pytest.mark.parametrize(
    "host",
    [
        facts(OWN, NEIGHBOUR, pcpus=pcpus(100.0, 97.9)),
        facts(replace(OWN, weight=512), NEIGHBOUR, pcpus=pcpus(100.0)),
        facts(replace(OWN, waiting_percent=4.9), NEIGHBOUR, pcpus=pcpus(100.0)),
        facts(
            replace(OWN, running_percent=4.9, waiting_percent=9.0), NEIGHBOUR, pcpus=pcpus(100.0)
        ),
        facts(OWN, guest(), pcpus=pcpus(100.0)),
    ],
    ids=["idle", "has it", "seldom", "idles itself", "unknown weight"],
)
def test_else_it_does_not(host):
    assert [] == ids(host)
