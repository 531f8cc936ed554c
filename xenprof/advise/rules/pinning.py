"""Pinning: threads of a core, domain 0, and memory nodes."""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from hypervisor.cpus import format_cpus
from xenprof.advise import gauges
from xenprof.advise.advice import Advice, Change, Command, Observed, Setting
from xenprof.advise.facts import DomainFacts, Facts, PcpuFacts, VcpuFacts
from xenprof.advise.rules.words import key_of, managed, part, percent
from xenprof.home import DOMAIN_0

SLIDE: Final = "Enhance CPU Perf w/ Vcpu-pin Tuning"
BUSY_THREAD_PERCENT: Final = 60.0  # judgement: a thread that slows its neighbour most of the time
IDLE_CORE_PERCENT: Final = 30.0  # judgement: of one pcpu, all threads of the core together
BUSY_VCPU_PERCENT: Final = 50.0  # judgement: a vcpu that is worth a core
DOMAIN0_PERCENT: Final = 50.0  # judgement: domain 0 can fill half of a pcpu of its own
DOMAIN0_WAITS_PART: Final = 0.2  # judgement: as of a starved domain (weights)
IDLE_PERCENT: Final = 150.0  # judgement: guests can do without the pcpu, and half of another
NODES_CPU: Final = "hammer"  # each socket has memory of its own
MIGRATIONS_PER_SECOND: Final = 1.0  # judgement: over a second, caches and memory are far enough

_Core = tuple[int | None, int | None]


def threads(facts: Facts) -> Iterator[Advice]:
    """Advise to pin a busy vcpu to an idle core if it shares one with another that is busy."""
    cores: dict[_Core, list[PcpuFacts]] = {}
    for one in facts.pcpus:
        if one.core is None or one.busy_percent is None:
            return
        cores.setdefault((one.socket, one.core), []).append(one)
    crowded = [
        core
        for core in cores.values()
        if len(core) > 1 and sum((one.busy_percent or 0) >= BUSY_THREAD_PERCENT for one in core) > 1
    ]
    idle = [
        core
        for core in cores.values()
        if sum(one.busy_percent or 0 for one in core) <= IDLE_CORE_PERCENT
    ]
    for core, free in zip(crowded, idle, strict=False):
        found = _movable(facts, {one.pcpu for one in core})
        if found is not None:
            yield _moved(facts, *found, core, free)


def _movable(facts: Facts, pcpus: set[int]) -> tuple[DomainFacts, VcpuFacts] | None:
    """Return the busiest vcpu of a guest on these pcpus, if it is not the only busy one."""
    found = [
        (guest, one)
        for guest in facts.guests
        for one in guest.online
        if one.place in pcpus and (one.load_percent or 0) >= BUSY_VCPU_PERCENT
    ]
    if len(found) < 2:
        return None
    return max(found, key=lambda one: (one[1].load_percent or 0, -one[0].domid, -one[1].vcpu))


def _moved(
    facts: Facts, guest: DomainFacts, busy: VcpuFacts, core: list[PcpuFacts], free: list[PcpuFacts]
) -> Advice:
    vcpu, there = busy.vcpu, format_cpus(tuple(one.pcpu for one in free))
    pins = {one.vcpu: _pins(facts, one) for one in guest.online} | {vcpu: there}
    cpus = [pins.get(number, "") for number in range(max(pins) + 1)]
    names = ", ".join(str(one.pcpu) for one in core)
    return Advice(
        id="pinning.threads",
        title=f"Pin vcpu {vcpu} of {guest.name} to a core that is idle",
        do=managed(facts, "vcpu-pin", guest.name, vcpu, there),
        where=f"{guest.name}, vcpu {vcpu}",
        why="Threads of a core share its units and its cache. The scheduler takes each for a "
        "processor and does not see that a whole core has nothing to do.",
        slide=SLIDE,
        strength="do",
        rests_on=(
            percent(f"vcpu {vcpu} of {guest.name}", busy.load_percent or 0),
            *(percent(f"pcpu {one.pcpu} busy", one.busy_percent or 0) for one in core),
            percent(f"pcpus {there} busy", sum(one.busy_percent or 0 for one in free)),
            Observed("threads of one core", names),
        ),
        change=Change(
            (Setting(key_of(guest, "cpus"), cpus),),
            (),
            helped=(guest.name, *_sharing(facts, {one.pcpu for one in core}, guest)),
        ),
    )


def _pins(facts: Facts, vcpu: VcpuFacts) -> str:
    """Return the pcpus of a vcpu as a scenario has them: "" for all."""
    every = {one.pcpu for one in facts.pcpus}
    allowed = set(every if vcpu.affinity is None else vcpu.affinity) & every
    return "" if allowed == every else format_cpus(allowed)


def _pinned(facts: Facts, guest: DomainFacts, there: str) -> tuple[Command, ...]:
    """Return commands for all vcpus of a guest: xm of 3.1 knows no word for them."""
    return tuple(
        command
        for one in guest.online
        for command in managed(facts, "vcpu-pin", guest.name, one.vcpu, there)
    )


def _sharing(facts: Facts, pcpus: set[int], guest: DomainFacts) -> tuple[str, ...]:
    return tuple(
        one.name
        for one in facts.guests
        if one is not guest and any(vcpu.place in pcpus for vcpu in one.online)
    )


def domain0(facts: Facts) -> Iterator[Advice]:
    """Advise a pcpu of its own for a domain 0 that waits and would fill much of it."""
    own = facts.domain0
    if own is None or own.running_percent is None or own.waiting_part is None:
        return
    if own.running_percent < DOMAIN0_PERCENT or own.waiting_part < DOMAIN0_WAITS_PART:
        return
    if (facts.idle_percent or 0) < IDLE_PERCENT or own.vcpus is None:
        return
    pins = {one.domid: facts.is_pinned(one) for one in facts.domains}
    if None in pins.values() or pins[own.domid]:
        return
    free = [one for one in facts.guests if not pins[one.domid]]
    used = {
        pcpu
        for guest in facts.guests
        if pins[guest.domid]
        for one in guest.online
        for pcpu in one.affinity or ()
    }
    taken = math.ceil(own.running_percent / 100)
    every = [one.pcpu for one in facts.pcpus]
    pcpus = [one for one in every if one not in used][:taken]
    others = [one for one in every if one not in pcpus]
    if len(pcpus) < taken or len(others) < max(2, *(one.vcpus or 0 for one in free), 0):
        return
    yield _apart(facts, own, free, pcpus, format_cpus(others))


def _apart(
    facts: Facts, own: DomainFacts, free: Sequence[DomainFacts], pcpus: Sequence[int], others: str
) -> Advice:
    taken = len(pcpus)
    return Advice(
        id="pinning.domain0",
        title="Give domain 0 a pcpu of its own",
        do=(
            *(managed(facts, "vcpu-set", DOMAIN_0, taken) if (own.vcpus or 0) > taken else ()),
            *(
                command
                for vcpu, pcpu in enumerate(pcpus)
                for command in managed(facts, "vcpu-pin", DOMAIN_0, vcpu, pcpu)
            ),
            *(command for guest in free for command in _pinned(facts, guest, others)),
        ),
        where=DOMAIN_0,
        why="All packets and blocks of guests pass through domain 0. While it waits for a pcpu, "
        "every guest waits for it.",
        slide=SLIDE,
        strength="consider",
        rests_on=(
            percent("domain 0 runs", own.running_percent or 0),
            part("it waits, of its time", own.waiting_part or 0),
            percent("idle in all", facts.idle_percent or 0),
        ),
        change=Change(
            (
                Setting(("domain0", "vcpus"), taken),
                Setting(("domain0", "cpus"), [str(one) for one in pcpus]),
                *(Setting(key_of(guest, "cpus"), others) for guest in free),
            ),
            (gauges.waiting(DOMAIN_0),),
            helped=(DOMAIN_0,),
        ),
    )


def nodes(facts: Facts) -> Iterator[Advice]:
    """Tell to pin guests to one socket where sockets have memory of their own."""
    sockets: dict[int, list[int]] = {}
    for one in facts.pcpus:
        if one.socket is None:
            return
        sockets.setdefault(one.socket, []).append(one.pcpu)
    if facts.cpu_type != NODES_CPU or len(sockets) < 2:
        return
    for guest in facts.guests:
        migrations, running = guest.migrations_per_second, guest.running_percent
        allowed = [set(one.affinity) for one in guest.online if one.affinity is not None]
        if migrations is None or running is None or len(allowed) < len(guest.online):
            continue
        if migrations < MIGRATIONS_PER_SECOND or running < BUSY_VCPU_PERCENT or not allowed:
            continue
        if any(all(one <= set(pcpus) for one in allowed) for pcpus in sockets.values()):
            continue
        there = format_cpus(tuple(sockets[guest.domid % len(sockets)]))
        yield Advice(
            id="pinning.nodes",
            title=f"Keep {guest.name} on one socket",
            do=_pinned(facts, guest, there),
            where=guest.name,
            why="Each socket has memory of its own, and what lies in another's takes longer. This "
            "Xen knows nothing of that and moves vcpus from one socket to the other.",
            slide=SLIDE,
            strength="check",
            rests_on=(
                Observed("moved to another pcpu", round(migrations, 1), "1/s"),
                percent("it runs", running),
            ),
            unmeasured="the model has no memory nodes",
        )
