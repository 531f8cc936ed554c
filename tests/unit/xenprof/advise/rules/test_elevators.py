from dataclasses import replace

import pytest

from tests.support.advising import change_of, commands, disk, facts, given, guest, ids
from xenprof.advise.facts import PhysicalDiskFacts

KNOWN = {"disk": "sda", "writes_per_second": 0.0}
SLOW = disk(reads_per_second=10.0, await_ms=90.0, **KNOWN)
FAST = disk(reads_per_second=100.0, await_ms=30.0, **KNOWN)
SDA = PhysicalDiskFacts("sda", "cfq", 80.0)


def host(one=SLOW, other=FAST, sda=SDA):
    """Return a host whose guests have noop, so that nothing is told of that."""
    first = guest(disks=(one,), disk_elevator="noop")
    return facts(first, guest("db", 2, disks=(other,), disk_elevator="noop"), disks=(sda,))


def test_deadline_is_for_a_busy_disk_of_which_cfq_lets_one_guest_wait():
    command = "echo deadline > /sys/block/sda/queue/scheduler"
    assert (command,) == commands(host())


@pytest.mark.parametrize(
    "calm",
    [
        host(sda=replace(SDA, busy_percent=79.9)),
        host(sda=replace(SDA, elevator="deadline")),
        host(sda=replace(SDA, elevator=None)),
        host(one=replace(SLOW, await_ms=89.9)),
        host(one=replace(SLOW, disk="sdb")),
        host(one=replace(SLOW, await_ms=None)),
    ],
    ids=["idle", "has it", "unknown elevator", "even", "another disk", "unknown wait"],
)
def test_else_cfq_stays(calm):
    assert [] == ids(calm)


@pytest.mark.parametrize(
    ("store", "path", "value"),
    [
        ("san", ("host", "store", "san", "elevator"), "deadline"),
        (None, ("host", "store"), {"name": "sda", "kind": "disk", "elevator": "deadline"}),
    ],
)
def test_the_change_is_of_the_disk_of_the_command(store, path, value):
    [advice] = given(host(sda=replace(SDA, store=store)))
    [setting] = change_of(advice).settings
    assert (path, value) == (setting.path, setting.value)


READS_ON = replace(FAST, busy_percent=90.0, outstanding=6.0)
BY_DEADLINE = replace(SDA, elevator="deadline")


@pytest.mark.parametrize("elevator", ["deadline", "noop"])
def test_anticipatory_is_for_one_who_reads_on(elevator):
    command = "echo anticipatory > /sys/block/sda/queue/scheduler"
    assert (command,) == commands(host(one=READS_ON, sda=replace(SDA, elevator=elevator)))


@pytest.mark.parametrize(
    "changed",
    [
        {"busy_percent": 89.9},
        {"outstanding": 6.1},
        {"writes_per_second": 2.1},
        {"outstanding": None},
        {"busy_percent": None},
    ],
)
def test_else_it_is_not(changed):
    assert [] == ids(host(one=replace(READS_ON, **changed), sda=BY_DEADLINE))


def test_a_guest_with_an_elevator_is_told_to_have_none():
    other = facts(guest(disks=(disk(),), disk_elevator="cfq"))
    assert ("echo noop > /sys/block/xvda/queue/scheduler",) == commands(other, "web")


def test_for_emulated_disks_drivers_come_first():
    assert [] == ids(facts(guest(disks=(disk(is_emulated=True),), disk_elevator="cfq")))


def test_what_a_guest_has_that_cannot_be_seen_is_to_be_checked():
    assert ["elevators.guests"] == ids(facts(guest(disks=(disk(),))))
