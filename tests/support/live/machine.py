"""A machine as the fake hypervisor knows it: change it between polls, or while one is made."""

from dataclasses import dataclass, field
from uuid import UUID

GIB_PAGES = 1 << 18
DYING, HVM, SHUTDOWN, PAUSED, BLOCKED, RUNNING = 1, 2, 4, 8, 16, 32


@dataclass
class Vcpu:
    online: bool = True
    blocked: bool = False
    running: bool = False
    cpu_ns: int = 0
    pcpu: int = 0
    affinity: tuple[int, ...] = (0, 1)
    in_kernel: bool = False
    rip: int = 0


@dataclass
class Domain:
    domid: int
    uuid: UUID = field(default_factory=lambda: UUID(int=0))
    flags: int = BLOCKED
    total_pages: int = GIB_PAGES
    maximum_pages: int = GIB_PAGES
    outstanding_pages: int = 0
    cpu_ns: int = 0
    ssid: int = 0
    pool: int = 0
    emulation: int = 0
    weight: int = 256
    cap: int = 0
    vcpus: list[Vcpu] = field(default_factory=lambda: [Vcpu()])
    highest_vcpu: int | None = None  # a wrong one


@dataclass
class Machine:
    """Two pcpus, two GiB and domain 0, unless told otherwise."""

    domains: list[Domain] = field(default_factory=lambda: [Domain(0)])
    idle_ns: list[int] = field(default_factory=lambda: [0, 0])
    places: list[tuple[int, int, int]] = field(default_factory=lambda: [(0, 0, 0), (1, 0, 0)])
    threads_per_core: int = 1
    cores_per_socket: int = 2
    khz: int = 2_600_000
    total_pages: int = 2 * GIB_PAGES
    free_pages: int = GIB_PAGES
    scrub_pages: int = 0
    scheduler: int = 5
    pools: dict[int, int] = field(default_factory=lambda: {0: 5})
    version: tuple[int, int, str] = (4, 17, ".7")
    runstates: dict[int, tuple[list[int], int]] | None = None  # XCP-ng: by domid
    trace_pages: int = 0
    trace_mask: int = 0xFFFFF000
    trace_pcpus: int = ~0
    is_traced: bool = False

    def domain(self, domid: int) -> Domain | None:
        return next((one for one in self.domains if one.domid == domid), None)
