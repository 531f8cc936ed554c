"""Programs that use a disk by itself, without a host around it."""

from hypervisor.model.storage.disk import Disk
from hypervisor.model.storage.drive import Drive
from hypervisor.model.storage.drives import DRIVES
from hypervisor.model.storage.request import BlockRequest, DiskRequest
from hypervisor.model.timing.clock import Clock
from hypervisor.model.timing.random_stream import RandomStream

HZ = 250
KIB = 1024
MS = 1_000_000
SECOND = 1_000_000_000
OVERHEAD_NS = 5_000_000


class ConstantDevice:
    """Serves one request at a time, each in the same time."""

    sectors = 10**9

    def __init__(self, clock, depth=1, service_ns=OVERHEAD_NS):
        self.clock = clock
        self.depth = depth
        self.service_ns = service_ns
        self.served = []
        self.free_ns = 0

    def start(self, request, finished):
        self.served.append(request)
        self.free_ns = max(self.free_ns, self.clock.now) + self.service_ns
        self.clock.schedule(self.free_ns, lambda one: finished(one), request)


class Program:
    """Keeps `depth` requests at a disk; after each answer it thinks before it asks again."""

    def __init__(
        self,
        disk,
        clock,
        *,
        pid=1,
        depth=1,
        size=4 * KIB,
        write=False,
        is_random=False,
        base=0,
        span=16_000_000,
        think_ns=0,
        is_sync=False,
    ):
        self.disk, self.clock = disk, clock
        self.pid, self.size, self.write, self.is_random = pid, size, write, is_random
        self.position = self.base = base
        self.span, self.think_ns, self.is_sync = span, think_ns, is_sync
        self.where = RandomStream(1, f"where {pid}")
        self.answered = 0
        self.times = []
        self.ask(depth)

    def ask(self, count):
        sectors = self.size // 512
        asked = []
        for _ in range(count):
            if self.is_random:
                sector = self.base + self.where.uniform(self.span // sectors) * sectors
            else:
                sector = self.position
                self.position += sectors
            now = self.clock.now
            asked.append(
                DiskRequest(self, sector, self.size, self.write, now, self.pid, self.is_sync)
            )
        self.disk.submit(asked)

    def completed(self, requests):
        self.answered += len(requests)
        self.times += [self.clock.now - request.tag for request in requests]
        self.clock.schedule(self.clock.now + self.think_ns, self.ask, len(requests))

    @property
    def mean_ms(self):
        return sum(self.times) / len(self.times) / MS


def run(*programs, drive="cheetah-10k.7", elevator="noop", seconds=4, seed=1, **settings):
    """Run programs, given as keywords, on a disk of their own; return them and the disk."""
    clock = Clock()
    device = Drive(clock, RandomStream(seed, "disk"), DRIVES[drive], **settings)
    disk = Disk(clock, "sda", device, elevator, HZ)
    made = [Program(disk, clock, **one) for one in programs]
    clock.run_until(seconds * SECOND)
    return [*made, disk]


class Nobody:
    """Owns requests whose answers nobody awaits."""

    def completed(self, requests):
        pass


def block_request(sector, pid=1, *, write=False, sectors=8, sync=False, tag=None):
    """Return a request as a queue gives it to an elevator or a device."""
    first = DiskRequest(Nobody(), sector, sectors * 512, write, tag, pid, sync)
    return BlockRequest(first, 0)


def chosen(elevator, tick=0):
    """Return the request that an elevator chooses, which must be one."""
    request = elevator.next(tick)
    assert request is not None
    return request
