from dataclasses import replace

import pytest

from tests.support.advising import change_of, commands, disk, facts, given, guest, ids
from xenprof.advise.advice import Command

FILE = "the configuration file of web"
PLACE = "in place of the entry of xvda, once the disk is copied there"
IMAGE = disk(
    backend="tap:aio:/var/lib/xen/images/web.dsk",
    reads_per_second=10.0,
    writes_per_second=0.0,
    is_emulated=False,
)
SERVED = guest(served_percent=3.0, disks=(IMAGE,), disk_elevator="noop")


def with_disk(owner, **changed):
    return replace(owner, disks=(replace(owner.disks[0], **changed),))


def advice_ids(*guests):
    """Return what is advised, without what is told of all images."""
    return [one for one in ids(facts(*guests)) if one != "storage.migration"]


def test_a_file_that_costs_domain_0_much_becomes_a_volume():
    [first, _] = given(facts(SERVED))
    command = Command(f"{FILE}, {PLACE}", "'phy:/dev/vg0/web-xvda,xvda,w'")
    assert ("storage.backing", (command,)) == (first.id, first.do)
    # More requests than before cost domain 0 more, though each costs less.
    [gauge] = change_of(first).gauges
    assert ("domain.web.vbds.*.answered_requests",) == gauge.measure.per


@pytest.mark.parametrize(
    "owner",
    [
        replace(SERVED, served_percent=2.9),
        replace(SERVED, served_percent=None),
        with_disk(SERVED, reads_per_second=9.9),
        with_disk(SERVED, reads_per_second=None),
        with_disk(SERVED, backend="phy:/dev/sdb1"),
        with_disk(SERVED, backend=None),
    ],
    ids=["cheap", "unknown cost", "idle", "unknown", "a volume", "unknown backend"],
)
def test_else_it_stays_a_file(owner):
    assert [] == advice_ids(owner)


SLOW = disk(
    backend="phy:/dev/sdb1",
    store="disk",
    reads_per_second=5.0,
    writes_per_second=5.0,
    await_ms=5.0,
    busy_percent=20.0,
)
WAITS = guest(disks=(SLOW,), disk_elevator="noop", page_ins_per_second=0.0)


@pytest.mark.parametrize("store", ["disk", "ext3", "lvm"])
def test_a_guest_that_waits_for_a_local_disk_moves_to_a_san(store):
    found = commands(facts(with_disk(WAITS, store=store)), f"{FILE}, {PLACE}")
    assert ("'phy:/dev/san/web-xvda,xvda,w'",) == found


@pytest.mark.parametrize(
    "owner",
    [
        with_disk(WAITS, store="fc"),
        with_disk(WAITS, store=None),
        with_disk(WAITS, await_ms=4.9),
        with_disk(WAITS, await_ms=None),
        with_disk(WAITS, busy_percent=19.9),
        with_disk(WAITS, reads_per_second=4.9),
        replace(WAITS, page_ins_per_second=1.0),
        replace(WAITS, page_ins_per_second=None),
    ],
    ids=["there", "unknown store", "fast", "unknown", "idle", "few", "swaps", "may swap"],
)
def test_else_it_stays(owner):
    assert [] == advice_ids(owner)


def test_images_of_one_host_are_told_of():
    local = guest(disks=(disk(backend="file:/a", store="ext3"),), disk_elevator="noop")
    [advice] = given(facts(local))
    assert ("storage.migration", "check", 1) == (
        advice.id,
        advice.strength,
        advice.rests_on[0].value,
    )


def test_where_images_are_that_nobody_knows_of_is_to_be_checked():
    unknown = guest(disks=(disk(backend="file:/a"),), disk_elevator="noop")
    [advice] = given(facts(unknown))
    assert ("storage.migration", ()) == (advice.id, advice.rests_on)


@pytest.mark.parametrize("store", ["fc", "nfs", "gfs"])
def test_shared_images_are_not(store):
    shared = guest(disks=(disk(backend="file:/a", store=store),), disk_elevator="noop")
    assert [] == ids(facts(shared))
