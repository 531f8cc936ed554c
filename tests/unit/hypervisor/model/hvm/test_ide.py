"""Emulated disks by themselves: commands of at most 128 KiB, one at a time for each disk."""

import pytest

from hypervisor.model.storage.blkio import AnyBlockIo, BlockIo
from tests.support.model.disks import KIB, MS, SECOND
from tests.support.model.hosts import domain, make_host

FAR = 1_000_000  # sectors between two reads: no read-ahead reaches that far


@pytest.fixture
def host():
    host = make_host(
        domain("a", kind="hvm", cpus="1", disk=["phy:/dev/a,hda,w", "phy:/dev/b,hdb,w"]),
        domain0={"cpus": "0"},
    )
    host.advance(SECOND)
    return host


def read(host, number, *ios):
    """Read (sector, bytes) from a disk of the guest; return a list of those that are done."""
    done: list[AnyBlockIo] = []
    devices = host.hypercalls.residents[1].devices
    made = [BlockIo(sector, size, False, done.append, host.now_ns, None) for sector, size in ios]
    devices.driven(devices.vbds[number]).submit(made, 0)
    return done


def test_a_read_is_cut_into_commands_of_128_kib_and_is_done_once(host):
    done = read(host, 0, (0, 300 * KIB))
    host.advance(host.now_ns + SECOND)
    vbd = host.hypercalls.residents[1].devices.vbds[0]
    assert (1, 3, 300 * KIB) == (len(done), vbd.use.read_requests, vbd.use.read_bytes)


def test_reads_of_a_disk_are_done_in_their_order_as_no_elevator_sees_two(host):
    places = [FAR * n for n in (5, 1, 4, 2, 3, 6)]
    ended: list[int] = []
    lists = [read(host, 0, (place, 4 * KIB)) for place in places]
    for _ in range(1000):
        host.advance(host.now_ns + MS // 10)
        ended += [one.sector for done in lists for one in done if one.sector not in ended]
    assert places == ended


def test_a_disk_does_not_wait_for_the_other_one(host):
    read(host, 1, (0, 4 * KIB))  # from now on it is in the page cache
    host.advance(host.now_ns + SECOND)
    slow = read(host, 0, *((FAR * n, 4 * KIB) for n in range(1, 9)))
    quick = read(host, 1, (0, 4 * KIB))
    while not quick:
        host.advance(host.now_ns + MS // 10)
    assert len(slow) < 2


def test_commands_of_a_guest_that_is_destroyed_are_forgotten(host):
    done = read(host, 0, (0, 4 * KIB), (FAR, 4 * KIB))
    host.advance(host.now_ns + MS)
    host.toolstack.domains.destroy("a")
    host.advance(host.now_ns + SECOND)
    assert [] == done
