"""Storage: what backs the disks of guests, and whether another host could reach it."""

from collections.abc import Iterator
from typing import Final

from xenprof.advise import gauges
from xenprof.advise.advice import Advice, Change, Gauge, Observed, Setting
from xenprof.advise.facts import DiskFacts, DomainFacts, Facts
from xenprof.advise.rules.full import BITS_PER_SECOND
from xenprof.advise.rules.memory import PAGING_PER_SECOND
from xenprof.advise.rules.words import in_domain0, in_file, key_of, percent
from xenprof.home import DOMAIN_0

SLIDE: Final = "Red Hat Virt Storage Alternatives"
CENTRAL_SLIDE: Final = "Basic Configuration Recommendations"
SERVED_PERCENT: Final = 3.0  # of a pcpu, judgement: domain 0 for the files of a guest
REQUESTS_PER_SECOND: Final = 10.0  # judgement: below this few wait for a disk
SLOW_MS: Final = 5.0  # judgement: more than a disk with 10,000 rpm takes to turn half round
BUSY_PERCENT: Final = 20.0  # of the time, judgement: the guest has a request at its disk
FILE_KINDS: Final = ("file:", "tap:aio:", "tap:sync:", "tap:qcow:", "tap:vmdk:")
LOCAL: Final = ("disk", "ext3", "lvm")


def is_file(disk: DiskFacts) -> bool:
    """Return whether a disk is known to be a file."""
    return (disk.backend or "").startswith(FILE_KINDS)


def backing(facts: Facts) -> Iterator[Advice]:
    """Advise a volume in place of a file for a disk that costs domain 0 much."""
    for guest in facts.guests:
        served, traffic = guest.served_percent, _traffic(guest)
        if served is None or served < SERVED_PERCENT or traffic:
            continue
        for disk in guest.disks:
            requests = disk.requests_per_second
            if not is_file(disk) or disk.name is None or disk.is_emulated or requests is None:
                continue
            if requests < REQUESTS_PER_SECOND:
                continue
            yield _elsewhere(
                "storage.backing",
                f"Back {disk.name} of {guest.name} by a volume",
                guest,
                disk,
                "/dev/vg0",
                "Requests to a file pass through a process of domain 0 or its page cache, one more "
                "copy and one more queue; those to a volume or partition go to the disk.",
                percent("domain 0 for it", served),
                gauges=(gauges.cost_of_requests(guest.name),),
                helped=(guest.name, DOMAIN_0),
            )


def _traffic(guest: DomainFacts) -> bool:
    """Return whether domain 0 may be busy with the packets of a guest instead."""
    bits = [(vif.receive_bits_per_second, vif.transmit_bits_per_second) for vif in guest.vifs]
    return any(one is None or one >= BITS_PER_SECOND for pair in bits for one in pair)


def shared(facts: Facts) -> Iterator[Advice]:
    """Advise a SAN for a guest that waits for a local disk."""
    for guest in facts.guests:
        paging = guest.page_ins_per_second
        if paging is None or paging >= PAGING_PER_SECOND:
            continue  # ballooning comes first
        for disk in guest.disks:
            requests, wait_ms, busy = disk.requests_per_second, disk.await_ms, disk.busy_percent
            if disk.store not in LOCAL or disk.name is None or disk.is_emulated:
                continue
            if requests is None or wait_ms is None or busy is None:
                continue
            if requests < REQUESTS_PER_SECOND or wait_ms < SLOW_MS or busy < BUSY_PERCENT:
                continue
            yield _elsewhere(
                "storage.shared",
                f"Move {disk.name} of {guest.name} to a SAN",
                guest,
                disk,
                "/dev/san",
                "Local images share one disk and its arm. An array has many, and a cache that "
                "answers writes; and a guest whose disk other hosts reach can be migrated.",
                Observed("a request", round(wait_ms, 1), "ms"),
                Observed("disk busy", round(busy, 1), "% of the time"),
                gauges=(gauges.disk_wait(guest.name),),
                helped=(guest.name,),
                first=(Setting(("host", "store"), {"name": "san", "kind": "fc"}, is_added=True),),
            )


def _elsewhere(
    id_: str,
    title: str,
    guest: DomainFacts,
    disk: DiskFacts,
    folder: str,
    why: str,
    *seen: Observed,
    gauges: tuple[Gauge, ...],
    helped: tuple[str, ...],
    first: tuple[Setting, ...] = (),
) -> Advice:
    """Return advice to move a disk to a device in `folder`; `first` is set where it needs more."""
    name = disk.name or ""
    entry = f"phy:{folder}/{guest.name}-{name},{name},{disk.mode or 'w'}"
    place = f"in place of the entry of {name}, once the disk is copied there"
    return Advice(
        id=id_,
        title=title,
        do=(in_file(guest.name, f"'{entry}'", place),),
        where=f"{guest.name}, {name}",
        why=why,
        slide=SLIDE,
        strength="consider",
        rests_on=(
            Observed("backed by", disk.backend or ""),
            Observed("requests", round(disk.requests_per_second or 0, 1), "1/s"),
            *seen,
        ),
        change=Change((*first, Setting(key_of(guest, "disk", name), entry)), gauges, helped=helped),
    )


def migration(facts: Facts) -> Iterator[Advice]:
    """Tell of guests whose disks are files on a disk of this host."""
    local = [
        guest.name
        for guest in facts.guests
        if any(disk.store == "ext3" and is_file(disk) for disk in guest.disks)
    ]
    unknown = [
        guest.name
        for guest in facts.guests
        if any(disk.store is None and is_file(disk) for disk in guest.disks)
    ]
    if not local and not unknown:
        return
    yield Advice(
        id="storage.migration",
        title="Keep images in one place that other hosts can reach",
        do=in_domain0("mount -t nfs SERVER:FOLDER /var/lib/xen/images"),
        where=", ".join(local or unknown),
        why="A guest can only be migrated if both domains 0 reach its disk under one name. Images "
        "in one place are easily moved to shared storage later, as to a SAN with GFS or to NFS.",
        slide=CENTRAL_SLIDE,
        strength="check",
        rests_on=(Observed("guests with images of this host's own", len(local)),) if local else (),
        unmeasured="the model does not migrate",
    )
