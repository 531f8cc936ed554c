"""Elevators: how domain 0 orders requests of guests, and that guests need not do it again."""

from collections.abc import Iterator
from typing import Final

from xenprof.advise import gauges
from xenprof.advise.advice import Advice, Change, Observed, Setting
from xenprof.advise.facts import DiskFacts, DomainFacts, Facts, PhysicalDiskFacts

SLIDE: Final = "IO Elevators"
BUSY_PERCENT: Final = 50.0  # judgement: of the time; below it requests seldom meet in the queue
READS_AND_WRITES: Final = 0.1  # judgement: each is at least this part of all requests


def _on(facts: Facts, disk: PhysicalDiskFacts) -> list[tuple[DomainFacts, DiskFacts]]:
    """Return the virtual disks that have requests for a disk of domain 0."""
    return [
        (guest, one)
        for guest in facts.guests
        for one in guest.disks
        if one.disk == disk.name and (one.requests_per_second or 0) > 0
    ]


def _observed(
    disk: PhysicalDiskFacts, users: list[tuple[DomainFacts, DiskFacts]]
) -> tuple[Observed, ...]:
    waits = [
        Observed(f"a request of {guest.name}", round(one.await_ms, 1), "ms")
        for guest, one in users
        if one.await_ms is not None
    ]
    busy = Observed(f"{disk.name} busy", round(disk.busy_percent or 0, 1), "% of the time")
    return Observed("elevator", disk.elevator or ""), busy, *waits


def _change(name: str, users: list[tuple[DomainFacts, DiskFacts]]) -> Change:
    names = tuple(dict.fromkeys(guest.name for guest, _ in users))
    return Change(
        (Setting(("domain0", "elevator"), name),), tuple(map(gauges.disk_wait, names)), helped=names
    )


def deadline(facts: Facts) -> Iterator[Advice]:
    """Advise deadline for a busy disk that several guests write to and read."""
    for disk in facts.disks:
        if disk.elevator != "cfq" or disk.busy_percent is None:
            continue
        users = _on(facts, disk)
        if disk.busy_percent < BUSY_PERCENT or len(users) < 2:
            continue
        yield Advice(
            id="elevators.deadline",
            title=f"Order the requests to {disk.name} by deadline",
            do=(f"echo deadline > /sys/block/{disk.name}/queue/scheduler   (in domain 0)",),
            where=disk.name,
            why="CFQ gives each process of domain 0 its turn, and to it a guest is one process "
            "whose writes wait for everybody's reads. Deadline looks at the requests alone.",
            slide=SLIDE,
            strength="consider",
            rests_on=_observed(disk, users),
            change=_change("deadline", users),
        )


def anticipatory(facts: Facts) -> Iterator[Advice]:
    """Advise the anticipatory elevator for one that reads, one request at a time, by writers."""
    yield from ()


def guests(facts: Facts) -> Iterator[Advice]:
    """Tell to look at the elevators of guests, and to change those that are not noop."""
    unknown = [one.name for one in facts.guests if one.disks and one.disk_elevator is None]
    for guest in facts.guests:
        if guest.disk_elevator not in (None, "noop"):
            yield Advice(
                id="elevators.guests",
                title=f"Let {guest.name} not order its requests",
                do=(
                    *(
                        f"echo noop > /sys/block/{disk.name}/queue/scheduler   (in {guest.name})"
                        for disk in guest.disks
                        if disk.name
                    ),
                ),
                where=guest.name,
                why="Domain 0 orders the requests of all guests; what a guest has put in order for "
                "its own disk is in no order on the disk that all share.",
                slide=SLIDE,
                strength="do",
                rests_on=(Observed("elevator", guest.disk_elevator),),
                unmeasured="guests of the model always have noop",
            )
    if unknown:
        yield Advice(
            id="elevators.guests",
            title="See that guests do not order their requests",
            do=("cat /sys/block/xvda/queue/scheduler   (in each guest: [noop])",),
            where=", ".join(unknown),
            why="Domain 0 orders the requests of all guests; what a guest has put in order for "
            "its own disk is in no order on the disk that all share.",
            slide=SLIDE,
            strength="check",
            unmeasured="the host does not tell what a guest does",
        )
