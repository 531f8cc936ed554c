"""What a snapshot tells of virtual disks: latency, queues, rings, and what no blktap tells."""

from typing import Any

import pytest

from hypervisor.telemetry import BLOCK_BUCKETS_NS
from tests.support.model.hosts import MS, SECOND, domain, fileio, make_host, result, seen

KIB = 1024
GUEST_FIGURES = (
    "read_requests", "write_requests", "read_bytes", "write_bytes",
    "busy_ns", "wait_ns", "answered_requests", "frontend_ring_full", "in_flight_requests", "ring",
    "read_latency", "write_latency",
)  # fmt: skip


def vbd(host, name) -> Any:
    """Return the first disk of a domain, of which the model knows everything."""
    return seen(host, name).vbds[0]


def both(*workloads, seconds=5, **settings):
    host = make_host(domain("a", *workloads, **settings))
    host.advance(round(seconds * SECOND))
    return host


@pytest.mark.parametrize("depth", [1, 8, 32])
def test_a_queue_of_n_blocks_has_n_requests_in_flight(depth):
    host = both(fileio(block_bytes=4096, queue_depth=depth))
    disk = vbd(host, "a")

    # Each answer makes the guest ask anew, so at most those are missing that are being handled.
    assert (disk.in_flight_requests, disk.ring.used, disk.ring.slots) == (depth, depth, 32)


def test_a_block_of_three_requests_is_three_in_flight():
    host = both(fileio(block_bytes=128 * KIB, queue_depth=8))

    assert vbd(host, "a").in_flight_requests == 3 * 8


def test_an_idle_disk_has_nothing_in_flight_and_an_empty_ring():
    disk = vbd(both({"kind": "idle"}), "a")

    assert (disk.in_flight_requests, disk.ring.used, disk.answered_requests) == (0, 0, 0)
    assert sum(disk.read_latency.counts) == disk.read_latency.sum_ns == 0


@pytest.mark.parametrize(
    "work",
    [
        [fileio(queue_depth=8)],
        [fileio(op="write", pattern="sequential", block_bytes=65536, queue_depth=4)],
        [fileio(rate_per_second=50), fileio(op="write", rate_per_second=30, direct=True)],
    ],
)
def test_latencies_sum_to_the_time_waited_and_count_the_answers_to_the_last_one(work):
    host = both(*work)
    for step in range(1, 20):
        host.advance(5 * SECOND + step * 37 * MS)
        disk = vbd(host, "a")
        reads, writes = disk.read_latency, disk.write_latency
        assert reads.sum_ns + writes.sum_ns == disk.wait_ns > 0
        assert sum(reads.counts) + sum(writes.counts) == disk.answered_requests > 0


def test_reads_and_writes_are_told_apart():
    host = both(fileio(op="write", rate_per_second=20, direct=True))
    disk = vbd(host, "a")

    assert sum(disk.read_latency.counts) == 0
    assert sum(disk.write_latency.counts) == disk.answered_requests


def test_a_request_is_as_long_as_its_program_waits():
    host = both(fileio(block_bytes=4096, rate_per_second=20, direct=True), seconds=10)
    mean_ns = result(host, "a")["latency_seconds"]["mean"] * 1e9
    reads = vbd(host, "a").read_latency

    assert reads.sum_ns / sum(reads.counts) == pytest.approx(mean_ns)


def test_the_exemplar_of_a_bucket_lies_in_it_and_in_the_past():
    host = both(fileio(queue_depth=8))
    histogram = vbd(host, "a").read_latency
    bounds = (-1, *BLOCK_BUCKETS_NS, 10**18)
    found = {
        bucket: (bounds[bucket] < one.value_ns <= bounds[bucket + 1], one.unix_ns <= host.now_ns)
        for bucket, one in enumerate(histogram.exemplars)
        if one is not None
    }

    assert found == {bucket: (True, True) for bucket, count in enumerate(histogram.counts) if count}


def test_a_queue_longer_than_the_ring_stops_and_is_counted_by_the_guest_alone():
    host = both(fileio(block_bytes=4096, queue_depth=256))
    disk = vbd(host, "a")

    assert (disk.ring.used, disk.in_flight_requests) == (32, 256)
    # It goes on with every interrupt that brings answers, and stops again.
    assert 100 < disk.frontend_ring_full <= disk.answered_requests + 1
    assert disk.out_of_requests == 0  # the backend has 64


def test_a_queue_that_fits_into_the_ring_never_stops():
    assert vbd(both(fileio(block_bytes=4096, queue_depth=32)), "a").frontend_ring_full == 0


def test_of_a_disk_of_blktap_all_is_known_but_what_blkback_would_count():
    host = both(fileio(rate_per_second=50), disk=["tap:aio:/a.img,xvda,w"])
    disk = vbd(host, "a")

    assert disk.out_of_requests is None
    assert None not in [getattr(disk, name) for name in GUEST_FIGURES]
    assert disk.answered_requests > 100


def test_the_guests_own_diskstats_have_the_same_figures():
    host = both(fileio(queue_depth=8), fileio(op="write", rate_per_second=10))
    disk = vbd(host, "a")
    fields = host.toolstack.views.proc("a", "diskstats").split()

    assert int(fields[3]) + int(fields[7]) == disk.answered_requests
    assert int(fields[6]) == disk.read_latency.sum_ns // MS
    assert int(fields[10]) == disk.write_latency.sum_ns // MS
    assert int(fields[11]) == disk.in_flight_requests


def test_a_new_life_begins_at_0():
    host = both(fileio(queue_depth=8))
    host.toolstack.domains.destroy("a")
    host.advance(7 * SECOND)
    creation = host.toolstack.domains.create(
        {"name": "a", "memory": "64", "kernel": "/boot/vmlinuz", "disk": ["phy:/dev/a,xvda,w"]}
    )
    host.advance_until(lambda: creation.is_done, 10 * SECOND)
    disk = vbd(host, "a")

    assert (disk.answered_requests, disk.wait_ns, disk.frontend_ring_full) == (0, 0, 0)


def test_a_disk_on_which_nothing_happens_is_told_by_the_same_record():
    host = make_host(domain("a", {"kind": "idle"}), domain("b", fileio(queue_depth=2)))
    host.advance(SECOND)
    first = [vbd(host, name) for name in "ab"]
    host.advance(2 * SECOND)
    second = [vbd(host, name) for name in "ab"]

    assert [old is new for old, new in zip(first, second, strict=True)] == [True, False]


def test_another_medium_in_an_idle_drive_is_told():
    host = make_host(domain("a", {"kind": "idle"}, disk=["file:/a.iso,hdc:cdrom,r"]))
    before = vbd(host, "a").backend
    host.toolstack.devices.configure_block("a", "file:/b.iso", "hdc", "r")

    assert (before, vbd(host, "a").backend) == ("file:/a.iso", "file:/b.iso")
