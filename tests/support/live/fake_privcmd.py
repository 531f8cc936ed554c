"""A fake of /dev/xen/privcmd: it answers in memory as Xen of a given version does, or worse."""

import errno
import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypervisor.live.agent.errors import HypercallFailed
from hypervisor.live.agent.xen.privcmd import Memory
from tests.support.live.fake_xenoprof import FakeXenoprof
from tests.support.live.machine import Domain, Machine, Vcpu

VERSIONS = {
    "4.14": (0x12, 0x13, 104, 96, 32),
    "4.15": (0x13, 0x13, 104, 96, 32),
    "4.16": (0x14, 0x14, 112, 104, 32),
    "4.17": (0x15, 0x15, 112, 104, 40),
    "4.18": (0x16, 0x15, 112, 104, 40),
    "4.19": (0x17, 0x15, 112, 104, 40),
    "4.20": (0x17, 0x15, 112, 104, 40),
    "4.21": (0x17, 0x16, 112, 104, 40),
    "4.22": (0x18, 0x16, 112, 104, 40),
    "9.99": (0x99, 0x99, 128, 120, 40),  # a Xen that is not known yet
}
"""domctl, sysctl, sizeof(getdomaininfo), offset of emulation_flags, of total_pages in physinfo."""

TRACE_FRAME = 0x1000
"""Where the table of the trace rings is."""

Hook = Callable[[str, int, int], None]


@dataclass
class FakePrivcmd:
    """Answers hypercalls about a machine."""

    machine: Machine = field(default_factory=Machine)
    release: str = "4.17"
    denied: dict[tuple[str, int], int] = field(default_factory=dict)  # (kind, command): errno
    before: Hook | None = None  # called with kind, command and domid before each answer
    garbage: random.Random | None = None  # answers nonsense from here
    has_multicall: bool = True
    is_short: bool = False  # says "done" and answers nothing
    calls: list[tuple[str, int, int]] = field(default_factory=list)
    memories: dict[int, bytearray] = field(default_factory=dict)
    frames: dict[int, bytearray] = field(default_factory=dict)
    xenoprof: FakeXenoprof | None = None

    def memory(self, size: int) -> Memory:
        data = bytearray(-(-size // 4096) * 4096)
        address = 0x7F0000000000 + len(self.memories) * 0x1000000
        self.memories[address] = data
        return Memory(address, data)

    def map_frames(self, domid: int, frames: Sequence[int], is_writable: bool = True) -> Memory:
        """Map the frames as one memory, which `frames` keeps by the number of the first."""
        content = self.frames.setdefault(frames[0], bytearray(4096 * len(frames)))
        if self.xenoprof is not None and (buffers := self.xenoprof.at_frame(frames[0])):
            content, buffers.is_mapped = buffers.content, True
        return Memory(0x7F8000000000 + 4096 * frames[0], content)

    def unmap(self, memory: Memory) -> None:
        """Unmap frames. Raises: BufferError: there are views of them left."""
        assert isinstance(memory.data, bytearray)
        memory.data.append(0)  # refused while there are some
        memory.data.pop()
        frame = (memory.address - 0x7F8000000000) // 4096
        if self.xenoprof is not None and (buffers := self.xenoprof.at_frame(frame)):
            buffers.is_mapped = False

    def close(self) -> None:
        """Do nothing."""

    def call(self, op: int, *args: int) -> int:
        if op == 13:
            return self._multicall(*args)
        if op == 17:
            return self._xen_version(args[0], args[1] if len(args) > 1 else 0)
        if op == 31:
            if self.xenoprof is None:
                raise HypercallFailed(errno.ENOSYS)
            return self.xenoprof.call(args[0], self._at(args[1]))
        kind = {35: "sysctl", 36: "domctl"}[op]
        data = self._at(args[0])
        command, version, domid = struct.unpack_from("<IIH", data)
        if version != VERSIONS[self.release][kind == "sysctl"]:
            raise HypercallFailed(errno.EACCES)
        self.calls.append((kind, command, domid))
        if self.before is not None:
            self.before(kind, command, domid)
        if (kind, command) in self.denied:
            raise HypercallFailed(self.denied[kind, command])
        if self.is_short and command:
            return 0
        if self.garbage is not None and command:
            return self._spoil(data, self.garbage)
        if kind == "sysctl":
            self._sysctl(command, data)
        else:
            self._domctl(command, domid, data)
        return 0

    def _multicall(self, address: int, count: int) -> int:
        if not self.has_multicall:
            raise HypercallFailed(errno.ENOSYS)
        entries = self._at(address)
        for at in range(0, count * 64, 64):
            op, _, argument = struct.unpack_from("<3Q", entries, at)
            try:
                result = self.call(op, argument)
            except HypercallFailed as error:
                result = -error.errno
            struct.pack_into("<q", entries, at + 8, result)
        return 0

    def _at(self, address: int) -> memoryview:
        """Return the memory from an address on."""
        base = max(one for one in self.memories if one <= address)
        return memoryview(self.memories[base])[address - base :]

    def _spoil(self, request: memoryview, random: random.Random) -> int:
        request[8:128] = random.randbytes(120)
        for data in self.memories.values():
            if len(data) == 65536:  # answers go there; of a list of requests Xen changes none
                data[:4096] = random.randbytes(4096)
        return 0

    def _xen_version(self, command: int, address: int) -> int:
        major, minor, extra = self.machine.version
        if command == 1:
            self._at(address)[:16] = extra.encode().ljust(16, b"\0")
            return 0
        return major << 16 | minor

    def _sysctl(self, command: int, data: memoryview) -> None:
        answer = {
            2: self._trace,
            3: self._physinfo,
            4: lambda data: struct.pack_into("<I", data, 8, self.machine.scheduler),
            6: self._domain_list,
            8: self._idle,
            16: self._topology,
            18: self._pool,
        }.get(command)
        if answer is None:
            raise HypercallFailed(errno.ENOSYS)
        answer(data)

    def _physinfo(self, data: memoryview) -> None:
        machine = self.machine
        highest = len(machine.idle_ns) - 1
        head = (machine.threads_per_core, machine.cores_per_socket, highest + 1, highest)
        struct.pack_into("<8I", data, 8, *head, 1, 0, machine.khz, 0)
        pages = (machine.total_pages, machine.free_pages, machine.scrub_pages, 0)
        struct.pack_into("<4Q", data, 8 + VERSIONS[self.release][4], *pages)

    def _domain_list(self, data: memoryview) -> None:
        first, most, address = struct.unpack_from("<H2xIQ", data, 8)
        size = VERSIONS[self.release][2]
        found = sorted(
            (one for one in self.machine.domains if one.domid >= first), key=lambda one: one.domid
        )[:most]
        for index, domain in enumerate(found):
            self._domain(self._at(address), index * size, domain)
        struct.pack_into("<I", data, 24, len(found))

    def _domain(self, data: memoryview, at: int, domain: Domain) -> None:
        online = sum(vcpu.online for vcpu in domain.vcpus)
        struct.pack_into("<HHI", data, at, domain.domid, 0, domain.flags)
        pages = (domain.total_pages, domain.maximum_pages, domain.outstanding_pages, 0, 0, 0)
        struct.pack_into("<7Q", data, at + 8, *pages, domain.cpu_ns)
        highest = (len(domain.vcpus) - 1) & 0xFFFFFFFF
        if domain.highest_vcpu is not None:
            highest = domain.highest_vcpu
        struct.pack_into("<3I", data, at + 64, online, highest, domain.ssid)
        data[at + 76 : at + 92] = domain.uuid.bytes
        struct.pack_into("<I", data, at + 92, domain.pool & 0xFFFFFFFF)
        struct.pack_into("<I", data, at + VERSIONS[self.release][3], domain.emulation)

    def _idle(self, data: memoryview) -> None:
        most, address = struct.unpack_from("<I4xQ", data, 8)
        times = self.machine.idle_ns[:most]
        struct.pack_into(f"<{len(times)}Q", self._at(address), 0, *times)
        struct.pack_into("<I", data, 24, len(times))

    def _topology(self, data: memoryview) -> None:
        most, address = struct.unpack_from("<I4xQ", data, 8)
        for index, place in enumerate(self.machine.places[:most]):
            struct.pack_into("<3I", self._at(address), index * 12, *place)
        struct.pack_into("<I", data, 8, len(self.machine.places[:most]))

    def _pool(self, data: memoryview) -> None:
        command, wanted = struct.unpack_from("<II", data, 8)
        pool = min((one for one in self.machine.pools if one >= wanted), default=None)
        if command != 3 or pool is None:
            raise HypercallFailed(errno.ENOENT)
        struct.pack_into("<II", data, 12, pool, self.machine.pools[pool])

    def _trace(self, data: memoryview) -> None:
        (command,) = struct.unpack_from("<I", data, 8)
        machine = self.machine
        if command == 1:
            address, bits = struct.unpack_from("<QI", data, 16)
            machine.trace_pcpus = int.from_bytes(self.memories[address][: bits // 8], "little")
        if command == 2:
            (machine.trace_mask,) = struct.unpack_from("<I", data, 32)
        if command == 3:
            if machine.trace_pages:
                raise HypercallFailed(errno.EBUSY)
            (machine.trace_pages,) = struct.unpack_from("<I", data, 48)
            machine.is_traced = True
        if command in (4, 5):
            machine.is_traced = command == 4
        where = (TRACE_FRAME, 4096) if machine.trace_pages else (0, 0)
        struct.pack_into("<IxxxxQI", data, 32, machine.trace_mask, *where)

    def _domctl(self, command: int, domid: int, data: memoryview) -> None:
        domain = self.machine.domain(domid)
        if domain is None:
            raise HypercallFailed(errno.ESRCH)
        if command == 16:
            self._weight(data, domain)
        elif command == 36:
            struct.pack_into("<I", data, 16, 64)
        elif command == 98 and self.machine.runstates is not None:
            times, runnable = self.machine.runstates[domid]
            struct.pack_into("<IIQ6QQ", data, 16, 0, 0, 0, *times, runnable)
        elif command in (13, 14, 25):
            (number,) = struct.unpack_from("<I", data, 16)
            if number >= len(domain.vcpus):
                raise HypercallFailed(errno.EINVAL)
            {13: self._context, 14: self._vcpu, 25: self._affinity}[command](
                data, domain.vcpus[number]
            )
        else:
            raise HypercallFailed(errno.ENOSYS)

    def _weight(self, data: memoryview, domain: Domain) -> None:
        scheduler, command = struct.unpack_from("<II", data, 16)
        if command != 1 or scheduler != self.machine.pools.get(domain.pool):
            raise HypercallFailed(errno.EINVAL)
        struct.pack_into("<HH", data, 24, domain.weight, domain.cap)

    def _vcpu(self, data: memoryview, vcpu: Vcpu) -> None:
        flags = (vcpu.online, vcpu.blocked, vcpu.running)
        struct.pack_into("<BBBxQI", data, 20, *flags, vcpu.cpu_ns, vcpu.pcpu)

    def _affinity(self, data: memoryview, vcpu: Vcpu) -> None:
        address, bits = struct.unpack_from("<QI", data, 24)
        number = sum(1 << pcpu for pcpu in vcpu.affinity if pcpu < bits)
        self._at(address)[: bits // 8] = number.to_bytes(bits // 8, "little")

    def _context(self, data: memoryview, vcpu: Vcpu) -> None:
        (address,) = struct.unpack_from("<Q", data, 24)
        struct.pack_into("<Q", self._at(address), 512, 4 if vcpu.in_kernel else 0)
        struct.pack_into("<QH", self._at(address), 648, vcpu.rip, 0xE033)
