"""A host of fake capabilities, driven by the test; it refuses what Xenoprof refuses.

Nothing runs by itself. A test queues samples with `host.driver("web").give(batch)`; they are
pending until the domain's daemon may take them: after `advance` or a dump, unless it is paused.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hypervisor.domainfile import DomainFile
from hypervisor.errors import (
    EINVAL,
    EPERM,
    OprofilefsError,
    Refused,
    UnknownDomain,
)
from hypervisor.host import Mapped, Module, Task
from hypervisor.samples import CallStack, SampleBatch, StackFrame
from hypervisor.telemetry import (
    DomainSnapshot,
    HostSnapshot,
    LostCount,
    Mode,
    PcpuSnapshot,
    SampleCount,
    XenoprofSnapshot,
)
from tests.support.fake_toolstack import FakeToolstack
from tests.support.fake_tracer import FakeTracer
from tests.support.snapshots import NAMES

EPOCH_NS = 1_173_952_800_000_000_000  # 2007-03-15 10:00:00 UTC
VMLINUX = "/usr/lib/debug/lib/modules/2.6.18-8.el5xen/vmlinux"
XEN = "/usr/lib/debug/boot/xen-syms-2.6.18-8.el5.debug"
KERNEL_START, KERNEL_END = 0xFFFFFFFF80200000, 0xFFFFFFFF80400000
XEN_START, XEN_END = 0xFFFF828C80100000, 0xFFFF828C80180000
HTTPD, LIBC = "/usr/sbin/httpd", "/lib64/libc-2.5.so"
MODULES = (
    Module("ext3", 0xFFFFFFFF88000000, 0x20000, "/lib/modules/2.6.18-8.el5xen/kernel/fs/ext3.ko"),
    Module("netbk", 0xFFFFFFFF88020000, 0x8000, "/lib/modules/2.6.18-8.el5xen/kernel/netbk.ko"),
)
TASKS = {
    100: Task(
        100,
        HTTPD,
        (
            Mapped(0x400000, 0x450000, 0, HTTPD),
            Mapped(0x2B0000000000, 0x2B0000140000, 0, LIBC),
            Mapped(0x2B0000140000, 0x2B0000150000, 0x140000, LIBC),
            Mapped(0x600000, 0x700000, 0, "[heap]"),
        ),
    ),
    200: Task(200, "/usr/bin/linpack", (Mapped(0x400000, 0x410000, 0x1000, "/usr/bin/linpack"),)),
}


def samples(
    *rows: tuple[int, ...] | Mapping[str, int], domain: int = 0, **same: int
) -> SampleBatch:
    """Return a batch; a row is (mode, pc) or names columns; `same` are columns of equal values."""
    columns: dict[str, list[int]] = {name: [] for name in SampleBatch.__dataclass_fields__}
    for row in rows:
        values = {"mode": row[0], "pc": row[1]} if isinstance(row, tuple) else dict(row)
        values = {"domain": domain, "tgid": 100, "tid": 100, "stack_id": -1, **same, **values}
        values.setdefault("on_behalf_of", values["domain"])
        for name, column in columns.items():
            column.append(values.get(name, 0))
    types = {"time_ns": np.int64, "mode": np.uint8, "event": np.uint8, "pc": np.uint64}
    return SampleBatch(
        **{name: np.array(column, types.get(name, np.int32)) for name, column in columns.items()}
    )


SIZES = {"buffer_size": "131072", "buffer_watershed": "32768", "cpu_buffer_size": "8192"}
"""The sizes of the kernel's buffers until they are written."""


@dataclass
class FakeDriver:
    """One domain's /dev/oprofile. `files` are written values by name; `writes` is their history."""

    profiler: "FakeProfiler"
    domid: int
    cpu_type: str = "i386/p4-ht"
    files: dict[str, str] = field(default_factory=dict)
    writes: list[tuple[str, str]] = field(default_factory=list)
    stats: dict[str, int] = field(default_factory=dict)
    is_open: bool = False
    is_paused: bool = False
    ready: list[SampleBatch] = field(default_factory=list)
    queued: list[SampleBatch] = field(default_factory=list)
    loaded: tuple[Module, ...] = MODULES
    running: dict[int, Task] = field(default_factory=lambda: dict(TASKS))

    def give(self, batch: SampleBatch) -> None:
        """Log these samples, as the kernel does."""
        self.queued.append(batch)

    def work(self) -> None:
        """Let the daemon run."""
        if self.is_open and not self.is_paused:
            self.ready += self.queued
            self.queued = []

    def read(self, name: str) -> str:
        fixed = {"cpu_type": self.cpu_type, "cpu_mhz": "3200", "domid": str(self.domid)}
        if name in fixed:
            return fixed[name]
        if name.startswith("stats/") and name[6:] in self.stats:
            return str(self.stats[name[6:]])
        if name in ("active_domains", "passive_domains", "enable") or name in self.files:
            return self.files.get(name, "")
        if name in SIZES:
            return self.files.get(name, SIZES[name])
        raise OprofilefsError(EINVAL, f"{name}: no such file")

    def write(self, name: str, value: str) -> None:
        self.writes.append((name, value))
        is_primary = self.domid == 0
        if name == "active_domains" and is_primary:
            self.profiler.list_active(value)
            value = value.replace(",", " ")
        elif name == "passive_domains" and is_primary:
            self.profiler.passive = [int(word) for word in value.split(",")]
        elif name == "enable" and is_primary:
            self.profiler.set_profiling(value == "1")
        elif name == "leave":
            self.profiler.active.pop(self.domid, None)
        self.files[name] = value

    def open_buffer(self) -> None:
        if self.domid == 0:
            self.profiler.active.setdefault(0, False)
            self.profiler.state = "ready"
        if self.domid not in self.profiler.active:
            raise OprofilefsError(EPERM, f"domain {self.domid} is not on the active list")
        self.profiler.active[self.domid] = True
        self.is_open = True

    def close_buffer(self) -> None:
        self.is_open = False
        if self.domid == 0 and self.profiler.state == "ready":
            self.profiler.state = "idle"
        if self.profiler.state != "profiling":
            self.profiler.active.pop(self.domid, None)

    def read_buffer(self) -> Sequence[SampleBatch]:
        batches, self.ready = self.ready, []
        return batches

    def pending(self) -> int:
        return sum(len(batch) for batch in self.queued)

    def modules(self) -> Sequence[Module]:
        return self.loaded

    def tasks(self) -> Mapping[int, Task]:
        return self.running


class Walker(FakeDriver):
    """A driver with two stacks: one of one frame, and one joined with another domain's."""

    def read(self, name: str) -> str:
        return self.files.get(name, "0") if name == "backtrace_depth" else super().read(name)

    def stack(self, stack_id: int) -> CallStack:
        frames = [
            StackFrame(at, KERNEL, KERNEL_START + 0x40, VMLINUX, 0x40) for at in (1, self.domid)
        ]
        return CallStack(tuple(frames[-1 - stack_id :]), stack_id)


class FakeProfiler:
    """A hypervisor.host.Profiler; `hvm` names HVM guests, `files` the files of domains by name."""

    def __init__(self, names: Mapping[int, str], hvm: Sequence[str] = ()) -> None:
        self.names = names
        self._known = dict(names)
        self.hvm = set(hvm)
        self.drivers: dict[int, FakeDriver] = {}
        self.files: dict[str, list[DomainFile]] = {}
        self.state = "idle"
        self.active: dict[int, bool] = {}
        self.passive: list[int] = []
        self.counted_lost: dict[str, Counter[str]] = {}

    def driver(self, domid: int) -> FakeDriver:
        return self.drivers.setdefault(domid, FakeDriver(self, domid))

    def list_active(self, text: str) -> None:
        if self.state != "idle":
            raise OprofilefsError(EINVAL, "shut down domain 0's daemon first")
        self.active = {}
        for domid in (int(word) for word in text.split(",")):
            if domid not in self.names or self.names[domid] in self.hvm:
                raise OprofilefsError(EINVAL, f"domain {domid} cannot be active")
            self.active[domid] = False
        self.active.setdefault(0, False)

    def set_profiling(self, wanted: bool) -> None:
        if wanted and self.state == "ready" and not all(self.active.values()):
            raise OprofilefsError(EPERM, "not every active domain is ready")
        self.state = "profiling" if wanted else "ready"

    def oprofile(self, domain: str) -> FakeDriver:
        for domid, name in self.names.items():
            if domain in (name, str(domid)):
                if name in self.hvm:
                    raise Refused(f"domain {name} is an HVM guest")
                return self.driver(domid)
        raise UnknownDomain(domain)

    def domain_files(self, domain: str) -> Sequence[DomainFile]:
        return self.files.get(domain, ())

    def domid(self, domain: str) -> int:
        return next(domid for domid, name in self._known.items() if name == domain)

    def count_samples(self, domid: int, lost: Mapping[str, int]) -> None:
        self._known |= self.names  # also those that have ended
        self.counted_lost.setdefault(self._known[domid], Counter()).update(lost)


class FakeTelemetry:
    """The telemetry of a fake host: the names of its domains, and its profiler's counters."""

    def __init__(self, host: "FakeHost") -> None:
        self._host = host
        self._xenoprof = host.profiler  # kept even if a test removes it from the host
        self._generation = 0

    def snapshot(self) -> HostSnapshot:
        now_ns, xenoprof = self._host.now_ns, self._xenoprof
        self._generation += 1
        pcpus = tuple(PcpuSnapshot(n, 0, n, 0, 0, 0, 0, now_ns) for n in range(4))
        return HostSnapshot(
            self._generation, now_ns, self._host.epoch_ns + now_ns, self._host.name, "p4-ht",
            3200, 2, 1, 2, 3, 0, ".3", "3.0.3", "credit", 4194304, 0, 0,
            tuple(self._domain(domid, name) for domid, name in self._host.names.items()),
            pcpus,
            xenoprof=XenoprofSnapshot(
                xenoprof.state, tuple(xenoprof.active), tuple(xenoprof.passive), 0, 0, 0, 0,
                now_ns // 1_000_000, 0, 0, 0,
            ),
            samples=(SampleCount("Domain-0", Mode.USER, "GLOBAL_POWER_EVENTS", 100, 0, ""),),
            lost=tuple(
                LostCount(domain, reason, count, xenoprof.domid(domain), "")
                for domain, reasons in xenoprof.counted_lost.items()
                for reason, count in reasons.items()
            ),
        )  # fmt: skip

    def _domain(self, domid: int, name: str) -> DomainSnapshot:
        xenoprof = self._xenoprof
        kind = "dom0" if domid == 0 else "hvm" if name in xenoprof.hvm else "pv"
        return DomainSnapshot(
            domid, name, "", kind, running=True, runnable=False, blocked=False,
            paused=xenoprof.driver(domid).is_paused, shutdown=False, crashed=False, dying=False,
            created_ns=0, cpu_ns=0, memory_kib=262144, target_kib=262144, maximum_kib=262144,
            configured_memory_kib=262144, weight=256, cap_percent=0,
        )  # fmt: skip


class FakeHost:
    """A hypervisor.host.Host with a fake of each capability; the test moves its time.

    `names` are those of the domains by id. `spend` is called with each piece of virtual time.
    """

    name = "fake"

    def __init__(
        self,
        *names: str,
        hvm: Sequence[str] = (),
        spend: Callable[[int], None] = lambda ns: None,
    ) -> None:
        self.names = dict(enumerate(names or ("Domain-0", "web", "db")))
        self.now_ns = 0
        self.epoch_ns = EPOCH_NS
        self.pieces: list[int] = []
        self._spend = spend
        self.profiler = FakeProfiler(self.names, hvm)
        self.toolstack = FakeToolstack(self.names)
        self.tracer = FakeTracer()
        self.telemetry = FakeTelemetry(self)
        self._drivers = self.profiler.drivers

    def driver(self, name: str) -> FakeDriver:
        return self.profiler.oprofile(name)

    def set_paused(self, name: str, *, paused: bool) -> None:
        """Pause a domain and its daemon, or unpause them."""
        self.driver(name).is_paused = paused

    def destroy(self, name: str) -> None:
        """Remove a domain."""
        domid = next(domid for domid, known in self.names.items() if known == name)
        del self.names[domid]
        self.profiler.active.pop(domid, None)

    def advance(self, until_ns: int) -> None:
        self.pieces.append(until_ns - self.now_ns)
        self._spend(until_ns - self.now_ns)
        self.now_ns = until_ns
        for driver in self._drivers.values():
            driver.work()

    def advance_until(self, done: Callable[[], bool], limit_ns: int) -> bool:
        deadline_ns = self.now_ns + limit_ns
        while not (is_done := done()) and self.now_ns < deadline_ns:
            self.advance(min(self.now_ns + 100_000_000, deadline_ns))
        return is_done


def host_without(*capabilities: str) -> Any:
    """Return a host with grumble's domains that lacks these capabilities."""
    host = FakeHost(*NAMES)
    for capability in capabilities:
        setattr(host, capability, None)
    return host


USER, KERNEL, HYPERVISOR = Mode.USER, Mode.KERNEL, Mode.HYPERVISOR
