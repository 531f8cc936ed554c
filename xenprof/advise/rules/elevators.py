"""Elevators: how domain 0 orders requests of guests, and that guests need not do it again."""

from collections.abc import Iterator
from typing import Final

from xenprof.advise import gauges
from xenprof.advise.advice import Advice, Change, Command, Observed, Setting
from xenprof.advise.facts import DiskFacts, DomainFacts, Facts, PhysicalDiskFacts
from xenprof.advise.rules.words import in_domain0

SLIDE: Final = "IO Elevators"
BUSY_PERCENT: Final = 80.0  # judgement: of the time; below it requests seldom meet in the queue
UNEVEN: Final = 3.0  # judgement: a request of one guest takes that many times as long as another's
ONE_AFTER_ANOTHER: Final = 6.0  # judgement: two windows of read-ahead, 128 KiB in 44 KiB requests
ALWAYS_PERCENT: Final = 90.0  # judgement: of the time, then it asks again as soon as it has read
READS_ONLY: Final = 0.02  # judgement: a smaller part of writes is not what it waits for
_WHY_NOOP: Final = (
    "Domain 0 orders the requests of all guests; what a guest has put in order for its own disk is "
    "in no order on the disk that all share."
)


def _scheduler(disk: str) -> str:
    """Return the file that chooses the elevator of a disk."""
    return f"/sys/block/{disk}/queue/scheduler"


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


def _change(
    disk: PhysicalDiskFacts, elevator: str, users: list[tuple[DomainFacts, DiskFacts]]
) -> Change:
    """Return the change of this disk alone; without a table it is the one that scenarios have."""
    names = tuple(dict.fromkeys(guest.name for guest, _ in users))
    table = {"name": "sda", "kind": "disk", "elevator": elevator}
    setting = (
        Setting(("host", "store"), table, is_added=True)
        if disk.store is None
        else Setting(("host", "store", disk.store, "elevator"), elevator)
    )
    return Change((setting,), tuple(map(gauges.disk_wait, names)), helped=names)


def deadline(facts: Facts) -> Iterator[Advice]:
    """Advise deadline for a busy disk of which CFQ lets one guest wait far longer than others."""
    for disk in facts.disks:
        if disk.elevator != "cfq" or (disk.busy_percent or 0) < BUSY_PERCENT:
            continue
        users = [(guest, one) for guest, one in _on(facts, disk) if one.await_ms]
        waits = [one.await_ms or 0 for _, one in users]
        if len(users) < 2 or max(waits) < UNEVEN * min(waits):
            continue
        users.sort(key=lambda user: -(user[1].await_ms or 0))
        yield Advice(
            id="elevators.deadline",
            title=f"Order the requests to {disk.name} by deadline",
            do=in_domain0(f"echo deadline > {_scheduler(disk.name)}"),
            where=disk.name,
            why="CFQ gives the disk to one process of domain 0 after the other, and a guest is one "
            "process to it, whose writes wait for all who read. Deadline lets no request wait for "
            "long, whose ever it is; who reads in sequence may lose by that.",
            slide=SLIDE,
            strength="consider",
            rests_on=_observed(disk, users),
            change=_change(disk, "deadline", users[:1]),
        )


def anticipatory(facts: Facts) -> Iterator[Advice]:
    """Advise the anticipatory elevator for a guest that reads one thing after another."""
    for disk in facts.disks:
        if disk.elevator not in ("deadline", "noop") or (disk.busy_percent or 0) < BUSY_PERCENT:
            continue
        users = _on(facts, disk)
        readers = [(guest, one) for guest, one in users if _reads_on(one)]
        if not readers or len(users) < 2:
            continue
        yield Advice(
            id="elevators.anticipatory",
            title=f"Let {disk.name} wait for the next read",
            do=in_domain0(f"echo anticipatory > {_scheduler(disk.name)}"),
            where=disk.name,
            why="A guest that reads one thing after another asks again a moment after each answer. "
            "This elevator waits for that moment before it lets the arm go elsewhere: best for "
            "interactive work, at the cost of those who have many requests at a time.",
            slide=SLIDE,
            strength="consider",
            rests_on=_observed(disk, users),
            change=_change(disk, "anticipatory", readers),
        )


def _reads_on(disk: DiskFacts) -> bool:
    """Return whether a guest reads, all the time and no more at once than one reader does."""
    reads, writes = disk.reads_per_second, disk.writes_per_second
    busy, at_a_time = disk.busy_percent, disk.outstanding
    if reads is None or writes is None or busy is None or at_a_time is None:
        return False
    is_reading = reads > 0 and writes <= READS_ONLY * reads
    return is_reading and busy >= ALWAYS_PERCENT and at_a_time <= ONE_AFTER_ANOTHER


def guests(facts: Facts) -> Iterator[Advice]:
    """Tell to look at the elevators of guests, and to change those that are not noop."""
    unknown = [one.name for one in facts.guests if one.disks and one.disk_elevator is None]
    for guest in facts.guests:
        # What is emulated looks like a drive of its own; drivers for Xen come first.
        names = [one.name for one in guest.disks if one.name and one.is_emulated is not True]
        if guest.disk_elevator not in (None, "noop") and names:
            yield Advice(
                id="elevators.guests",
                title=f"Let {guest.name} not order its requests",
                do=tuple(Command(guest.name, f"echo noop > {_scheduler(name)}") for name in names),
                where=guest.name,
                why=_WHY_NOOP,
                slide=SLIDE,
                strength="do",
                rests_on=(Observed("elevator", guest.disk_elevator),),
                unmeasured="guests of the model always have noop",
            )
    if unknown:
        yield Advice(
            id="elevators.guests",
            title="See that guests do not order their requests",
            do=(Command(", ".join(unknown), "cat /sys/block/*/queue/scheduler"),),
            where=", ".join(unknown),
            why=f"{_WHY_NOOP} The one that a disk has stands in brackets: [noop].",
            slide=SLIDE,
            strength="check",
            unmeasured="the host does not tell what a guest does",
        )
