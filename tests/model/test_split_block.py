"""Shared rings, and the split block driver on a running host: limits, batching, accounting."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.errors import ScenarioError
from hypervisor.model.domain.ring import SharedRing
from hypervisor.model.storage.blkif import BACKEND_SLOTS, RING_SLOTS
from tests.support.measured import measured, measured_sum
from tests.support.model.hosts import (
    SECOND,
    behalf_ns,
    domain,
    fileio,
    make_host,
    result,
    seen,
    vbd,
)

KIB = 1024

# Ring arithmetic


def passes(event: int, old: int, new: int) -> bool:
    """Return whether the published rule notifies: `event` is one of the indices old+1 .. new."""
    return event in range(old + 1, new + 1)


ring_step = st.tuples(
    st.sampled_from(["push", "take", "await", "answer", "collect"]), st.integers(0, 40)
)


@settings(deadline=None)
@given(st.sampled_from([2, 32, 256]), st.lists(ring_step, max_size=80))
def test_ring_indices_never_cross_and_notify_by_the_published_rule(size, steps):
    ring = SharedRing(size)
    for verb, count in steps:
        if verb == "push":
            count = min(count, ring.free)
            expected = passes(ring.req_event, ring.req_prod, ring.req_prod + count)
            assert expected == ring.push_requests(count)
        elif verb == "take":
            ring.take_requests(count)
        elif verb == "await":
            assert ring.await_requests() == (ring.req_cons < ring.req_prod)
        elif verb == "answer":
            count = min(count, ring.in_flight)
            expected = passes(ring.rsp_event, ring.rsp_prod, ring.rsp_prod + count)
            assert expected == ring.push_responses(count)
        else:
            ring.take_responses()
        assert ring.rsp_cons <= ring.rsp_prod <= ring.req_cons <= ring.req_prod
        assert ring.req_prod - ring.rsp_cons <= size
        assert ring.free == size - (ring.req_prod - ring.rsp_cons)


def test_a_busy_backend_is_not_notified_again():
    ring = SharedRing(32)
    notified = [ring.push_requests(1)]
    ring.take_requests(32)
    notified += [ring.push_requests(3), ring.push_requests(2)]
    ring.take_requests(32)
    ring.await_requests()
    notified.append(ring.push_requests(1))
    assert notified == [True, False, False, True]


# Block


@pytest.mark.parametrize(
    ("given_io", "ring_requests"),
    [
        ({"op": "read", "block_bytes": 4096}, 1),
        ({"op": "write", "block_bytes": 44 * KIB}, 1),
        ({"op": "read", "block_bytes": 48 * KIB}, 2),
        ({"op": "write", "block_bytes": 128 * KIB}, 3),
    ],
)
def test_blocks_are_cut_into_requests_of_44_kib_and_none_gets_lost(given_io, ring_requests):
    host = make_host(domain("a", fileio(rate_per_second=20, direct=True, **given_io)))
    host.advance(10 * SECOND)
    done, disk = result(host, "a"), vbd(host, "a")
    requests = measured_sum(disk.read_requests, disk.write_requests)
    size_bytes = measured_sum(disk.read_bytes, disk.write_bytes)
    assert done["requests"] > 100
    assert done["requests"] <= requests / ring_requests <= done["requests"] + 1
    assert done["requests"] <= size_bytes / given_io["block_bytes"] <= done["requests"] + 1
    assert (0 in (disk.read_requests, disk.write_requests)) is True
    assert (measured(disk.write_requests) > 0) == (given_io["op"] == "write")


def test_sequential_requests_become_few_disk_operations():
    host = make_host(
        domain("a", fileio(pattern="sequential", block_bytes=65536, queue_depth=8, rate_per_second=160))
    )  # fmt: skip
    host.advance(10 * SECOND)
    disk = host.hypercalls.backends.blkback.stores.system
    assert vbd(host, "a").read_requests == disk.operations + disk.merged + disk_waiting(host)
    assert disk.operations < 250
    assert disk.use.read_bytes == pytest.approx(vbd(host, "a").read_bytes, abs=8 * 65536)


def test_an_empty_drive_is_no_disk_of_workloads_wherever_it_stands():
    disks = [",hdc:cdrom,r", "phy:/dev/a,xvda,w", ",hdd:cdrom,r", "phy:/dev/b,xvdb,w"]
    host = make_host(domain("a", fileio(rate_per_second=20), disk=disks))
    host.advance(SECOND)

    requests = {
        measured(one.name): measured_sum(one.read_requests, one.write_requests)
        for one in seen(host, "a").vbds
    }
    assert ["hdc", "hdd", "xvdb"] == sorted(name for name in requests if not requests[name])
    assert {"hdc": "", "hdd": "", "xvda": "phy:/dev/a", "xvdb": "phy:/dev/b"} == {
        one.name: one.backend for one in seen(host, "a").vbds
    }


def test_a_fileio_workload_needs_more_than_an_empty_drive():
    with pytest.raises(ScenarioError, match="a fileio workload needs a disk"):
        make_host(domain("a", fileio(), disk=[",hdc:cdrom,r"]))


@pytest.mark.parametrize(
    "work",
    [
        fileio(op="write"),
        {"kind": "iozone"},
        {"kind": "iozone", "phases": ["read", "random_write"]},
        {"kind": "oltp"},
        {"kind": "aim7", "mix": "shared"},
    ],
)
def test_nothing_is_written_to_a_disk_that_may_only_be_read(work):
    with pytest.raises(ScenarioError, match="writes to the first disk, which is read-only"):
        make_host(domain("a", work, disk=["phy:/dev/a,xvda,r", "phy:/dev/b,xvdb,w"]))


@pytest.mark.parametrize("work", [fileio(), {"kind": "iozone", "phases": ["read", "reread"]}])
def test_what_only_reads_may_have_a_disk_that_may_only_be_read(work):
    host = make_host(domain("a", work, disk=["phy:/dev/a,xvda,r"]))
    host.advance(SECOND)
    (vbd,) = seen(host, "a").vbds
    assert (True, 0) == (measured(vbd.read_bytes) > 0, vbd.write_bytes)


def disk_waiting(host):
    """Return the requests that the disk has received and not finished."""
    disk = host.hypercalls.backends.blkback.stores.system
    given = sum(
        v.read_requests + v.write_requests
        for one in host.telemetry.snapshot().domains
        for v in one.vbds
    )
    return given - disk.operations - disk.merged


def test_random_requests_cannot_be_merged():
    host = make_host(domain("a", fileio(block_bytes=4096, queue_depth=8)))
    host.advance(5 * SECOND)
    assert (
        host.hypercalls.backends.blkback.stores.system.merged
        <= host.hypercalls.backends.blkback.stores.system.operations // 100
    )


def test_a_ring_holds_32_requests():
    host = make_host(domain("a", fileio(block_bytes=4096, queue_depth=256)))
    held = []
    for step in range(1, 200):
        host.advance(step * 5_000_000)
        frontend = host.hypercalls.residents[1].devices.vbds[0]
        held.append(frontend.ring.req_prod - frontend.ring.rsp_cons)
    assert max(held) == RING_SLOTS


def test_all_rings_share_64_backend_slots_and_who_finds_none_is_counted():
    names = "abc"
    host = make_host(*(domain(name, fileio(block_bytes=4096, queue_depth=64)) for name in names))
    free = []
    for step in range(1, 400):
        host.advance(step * 5_000_000)
        free.append(host.hypercalls.backends.blkback.free_slots)
    assert (min(free), max(free) <= BACKEND_SLOTS) == (0, True)
    assert measured_sum(*(vbd(host, name).out_of_requests for name in names)) > 50
    # Starved rings take turns: none is forgotten.
    done = [result(host, name)["requests"] for name in names]
    assert min(done) > 0.6 * max(done)


def test_two_rings_never_run_out_of_backend_slots():
    host = make_host(*(domain(name, fileio(block_bytes=4096, queue_depth=64)) for name in "ab"))
    host.advance(5 * SECOND)
    assert [vbd(host, name).out_of_requests for name in "ab"] == [0, 0]


def test_slots_of_a_destroyed_domain_come_back():
    host = make_host(*(domain(name, fileio(block_bytes=4096, queue_depth=64)) for name in "abc"))
    host.advance(SECOND)
    for name in "abc":
        host.toolstack.domains.destroy(name)
    host.advance(3 * SECOND)
    assert host.hypercalls.backends.blkback.free_slots == BACKEND_SLOTS


@pytest.mark.parametrize(
    ("disk", "counted"), [("phy:/dev/sdb1", True), ("file:/x", True), ("tap:aio:/x", False)]
)
def test_every_kind_of_disk_serves_its_guest(disk, counted):
    host = make_host(domain("a", fileio(rate_per_second=50), disk=[f"{disk},xvda,w"]))
    host.advance(5 * SECOND)
    is_counted = vbd(host, "a").out_of_requests is not None
    assert (result(host, "a")["requests"] > 200, is_counted) == (True, counted)


def test_tap_disks_cost_domain_0_more_than_partitions():
    spent = []
    for disk in ("phy:/dev/sdb1", "tap:aio:/x"):
        io = fileio(pattern="sequential", queue_depth=8, rate_per_second=400)
        host = make_host(domain("a", io, disk=[f"{disk},xvda,w"]))
        host.advance(10 * SECOND)
        spent.append(behalf_ns(host)["a"])
    assert spent[0] * 1.3 < spent[1]
