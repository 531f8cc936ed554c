"""Weights and caps: guests that others starve, and caps that leave pcpus idle."""

from collections.abc import Iterator, Sequence
from typing import Final

from xenprof.advise import gauges
from xenprof.advise.advice import Advice, Change, Observed, Setting
from xenprof.advise.facts import DomainFacts, Facts
from xenprof.advise.rules.words import SCHEDULERS, key_of, part, percent, scheduled
from xenprof.home import DOMAIN_0

SLIDE: Final = "Xen CPU Schedulers : New Default"
SUMMARY: Final = "Red Hat Xen Performance Summary"
DEFAULT_WEIGHT: Final = 256  # the slide's
STARVED_PART: Final = 0.2  # judgement: it waits for a fifth of the time that it wants to run
STARVED_PERCENT: Final = 5.0  # of a pcpu, judgement: less than that is no loss worth a change
HELD_PERCENT: Final = 5.0  # of a pcpu, judgement: parked by a cap
WORKS_PERCENT: Final = 5.0  # of a pcpu, judgement: domain 0 does something for guests
RAISED_WEIGHT: Final = 512  # judgement: twice the default
SHORT_PART: Final = 0.01  # judgement: idle time of the host; only without any do weights matter
IDLE_PERCENT: Final = 50.0  # of a pcpu, judgement: idle time that a cap leaves unused


def is_starved(domain: DomainFacts) -> bool:
    """Return whether a domain waits for pcpus much of the time, as far as that is known."""
    part, waiting = domain.waiting_part, domain.waiting_percent
    if part is None or waiting is None:
        return False
    return part >= STARVED_PART and waiting >= STARVED_PERCENT


def starved(facts: Facts) -> Iterator[Advice]:
    """Advise to give a domain the default weight if others wait beside it for its sake."""
    if facts.scheduler not in SCHEDULERS:
        return
    waiting = [one for one in facts.domains if is_starved(one) and one.weight is not None]
    for heavy in facts.guests:  # domain 0's weight is advised, and serves all
        weight, running = heavy.weight, heavy.running_percent
        if weight is None or weight <= DEFAULT_WEIGHT or running is None:
            continue
        if heavy.waiting_part is None or is_starved(heavy):
            continue
        victims = [one for one in waiting if (one.weight or 0) < weight]
        wanted = max((one.wanted_percent or 0 for one in victims), default=0)
        if not victims or running <= wanted:
            continue
        yield Advice(
            id="weights.starved",
            title=f"Give {heavy.name} the default weight",
            do=scheduled(facts, heavy.name, "-w", DEFAULT_WEIGHT),
            where=heavy.name,
            why="A weight is a share of the processors while they are short. This one is above "
            "that of neighbours who wait for a pcpu much of the time that they want to run.",
            slide=SLIDE,
            strength="consider",
            rests_on=(
                Observed("weight", weight),
                percent(f"{heavy.name} runs", running),
                *(part(f"{one.name} waits, of its time", one.waiting_part or 0) for one in victims),
            ),
            change=Change(
                (Setting(key_of(heavy, "weight"), DEFAULT_WEIGHT),),
                tuple(gauges.waiting(one.name) for one in victims),
                helped=tuple(one.name for one in victims),
            ),
        )


def domain0(facts: Facts) -> Iterator[Advice]:
    """Advise a higher weight for a domain 0 that waits on a host without idle pcpus."""
    own, idle = facts.domain0, facts.idle_percent
    if own is None or own.weight is None or idle is None or not is_starved(own):
        return
    weights = [guest.weight for guest in facts.guests]
    if facts.scheduler not in SCHEDULERS or own.weight > DEFAULT_WEIGHT:
        return
    if (own.running_percent or 0) < WORKS_PERCENT:
        return
    if idle > SHORT_PART * 100 * len(facts.pcpus) or not _are_usual(weights):
        return
    yield Advice(
        id="weights.domain0",
        title="Give domain 0 a higher weight than guests have",
        do=scheduled(facts, DOMAIN_0, "-w", RAISED_WEIGHT),
        where=DOMAIN_0,
        why="All packets and blocks of guests pass through domain 0: while it waits for a pcpu, "
        "so do they. It takes no more than that work needs.",
        slide=SUMMARY,
        strength="consider",
        rests_on=(
            Observed("weight", own.weight),
            percent("domain 0 runs", own.running_percent or 0),
            part("it waits, of its time", own.waiting_part or 0),
            percent("idle in all", idle),
        ),
        change=Change(
            (Setting(("domain0", "weight"), RAISED_WEIGHT),),
            (gauges.waiting(DOMAIN_0),),
            helped=(DOMAIN_0,),
        ),
    )


def _are_usual(weights: Sequence[int | None]) -> bool:
    """Return whether no guest is known to have a weight above the default: that comes first."""
    return all(one is not None and one <= DEFAULT_WEIGHT for one in weights)


def capped(facts: Facts) -> Iterator[Advice]:
    """Advise to lift a cap that holds a domain back while pcpus are idle."""
    if facts.scheduler not in SCHEDULERS:
        return
    for domain in facts.domains:
        held, cap, idle = domain.capped_percent, domain.cap, facts.idle_for(domain)
        if not cap or held is None or idle is None:
            continue
        if held < HELD_PERCENT or idle < max(IDLE_PERCENT, held):
            continue
        has_disks = any(disk.await_ms is not None for disk in domain.disks)
        yield Advice(
            id="weights.capped",
            title=f"Lift the cap of {domain.name}",
            do=scheduled(facts, domain.name, "-c", 0),
            where=domain.name,
            why="A cap parks a domain even when no other wants the pcpu. Weights share what is "
            "short and leave the rest to whoever can use it.",
            slide=SLIDE,
            strength="consider",
            rests_on=(
                Observed("cap", cap, "% of a pcpu"),
                percent("parked by it", held),
                percent("idle of its pcpus", idle),
            ),
            change=Change(
                (Setting(key_of(domain, "cap"), 0),),
                (
                    gauges.capped(domain.name),
                    *((gauges.disk_wait(domain.name),) if has_disks else ()),
                ),
                helped=(domain.name,),
            ),
        )
