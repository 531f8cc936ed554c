"""Memory: ballooning before swapping."""

from collections.abc import Iterator, Sequence
from typing import Final

from xenprof.advise import gauges
from xenprof.advise.advice import Advice, Change, Command, Observed, Setting
from xenprof.advise.facts import DomainFacts, Facts
from xenprof.advise.rules.words import in_file, key_of, managed, mib

SLIDE: Final = "Memory ballooning"
SUMMARY: Final = "Red Hat Xen Performance Summary"
PAGING_PER_SECOND: Final = 1.0  # judgement: pages read back; what was swapped out once may stay so
SPARE_PART: Final = 0.125  # judgement: what a guest shall have above what it needs
TIGHT_PART: Final = 0.9  # judgement: of its memory is needed
LENT_PART: Final = 0.5  # judgement: who needs less than this of its memory may lend some
LEAST_DOMAIN0_MIB: Final = 256  # dom0-min-mem of RHEL 5's xend-config.sxp
STEP_MIB: Final = 32  # judgement: sizes are rounded up to that


def enough_mib(needed_mib: float) -> int:
    """Return the memory for a need, with some to spare, in whole steps."""
    wanted = needed_mib * (1 + SPARE_PART)
    return -(-int(wanted) // STEP_MIB) * STEP_MIB


def balloon(facts: Facts) -> Iterator[Advice]:
    """Advise to give a guest that swaps, or has killed processes, memory that nobody uses.

    No memory is promised twice.
    """
    free = facts.free_mib
    lenders = list(facts.domains)
    for guest in facts.guests:
        wanted = _wanted_mib(guest)
        if free is None or wanted is None:
            continue
        missing = wanted - (guest.memory_mib or 0)
        lender = None
        if free < missing:
            lender = _lender(lenders, guest, missing - free)
            if lender is None:
                continue
            lenders.remove(lender)
        yield _grown(facts, guest, wanted, lender, max(0, missing - free))
        free = max(0, free - missing)


def _wanted_mib(guest: DomainFacts) -> int | None:
    """Return what a guest is to have that is short of memory; None if it is not, or may not be.

    What its ceiling allows will do, if it is enough for what it needs.
    """
    paging, kills = guest.page_ins_per_second or 0.0, guest.oom_kills or 0
    has, needs, most = guest.memory_mib, guest.demand_mib, guest.maximum_mib
    if has is None or needs is None or (paging < PAGING_PER_SECOND and not kills):
        return None
    wanted = enough_mib(max(needs, has + 1))
    if guest.is_memory_unlimited:
        return wanted
    if most is None:
        return None
    return most if has < most < wanted and needs <= most else wanted


def _lender(lenders: Sequence[DomainFacts], guest: DomainFacts, missing: int) -> DomainFacts | None:
    """Return the domain that has most to spare, if that is enough."""
    spare: dict[int, DomainFacts] = {}
    for one in lenders:
        if one.memory_mib is None or one.demand_mib is None or one.domid == guest.domid:
            continue
        least = enough_mib(one.demand_mib)
        left = one.memory_mib - max(least, LEAST_DOMAIN0_MIB if one.is_domain0 else 0)
        if one.demand_mib < LENT_PART * one.memory_mib and left >= missing:
            spare[left] = one
    return spare[max(spare)] if spare else None


def _grown(
    facts: Facts, guest: DomainFacts, wanted: int, lender: DomainFacts | None, lent: int
) -> Advice:
    """Return the advice; a kernel has a map of what its ceiling was when it started, and no more.

    Source: `hypervisor/model/memory/balloon.py`.
    """
    has, needs = guest.memory_mib or 0, guest.demand_mib or 0
    can_grow = guest.is_memory_unlimited or (guest.maximum_mib or 0) >= wanted
    can_grow = can_grow and guest.kind != "hvm"  # which has no balloon driver
    commands: list[Command] = []
    settings = [Setting(key_of(guest, "memory_mib"), wanted)]
    observed = [mib("memory", has), mib("needed", needs)]
    if not guest.is_memory_unlimited:
        observed.append(mib("ceiling", guest.maximum_mib or 0))
    if guest.page_ins_per_second is not None:
        observed.append(
            Observed("pages read from swap", round(guest.page_ins_per_second, 1), "1/s")
        )
    if guest.oom_kills:
        observed.append(Observed("processes killed for lack of memory", guest.oom_kills))
    if lender is not None:
        left = (lender.memory_mib or 0) - lent
        commands += managed(facts, "mem-set", lender.name, left)
        settings.append(Setting(key_of(lender, "memory_mib"), left))
        observed += [
            mib(f"memory of {lender.name}", lender.memory_mib or 0),
            mib(f"needed by {lender.name}", lender.demand_mib or 0),
        ]
    elif facts.free_mib is not None:
        observed.append(mib("free in the host", facts.free_mib))
    if can_grow:
        commands += managed(facts, "mem-set", guest.name, wanted)
    else:
        settings.append(Setting(key_of(guest, "maxmem_mib"), wanted))
        commands += [in_file(guest.name, f"{key} = {wanted}") for key in ("memory", "maxmem")]
    source = "nobody has" if lender is None else f"{lender.name} does not need"
    short = "needs more than it has" if needs > has else "has needed more than it has"
    how = (
        f"its balloon driver takes memory that {source}, while it runs."
        if can_grow
        else f"there is memory that {source}, but it cannot take it before it starts anew."
    )
    return Advice(
        id="memory.balloon",
        title=f"Let {guest.name} {'grow to' if can_grow else 'start with'} {wanted} MiB",
        do=tuple(commands),
        where=guest.name,
        why="A page from the disk takes a thousand times as long as one that is there. The guest "
        f"{short}; {how}",
        slide=SLIDE,
        strength="do" if can_grow else "consider",
        rests_on=tuple(observed),
        change=Change(
            tuple(settings),
            (gauges.paged_in(guest.name), gauges.disk_wait(guest.name)),
            helped=(guest.name,),
        ),
    )


def maximum(facts: Facts) -> Iterator[Advice]:
    """Advise a higher ceiling for a guest that needs nearly all its memory and cannot grow."""
    for guest in facts.guests:
        has, needs, most = guest.memory_mib, guest.demand_mib, guest.maximum_mib
        if has is None or needs is None or most is None or guest.is_memory_unlimited:
            continue
        if guest.page_ins_per_second is None or guest.oom_kills is None:
            continue
        is_pressed = guest.page_ins_per_second >= PAGING_PER_SECOND or guest.oom_kills
        if is_pressed or needs < TIGHT_PART * has or most > has:
            continue
        wanted = enough_mib(has)
        if facts.free_mib is None or facts.free_mib < wanted - has:
            continue
        yield Advice(
            id="memory.maximum",
            title=f"Let {guest.name} be able to grow",
            do=(in_file(guest.name, f"maxmem = {wanted}"),),
            where=guest.name,
            why="It needs nearly all that it has, and its ceiling is what it has: when it needs "
            "more it will swap, and neither mem-set nor mem-max will be of use, since its kernel "
            "has no map of more.",
            slide=SUMMARY,
            strength="consider",
            rests_on=(
                mib("memory", has),
                mib("needed", needs),
                mib("ceiling", most),
                mib("free in the host", facts.free_mib),
            ),
            unmeasured="it changes nothing until the guest needs more",
        )
