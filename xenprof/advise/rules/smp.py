"""SMP guests: no more vcpus than they use or than there are pcpus; hosts with too much work."""

import math
from collections.abc import Iterator
from typing import Final

from xenprof.advise import gauges
from xenprof.advise.advice import Advice, Change, Observed, Setting
from xenprof.advise.facts import DomainFacts, Facts
from xenprof.advise.rules.words import key_of, managed, part, percent

SLIDE: Final = "Dynamic CPU allocations.. ub-CPU granularity"
SUMMARY: Final = "Red Hat Xen Performance Summary"
FULL_PART: Final = 0.5  # judgement: vcpus that are left are at most half used, see docs/advice.md
WAITING_PERCENT: Final = 1.0  # of a pcpu, judgement: who never waits loses nothing by a vcpu more
IDLE_PERCENT: Final = 50.0  # of a pcpu, judgement: else it waits because there are too few pcpus
WANTED_PART: Final = 0.9  # judgement: of all pcpus is wanted, then steal follows
WAITING_PART: Final = 0.1  # judgement: of what all want to run they wait


def _fewer(facts: Facts, domain: DomainFacts, count: int, why: str, slide: str) -> Advice:
    return Advice(
        id="smp.vcpus",
        title=f"Give {domain.name} {count} vcpu{'s' if count > 1 else ''}",
        do=managed(facts, "vcpu-set", domain.name, count),
        where=domain.name,
        why=why,
        slide=slide,
        strength="consider",
        rests_on=(
            Observed("vcpus", domain.vcpus or 0),
            *(
                (percent("they run, together", domain.running_percent),)
                if domain.running_percent is not None
                else ()
            ),
            *(
                (percent("they wait", domain.waiting_percent),)
                if domain.waiting_percent is not None
                else ()
            ),
            Observed("pcpus", len(facts.pcpus)),
        ),
        change=Change(
            (Setting(key_of(domain, "vcpus"), count),),
            (gauges.waiting(domain.name),),
            helped=(domain.name,),
        ),
    )


def too_many_for_load(facts: Facts) -> Iterator[Advice]:
    """Advise fewer vcpus for a domain that uses few of them and waits."""
    for domain in facts.domains:
        wanted, waiting, vcpus = domain.wanted_percent, domain.waiting_percent, domain.vcpus
        capped = 0.0 if domain.cap == 0 else domain.capped_percent
        if vcpus is None or vcpus < 2 or wanted is None or waiting is None or capped != 0:
            continue
        enough = max(1, math.ceil(wanted / 100 / FULL_PART))
        if (facts.idle_for(domain) or 0) < IDLE_PERCENT:
            continue
        if enough >= vcpus or waiting < WAITING_PERCENT or vcpus > len(facts.pcpus) > 0:
            continue
        yield _fewer(
            facts,
            domain,
            enough,
            "Each vcpu takes its turn with those of others, and is behind when it wakes. A kernel "
            "with several waits for locks whose holder has no pcpu. One that is not there does "
            "neither.",
            SUMMARY,
        )


def too_many_for_host(facts: Facts) -> Iterator[Advice]:
    """Advise no more vcpus than there are pcpus."""
    count = len(facts.pcpus)
    for domain in facts.domains:
        if not count or domain.vcpus is None or domain.vcpus <= count:
            continue
        yield _fewer(
            facts,
            domain,
            count,
            "No more vcpus than pcpus can run at a time; the others only hold locks while they "
            "wait.",
            SUMMARY,
        )


def overcommitted(facts: Facts) -> Iterator[Advice]:
    """Advise to move a guest elsewhere from a host on which more is wanted than it has."""
    pcpus = 100.0 * len(facts.pcpus)
    wanted = [one.wanted_percent for one in facts.domains]
    known = [one for one in wanted if one is not None]
    waiting = sum(one.waiting_percent or 0 for one in facts.domains)
    if not pcpus or not known or len(known) < len(wanted) or len(facts.guests) < 2:
        return
    if any((one.vcpus or 0) > len(facts.pcpus) for one in facts.domains):
        return  # that comes first
    if sum(known) < WANTED_PART * pcpus or waiting < WAITING_PART * sum(known):
        return
    over = sum(known) - WANTED_PART * pcpus
    enough = [one for one in facts.guests if (one.wanted_percent or 0) >= over]
    guest = (
        min(enough, key=lambda one: one.wanted_percent or 0)
        if enough
        else max(facts.guests, key=lambda one: one.wanted_percent or 0)
    )
    others = [one for one in facts.domains if one is not guest and (one.waiting_percent or 0) > 0]
    yield Advice(
        id="smp.overcommit",
        title=f"Move {guest.name} to another host",
        do=managed(facts, "migrate", "--live", guest.name, "OTHER"),
        where=facts.host,
        why="More is wanted than the pcpus can do, so that somebody always waits. Weights say "
        "who; only less work, or more pcpus, helps all.",
        slide=SLIDE,
        strength="consider",
        rests_on=(
            percent("wanted in all", sum(known)),
            Observed("pcpus", len(facts.pcpus)),
            part("waited, of what is wanted", waiting / sum(known)),
        ),
        change=Change(
            (Setting(key_of(guest, "workload"), []),),
            tuple(gauges.waiting(one.name) for one in others),
            helped=tuple(one.name for one in others),
        ),
    )
