from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.model.storage.disk import Disk
from hypervisor.model.storage.drive import Drive
from hypervisor.model.storage.drives import DRIVES
from hypervisor.model.storage.elevators import ELEVATORS
from hypervisor.model.storage.request import DiskRequest
from hypervisor.model.timing.clock import Clock
from hypervisor.model.timing.random_stream import RandomStream
from tests.support.copying import copied
from tests.support.model.disks import HZ, KIB, MS, OVERHEAD_NS, SECOND, ConstantDevice
from tests.support.model.draws import exponential_ns


class Host:
    """Submits requests and keeps the completions: one list of tags for each disk operation."""

    def __init__(self, elevator="deadline", depth=1, device=None):
        self.clock = Clock()
        self.device = ConstantDevice(self.clock, depth) if device is None else device(self.clock)
        self.disk = Disk(self.clock, "sda", self.device, elevator, HZ)
        self.finished, self.times = [], []
        self.listener = None

    def completed(self, requests):
        if self.listener is not None:
            self.listener(requests)
        self.finished.append([request.tag for request in requests])
        self.times.append(self.clock.now)

    def ask(self, *sectors, size=8 * KIB, write=False, is_last=True):
        requests = [DiskRequest(self, one, size, write, one) for one in sectors]
        self.disk.submit(requests, is_last=is_last)

    def drain(self):
        self.clock.run_until(self.clock.now + 1000 * SECOND)


@pytest.fixture
def host():
    return Host()


@pytest.mark.parametrize("load", [0.3, 0.7, 0.9])
def test_waiting_time_is_that_of_m_d_1(load):
    host = Host("noop")
    gap, where = Random("gap"), RandomStream(5, "where")
    arrived, waits, now = {}, [], 0

    def arrive(tag):
        arrived[tag] = host.clock.now
        host.disk.submit([DiskRequest(host, 2 * where.uniform(10**8), 512, False, tag)])

    host.listener = lambda done: waits.append(host.clock.now - arrived[done[0].tag])
    for tag in range(30_000):
        now += exponential_ns(gap, int(OVERHEAD_NS / load))
        host.clock.schedule(now, arrive, tag)
    host.drain()
    expected = OVERHEAD_NS * (1 + load / (2 * (1 - load)))
    assert sum(waits) / len(waits) == pytest.approx(expected, rel=0.08)


def test_a_contiguous_batch_is_one_operation(host):
    host.ask(0, 16, 32, 48)
    host.drain()
    assert host.finished == [[0, 16, 32, 48]]
    assert (host.disk.operations, host.disk.merged) == (1, 3)


def test_an_operation_is_at_most_512_kib(host):
    host.ask(*range(0, 88 * 20, 88), size=44 * KIB)
    host.drain()
    assert [len(tags) for tags in host.finished] == [11, 9]


@pytest.mark.parametrize(
    ("elevator", "expected"),
    [
        ("deadline", [[9000], [16, 32], [5000, 5016]]),
        ("cfq", [[9000], [5000, 5016], [16, 32]]),
        ("noop", [[9000], [16], [5000], [32], [5016]]),
    ],
)
def test_interleaved_streams_merge_under_every_elevator_but_noop(elevator, expected):
    host = Host(elevator)
    host.ask(9000)  # keeps the device busy
    for sector in (16, 5000, 32, 5016):
        host.ask(sector)
    host.drain()
    assert sorted(expected) == sorted(host.finished)


def test_a_gap_that_is_filled_makes_one_request_of_three(host):
    host.ask(1_000_000)
    host.ask(0)
    host.ask(32)
    host.ask(16)
    host.drain()
    assert host.finished == [[1_000_000], [0, 16, 32]]
    assert (host.disk.operations, host.disk.merged) == (2, 2)


def test_reads_and_writes_never_merge(host):
    host.ask(0, size=512)
    host.ask(1, size=512, write=True)
    host.drain()
    assert host.finished == [[0], [1]]


def test_a_queue_is_unplugged_by_the_fourth_request_or_after_a_tick():
    host = Host("noop")
    host.ask(0, is_last=False)
    host.clock.run_until(4 * MS - 1)
    assert host.device.served == []
    host.clock.run_until(4 * MS)
    assert len(host.device.served) == 1
    host.drain()
    for number in range(4):
        assert len(host.device.served) == 1
        host.ask(1000 * (number + 1), is_last=False)
    assert len(host.device.served) == 2


def test_128_requests_of_a_direction_wait_and_others_wait_for_them():
    host = Host("noop", depth=1)
    host.ask(*range(0, 400_000, 2000))  # 200 reads
    host.ask(1, write=True)
    assert host.disk.queue.waiting + host.disk.queue.under_way == 129
    assert host.disk.queue.is_congested(is_write=False)
    assert not host.disk.queue.is_congested(is_write=True)
    host.drain()
    assert len(host.finished) == 201


def test_another_elevator_gets_what_comes_and_the_old_one_is_emptied():
    host = Host("cfq")
    host.ask(*range(0, 40_000, 2000))
    host.disk.queue.switch("deadline")
    host.ask(50_000)
    host.drain()
    assert host.disk.queue.elevator.name == "deadline"
    assert sorted(tag for tags in host.finished for tag in tags) == [
        *range(0, 40_000, 2000),
        50_000,
    ]


def test_a_copied_disk_finishes_alike():
    host = Host(
        "cfq", device=lambda clock: Drive(clock, RandomStream(1, "d"), DRIVES["cheetah-10k.7"])
    )
    host.ask(*range(0, 10**6, 50_000))
    twin = copied(host)
    host.drain()
    twin.drain()
    assert host.times == twin.times


request = st.tuples(st.integers(0, 400), st.integers(1, 88), st.booleans(), st.integers(0, 3))
batches = st.lists(
    st.tuples(st.integers(0, 20_000_000), st.lists(request, max_size=8), st.booleans()), max_size=12
)


@pytest.mark.parametrize("elevator", ELEVATORS)
@settings(deadline=None, max_examples=60)
@given(batches, st.integers(1, 5))
def test_every_request_comes_back_once_in_an_operation_that_covers_it(elevator, batches, depth):
    host = Host(elevator, depth)
    operations: list = []
    host.listener = operations.append
    tag = 0
    for gap, batch, is_last in batches:
        host.clock.run_until(host.clock.now + gap)
        requests = []
        for sector, sectors, write, pid in batch:
            requests.append(DiskRequest(host, sector, sectors * 512, write, tag, pid))
            tag += 1
        host.disk.submit(requests, is_last=is_last)
    host.drain()
    assert list(range(tag)) == sorted(r.tag for done in operations for r in done)
    for done in operations:
        assert len({r.write for r in done}) == 1
        assert all(a.sector + a.bytes // 512 == b.sector for a, b in pairwise(done))
    assert host.disk.use.in_flight == 0
    assert tag == host.disk.operations + host.disk.merged
