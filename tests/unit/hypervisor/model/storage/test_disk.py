from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.model.storage.disk import EXPIRE_NS, Disk, DiskModel, DiskRequest
from hypervisor.model.timing.clock import Clock
from hypervisor.model.timing.random_stream import RandomStream
from tests.support.copying import copied
from tests.support.model.draws import exponential_ns

KIB = 1024
SECOND = 1_000_000_000
CONSTANT = DiskModel(rotation_ns=0, seek_track_ns=0, seek_full_ns=0, overhead_ns=5_000_000)


class Host:
    """Submits requests and keeps the completions: one list of tags for each disk operation."""

    def __init__(self, model=None):
        self.clock = Clock()
        self.disk = Disk(self.clock, RandomStream(1, "disk"), model)
        self.finished = []
        self.times = []
        self.refill = None
        self.listener = None

    def completed(self, requests):
        if self.listener is not None:
            self.listener(requests)
        self.finished.append([request.tag for request in requests])
        self.times.append(self.clock.now)
        if self.refill is not None:
            self.refill(len(requests))

    def read(self, *sectors, size=8 * KIB):
        self.disk.submit([DiskRequest(self, s, size, False, s) for s in sectors])

    def drain(self):
        self.clock.run_until(self.clock.now + 1000 * SECOND)


@pytest.fixture
def host():
    return Host()


def test_sequential_reading_runs_at_the_speed_of_the_medium():
    host = Host()
    position = iter(range(0, 10**9, 128))
    host.refill = lambda count: host.read(*[next(position) for _ in range(count)], size=64 * KIB)
    host.read(*[next(position) for _ in range(16)], size=64 * KIB)
    host.clock.run_until(10 * SECOND)
    assert host.disk.use.read_bytes / 10 == pytest.approx(70e6, rel=0.05)


def random_reads_per_second(depth):
    host = Host()
    where = RandomStream(1, "where")
    host.refill = lambda count: host.read(*[where.uniform(280_000_000) for _ in range(count)])
    host.refill(depth)
    host.clock.run_until(20 * SECOND)
    return host.disk.operations / 20


def test_random_8_kib_reads_one_at_a_time():
    assert 120 <= random_reads_per_second(1) <= 180


def test_a_deep_queue_shortens_the_seeks():
    assert 1.2 < random_reads_per_second(32) / random_reads_per_second(1) < 3


@pytest.mark.parametrize("load", [0.3, 0.7, 0.9])
def test_waiting_time_is_that_of_m_d_1(load):
    service = 5_000_000 + 512 * SECOND // CONSTANT.bytes_per_second
    host = Host(CONSTANT)
    gap, where = Random("gap"), RandomStream(5, "where")
    arrived, waits, now = {}, [], 0

    def arrive(tag):
        # Never contiguous, so that nothing merges.
        arrived[tag] = host.clock.now
        host.disk.submit([DiskRequest(host, 2 * where.uniform(10**8), 512, False, tag)])

    host.listener = lambda done: waits.append(host.clock.now - arrived[done[0].tag])
    for tag in range(30_000):
        now += exponential_ns(gap, int(service / load))
        host.clock.schedule(now, arrive, tag)
    host.drain()
    expected = service * (1 + load / (2 * (1 - load)))
    assert sum(waits) / len(waits) == pytest.approx(expected, rel=0.08)


def test_a_contiguous_batch_is_one_operation(host):
    host.read(0, 16, 32, 48)
    host.drain()
    assert host.finished == [[0, 16, 32, 48]]
    assert (host.disk.operations, host.disk.merged) == (1, 3)


def test_an_operation_is_at_most_512_kib(host):
    host.read(*range(0, 88 * 20, 88), size=44 * KIB)
    host.drain()
    assert [len(tags) for tags in host.finished] == [11, 9]


def test_requests_merge_with_the_waiting_queue_at_both_ends(host):
    host.read(1_000_000)  # keeps the disk busy
    host.read(16)
    host.read(32)
    host.read(0)
    host.drain()
    assert host.finished == [[1_000_000], [0, 16, 32]]


def test_reads_and_writes_never_merge(host):
    host.disk.submit([DiskRequest(host, 0, 512, False, "r"), DiskRequest(host, 1, 512, True, "w")])
    host.drain()
    assert host.finished == [["r"], ["w"]]


def test_the_queue_is_served_in_one_way_sweeps(host):
    host.read(500_000)
    host.read(900_000, 100_000, 700_000, 300_000)
    host.drain()
    assert host.finished == [[500_000], [700_000], [900_000], [100_000], [300_000]]


def test_a_request_behind_an_endless_stream_waits_little_more_than_its_limit():
    host = Host()
    position = iter(range(0, 10**9, 1024))
    host.read(next(position), next(position), size=512 * KIB)
    host.refill = lambda _: host.read(next(position), size=512 * KIB)
    host.clock.run_until(SECOND)
    host.read(0, size=512)  # after the head
    host.clock.run_until(3 * SECOND)
    waited = host.times[host.finished.index([0], 1)] - SECOND
    assert EXPIRE_NS < waited < EXPIRE_NS + 40_000_000


def test_busy_time_of_a_saturated_disk_is_the_elapsed_time(host):
    host.read(*range(0, 10**6, 5000))
    host.drain()
    assert host.times[-1] == host.disk.use.busy_ns(host.times[-1])


def test_a_copied_disk_finishes_alike(host):
    host.read(*range(0, 10**6, 50_000))
    twin = copied(host)
    host.drain()
    twin.drain()
    assert host.times == twin.times


request = st.tuples(st.integers(0, 400), st.integers(1, 88), st.booleans())


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20_000_000), st.lists(request, max_size=8)), max_size=12))
def test_every_request_comes_back_once_in_an_operation_that_covers_it(batches):
    host = Host()
    operations: list = []
    host.listener = operations.append
    tag = 0
    for gap, batch in batches:
        host.clock.run_until(host.clock.now + gap)
        requests = []
        for sector, sectors, write in batch:
            requests.append(DiskRequest(host, sector, sectors * 512, write, tag))
            tag += 1
        host.disk.submit(requests)
        starts = [operation.start for operation in host.disk._sorted]
        assert sorted(starts) == host.disk._starts
    host.drain()
    assert list(range(tag)) == sorted(r.tag for done in operations for r in done)
    for done in operations:
        assert len({r.write for r in done}) == 1
        assert all(a.sector + a.bytes // 512 == b.sector for a, b in pairwise(done))
