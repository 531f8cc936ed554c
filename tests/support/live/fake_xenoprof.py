"""Xenoprof of a fake hypervisor: states, lists, buffers and refusals as in xen/common/xenoprof.c."""

import errno
import struct
from dataclasses import dataclass, field

from hypervisor.live.agent.errors import HypercallFailed
from tests.support.live.machine import Domain, Machine

IDLE, INITIALIZED, RESERVED, READY, PROFILING = range(5)
PAGE = 4096
_MOST_PAGES = 32
_MOST_DOMAINS = 25
_HEAD_BYTES, _ENTRY_BYTES = 48, 16
_LAST_OPERATION = 17
_OF_ALL = ("init", "get_buffer", "enable_virq", "disable_virq")
NAMES = (
    "init", "reset_active_list", "reset_passive_list", "set_active", "set_passive",
    "reserve_counters", "counter", "setup_events", "enable_virq", "start", "stop", "disable_virq",
    "release_counters", "shutdown", "get_buffer",
)  # fmt: skip


class Crashed(Exception):
    """Says that a real hypervisor would have died of this, or would use memory that is freed."""


@dataclass
class Buffers:
    """The buffers of a domain. The domain that reads them is `owner`; None: no domain yet."""

    frame: int
    count: int
    size: int
    content: bytearray
    owner: int | None = None
    is_shared: bool = False
    is_mapped: bool = False

    def at(self, vcpu: int) -> memoryview:
        return memoryview(self.content)[vcpu * self.size : (vcpu + 1) * self.size]

    def empty(self) -> None:
        for vcpu in range(self.count):
            struct.pack_into("<II", self.at(vcpu), 0, 0, 0)


@dataclass
class FakeXenoprof:
    """Who asks is domain 0, unless told otherwise."""

    machine: Machine = field(default_factory=Machine)
    cpu_type: str = "i386/arch_perfmon"
    counters: int = 4
    asker: int = 0
    denied: dict[str, int] = field(default_factory=dict)  # operation: errno
    is_watched: bool = False  # the watchdog has the interrupt of the counters
    primary: int | None = None
    state: int = IDLE
    active: dict[int, bool] = field(default_factory=dict)  # domid: is ready
    passive: list[int] = field(default_factory=list)
    buffers: dict[int, Buffers] = field(default_factory=dict)
    settings: dict[int, tuple[int, ...]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    corrupted: int = 0
    others: int = 0

    def call(self, operation: int, request: memoryview) -> int:
        if not 0 <= operation <= _LAST_OPERATION:
            raise HypercallFailed(errno.EINVAL)
        name = NAMES[operation]
        self.calls.append(name)
        if name in self.denied:
            raise HypercallFailed(self.denied[name])
        if name not in _OF_ALL and self.asker != self.primary:
            raise HypercallFailed(errno.EPERM)
        getattr(self, f"_{name}")(request)
        return 0

    def sample(self, domid: int, vcpu: int, pc: int, mode: int = 0, counter: int = 0) -> None:
        """Take a sample, while it is profiled."""
        if self.state != PROFILING:
            return
        if not self.active.get(domid) and domid not in self.passive:
            self.others += 1
            return
        buffer = self.buffers[domid].at(vcpu)
        head, tail, size = struct.unpack_from("<3I", buffer)
        if head >= size or tail >= size:
            self.corrupted += 1
            return
        counted = 40
        if (0 if tail > head else size) + tail - head - 1 > 0:
            struct.pack_into("<QBB", buffer, _HEAD_BYTES + head * _ENTRY_BYTES, pc, mode, counter)
            struct.pack_into("<I", buffer, 0, (head + 1) % size)
            counted = {0: 32, 1: 24}.get(mode, 16)
        (count,) = struct.unpack_from("<Q", buffer, counted)
        struct.pack_into("<Q", buffer, counted, count + 1)

    def at_frame(self, frame: int) -> Buffers | None:
        """Return the buffers that lie there."""
        return next((one for one in self.buffers.values() if one.frame == frame), None)

    def _refuse_unless(self, *states: int) -> None:
        if self.state not in states:
            raise HypercallFailed(errno.EPERM)

    def _init(self, request: memoryview) -> None:
        if not self.cpu_type:
            raise HypercallFailed(errno.ENODEV)
        if self.primary is None and self.asker == 0:
            self.primary = 0
        is_primary = self.primary == self.asker
        if is_primary:
            if self.state == PROFILING:
                raise Crashed("it counts, and nobody can stop it any more")
            self.state = INITIALIZED
        struct.pack_into("<2i64s", request, 0, self.counters, is_primary, self.cpu_type.encode())

    def _reset_active_list(self, _: memoryview) -> None:
        self.active.clear()

    def _reset_passive_list(self, _: memoryview) -> None:
        for domid in self.passive:
            self._unshare(domid)
            if self.machine.domain(domid) is None and self.buffers[domid].is_mapped:
                raise Crashed(f"buffers of domain {domid} are freed while they are mapped")
        self.passive.clear()

    def _set_active(self, request: memoryview) -> None:
        self._refuse_unless(INITIALIZED)
        (domid,) = struct.unpack_from("<H", request)
        self._domain(domid)
        self.active[domid] = False

    def _set_passive(self, request: memoryview) -> None:
        self._refuse_unless(INITIALIZED)
        if len(self.passive) >= _MOST_DOMAINS:
            raise HypercallFailed(errno.E2BIG)
        domid, samples = struct.unpack_from("<H2xi", request)
        buffers = self._shared(self._domain(domid), samples)
        struct.pack_into("<iiQ", request, 8, buffers.count, buffers.size, buffers.frame * PAGE)
        self.passive.append(domid)

    def _reserve_counters(self, _: memoryview) -> None:
        self._refuse_unless(INITIALIZED)
        if self.is_watched:
            raise HypercallFailed(errno.EBUSY)
        self.state = RESERVED

    def _counter(self, request: memoryview) -> None:
        self._refuse_unless(RESERVED)
        if not self.active:
            raise HypercallFailed(errno.EPERM)
        index, *setting = struct.unpack_from("<I4xQ5I4xQ", request)
        self.settings[index] = tuple(setting)

    def _setup_events(self, _: memoryview) -> None:
        self._refuse_unless(RESERVED)
        self.state = READY

    def _enable_virq(self, _: memoryview) -> None:
        if self.asker == self.primary:
            self._refuse_unless(READY)
        for domid in (self.asker, *self.passive):
            self.buffers[domid].empty()
        if self.asker not in self.active:
            raise HypercallFailed(errno.EPERM)
        self.active[self.asker] = True

    def _start(self, _: memoryview) -> None:
        self._refuse_unless(READY)
        if not all(self.active.values()):
            raise HypercallFailed(errno.EPERM)
        self.state = PROFILING

    def _stop(self, _: memoryview) -> None:
        self._refuse_unless(PROFILING)
        self.state = READY

    def _disable_virq(self, _: memoryview) -> None:
        if self.state == PROFILING and self.active.get(self.asker):
            raise HypercallFailed(errno.EPERM)
        if self.asker not in self.active or self.asker not in self.buffers:
            raise HypercallFailed(errno.EPERM)
        del self.active[self.asker]
        self._unshare(self.asker)

    def _release_counters(self, request: memoryview) -> None:
        self._refuse_unless(RESERVED, READY)
        self.state = INITIALIZED
        self._reset_passive_list(request)

    def _shutdown(self, _: memoryview) -> None:
        self._refuse_unless(INITIALIZED)
        self.active.clear()
        self.primary = None

    def _get_buffer(self, request: memoryview) -> None:
        (samples,) = struct.unpack_from("<i", request)
        buffers = self._shared(self._domain(self.asker), samples)
        buffers.empty()
        struct.pack_into("<ii4xQ", request, 4, buffers.count, buffers.size, buffers.frame * PAGE)

    def _domain(self, domid: int) -> Domain:
        domain = self.machine.domain(domid)
        if domain is None:
            raise HypercallFailed(errno.EINVAL)
        return domain

    def _shared(self, domain: Domain, samples: int) -> Buffers:
        """Share the buffers of a domain, which are made the first time and kept."""
        count = len(domain.vcpus)
        most = (_MOST_PAGES * PAGE // count - _HEAD_BYTES - _ENTRY_BYTES) // _ENTRY_BYTES + 1
        entries = min(samples, most)
        size = _HEAD_BYTES + entries * _ENTRY_BYTES
        if domain.domid not in self.buffers:
            pages = -(-count * size // PAGE)
            made = Buffers(0x5000 + 0x100 * domain.domid, count, size, bytearray(pages * PAGE))
            for vcpu in range(count):
                struct.pack_into("<II", made.at(vcpu), 8, entries, vcpu)
            self.buffers[domain.domid] = made
        buffers = self.buffers[domain.domid]
        if buffers.is_shared or buffers.is_mapped:
            raise HypercallFailed(errno.EBUSY)
        buffers.owner, buffers.is_shared = self.asker, True
        return buffers

    def _unshare(self, domid: int) -> None:
        buffers = self.buffers[domid]
        if buffers.owner != self.asker:
            raise Crashed(f"BUG_ON: the buffers of domain {domid} are not of who gives them back")
        buffers.is_shared = False
