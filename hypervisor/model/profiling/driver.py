"""A guest kernel's oprofile driver and its daemon's appetite for CPU.

Samples go ring -> cpu buffer (at each VIRQ) -> event buffer (every 100 ms, or at a dump) ->
daemon (at the watershed, or at a dump). Each step costs cycles in this domain, and each can
overflow; what is dropped is counted where the real driver counts it.
Source: Linux 2.6.18 drivers/oprofile (buffer_sync.c, cpu_buffer.c, event_buffer.c) and the
xen driver arch/i386/oprofile/xenoprof.c.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from hypervisor.errors import EBUSY, EINVAL, OprofilefsError
from hypervisor.host import Module, Samples, Task
from hypervisor.model.codebook.work import KERNEL, Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.domain.domain import Domain, Domains, Vcpu
from hypervisor.model.profiling.control_text import c_number, domain_ids
from hypervisor.model.profiling.cpu_buffers import (
    ENTRIES_PER_RECORD,
    SYNC_NS,
    CpuBuffers,
    event_entries,
)
from hypervisor.model.profiling.pmu import CounterConfig
from hypervisor.model.profiling.rings import PASSIVE_SAMPLES
from hypervisor.model.profiling.samples import (
    SampleExpander,
    SampleRow,
    first_samples,
    pending_samples,
)
from hypervisor.model.profiling.xenoprof import IDLE, MAX_DOMAINS, Xenoprof
from hypervisor.samples import CallStack

BUFFER_SIZE, WATERSHED, CPU_BUFFER_SIZE = 131072, 32768, 8192  # entries, 2.6.18-xen defaults
MAX_DEPTH = 255  # callers of a sample; the deepest chains have some 40
DAEMON = "/usr/bin/oprofiled"
SWITCH_ENTRIES = 6  # free slots of the cpu buffer that a switch to a passive domain needs
COUNTERS = {"i386/p4": 8, "i386/p4-ht": 4, "i386/core_2": 2, "x86-64/hammer": 4}  # else none
NUMBERS = ("backtrace_depth", "buffer_size", "buffer_watershed", "cpu_buffer_size")
COUNTER_FILES = {"enabled": 0, "event": 0, "count": 0, "unit_mask": 0, "kernel": 1, "user": 1}


class OprofileModule:
    """/dev/oprofile of one domain (see `host.OprofileDriver`)."""

    def __init__(
        self,
        guest: Guest,
        xenoprof: Xenoprof,
        expander: SampleExpander,
        domains: Domains,
        cpu_type: str,
        mhz: int,
        modules: Sequence[Module],
    ) -> None:
        self.guest = guest
        self.domain: Domain = guest.domain
        self.xenoprof = xenoprof
        self.is_primary = self.domain.domid == 0
        self.batches: list[Samples] = []
        self._expander = expander
        self._domains = domains
        self._modules = tuple(modules)
        self._values = {
            "buffer_size": str(BUFFER_SIZE),
            "buffer_watershed": str(WATERSHED),
            "cpu_buffer_size": str(CPU_BUFFER_SIZE),
            "cpu_type": cpu_type,
            "cpu_mhz": str(mhz),
            "domid": str(self.domain.domid),
            "enable": "0",
            "pointer_size": "8",
            "active_domains": "",
            "passive_domains": "",
        }
        if cpu_type in COUNTERS:
            self._values["backtrace_depth"] = "0"  # our extension: Xen 3.0.3 walks no stacks
        self._counters: dict[int, dict[str, int]] = {}
        self.event_names: dict[int, str] = {}  # counter -> name, a label for metrics
        (self._virq_parts,) = guest.parts(("oprofile_virq", 1))
        self._is_open = False
        self._daemon = guest.spawn(DAEMON)[0]
        self._daemon_is_busy = False
        self._dump_wanted = False
        self._sync_is_due = False
        self._syncing = 0  # samples that a running sync is moving
        self._reading = 0  # samples that the daemon is working on
        self._cpu = CpuBuffers(len(self.domain.vcpus))
        self.lost_cpu: Sequence[int] = self._cpu.lost
        self._event_rows: list[SampleRow] = []
        self._event_fill = 0
        self._event_samples = 0
        self.lost_event = 0
        self._stats_base: dict[str, int] = {}  # the sums when it was enabled last
        self._lost_entries = 0  # the same in entries of the event buffer

    # oprofilefs

    def read(self, name: str) -> str:
        """Return the text of a file below /dev/oprofile."""
        if name in self._values:
            return self._values[name]
        if name == "unread":  # our extension: left in the rings that the driver shares with Xen
            unread = self.xenoprof.unread(self.domain.domid)
            if self.is_primary:
                unread += sum(self.xenoprof.unread(domid) for domid in self.xenoprof.passive)
            return str(unread)
        if name.startswith("stats/"):
            stats = self._stats()
            if name[6:] in stats:
                return str(stats[name[6:]])
        index, leaf = self._counter_file(name)
        if leaf in COUNTER_FILES:
            return str(self._counters.get(index, COUNTER_FILES)[leaf])
        raise OprofilefsError(EINVAL, f"/dev/oprofile/{name}: no such file")

    def _stats(self) -> Mapping[str, int]:
        """Return the counts since the last `enable` (oprofile_reset_stats at each start)."""
        return {name: count - self._stats_base.get(name, 0) for name, count in self._sums().items()}

    def _sums(self) -> dict[str, int]:
        stats = {
            "sample_lost_no_mm": 0,
            "sample_lost_no_mapping": 0,
            "event_lost_overflow": self._lost_entries,
            "bt_lost_no_mapping": 0,
        }
        for vcpu, received in enumerate(self._cpu.received):
            stats[f"cpu{vcpu}/sample_received"] = received
            stats[f"cpu{vcpu}/sample_lost_overflow"] = self._cpu.lost[vcpu]
            stats[f"cpu{vcpu}/backtrace_aborted"] = 0
        return stats

    def write(self, name: str, value: str) -> None:
        """Write a file below /dev/oprofile."""
        if name == "enable":
            self._enable(value.strip())
        elif name == "dump":
            self.guest.execution.settle_all()
            self._dump_wanted = True
            self._sync()
        elif name == "leave":  # our extension, see Xenoprof.leave
            for vcpu_id, rows in enumerate(self.xenoprof.leave(self.domain.domid)):
                self._to_cpu_buffer(vcpu_id, rows)
        elif name in ("active_domains", "passive_domains"):
            self._write_domains(name, value)
        elif name in NUMBERS and name in self._values:
            self._values[name] = str(self._number(name, value))
        else:
            index, leaf = self._counter_file(name)
            if leaf == "name":
                self.event_names[index] = value
            elif leaf in COUNTER_FILES:
                counter = self._counters.setdefault(index, dict(COUNTER_FILES))
                counter[leaf] = self._number(name, value)
            else:
                raise OprofilefsError(EINVAL, f"/dev/oprofile/{name}: cannot be written")

    def _counter_file(self, name: str) -> tuple[int, str]:
        """Return (counter, file) of `N/file`; the file is empty if there is no such counter."""
        index, _, leaf = name.partition("/")
        counters = COUNTERS.get(self._values["cpu_type"], 0)
        is_counter = index in map(str, range(counters))
        return (int(index), leaf) if is_counter else (-1, "")

    def _number(self, name: str, value: str) -> int:
        number = c_number(value.strip())
        if number is None:
            raise OprofilefsError(EINVAL, f"/dev/oprofile/{name}: {value!r} is not a number")
        return number

    def _enable(self, value: str) -> None:
        wanted = "1" if value not in ("", "0") else "0"
        if wanted == self._values["enable"]:
            return
        if self.is_primary:  # in a guest the file is its own business
            if wanted == "1":
                if not self._is_open:
                    raise OprofilefsError(EINVAL, "start the daemon first")
                self.xenoprof.start()
            else:
                self.xenoprof.stop()
        if wanted == "1":
            self._stats_base = self._sums()
        self._values["enable"] = wanted

    def _write_domains(self, name: str, value: str) -> None:
        """Set a list. A failed write leaves it empty; Xen keeps its own list once it is in use."""
        self._values[name] = ""
        xenoprof = self.xenoprof
        is_active = name == "active_domains"
        reset = xenoprof.reset_active_list if is_active else xenoprof.reset_passive_list
        if self.is_primary:
            xenoprof.init(0)
        is_ours = self.is_primary and xenoprof.state == IDLE
        try:
            if is_ours:
                reset()
            domids = domain_ids(value, MAX_DOMAINS)
            if not self.is_primary:  # accepted and ignored, as in the real driver
                return
            for domid in [*domids, *([] if 0 in domids or not is_active else [0])]:
                self._set_domain(domid, is_active=is_active)
        except OprofilefsError as error:
            if is_ours:
                reset()
            raise OprofilefsError(EINVAL, f"{name}: {error}") from None
        self._values[name] = " ".join(map(str, domids))

    def _set_domain(self, domid: int, *, is_active: bool) -> None:
        domain = self._domains.get(domid)
        if domain is None:
            raise OprofilefsError(EINVAL, f"there is no domain {domid}")
        if is_active and domain.oprofile is None:
            raise OprofilefsError(EINVAL, f"domain {domid} is HVM and can only be passive")
        if is_active:
            self.xenoprof.set_active(domid)
        elif domid:
            self.xenoprof.set_passive(domain)
        else:
            raise OprofilefsError(EINVAL, "domain 0 cannot be passive")

    # The daemon's side

    def open_buffer(self) -> None:
        """Open /dev/oprofile/buffer (see `host.OprofileDriver`)."""
        if self._is_open:
            raise OprofilefsError(EBUSY, "the buffer is open already: one daemon a domain")
        xenoprof = self.xenoprof
        xenoprof.init(self.domain.domid)
        self._set_depth(int(self._values.get("backtrace_depth", "0")))
        xenoprof.get_buffer(self.domain)
        if self.is_primary:
            self._set_up_counters()
        xenoprof.enable_virq(self.domain)
        self._cpu.opened(self.guest.execution.clock.now)
        self._is_open = True
        xenoprof.readers.add(self.domain.domid)

    def _set_depth(self, depth: int) -> None:
        """Have so many callers of each sample recorded (0: none), passive domains' as well.

        Our extension: from Xen 3.3 on this is XENOPROF_set_backtrace.
        """
        xenoprof = self.xenoprof
        domids = [self.domain.domid, *(sorted(xenoprof.passive) if self.is_primary else ())]
        depths = xenoprof.pmu.depths
        self._cpu.may_walk |= depth > 0
        for domid in domids:
            depths.pop(domid, None)
            if depth:
                depths[domid] = min(depth, MAX_DEPTH)
            if domid != self.domain.domid:
                xenoprof.get_buffer(self._domains[domid], PASSIVE_SAMPLES)

    def close_buffer(self) -> None:
        """Close it. Refusals of the hypervisor are ignored, as the guest driver does.

        Closing it disables profiling first, as the kernel does when a daemon dies.
        """
        if not self._is_open:
            return
        self._enable("0")
        self.guest.execution.settle_all()  # what was sampled until now is still read
        self._is_open = False
        self.xenoprof.readers.discard(self.domain.domid)
        self._set_depth(0)
        with suppress(OprofilefsError):
            self.xenoprof.disable_virq(self.domain.domid)
        if self.is_primary:
            with suppress(OprofilefsError):
                self.xenoprof.release_counters()

    def _set_up_counters(self) -> None:
        xenoprof = self.xenoprof
        if 0 not in xenoprof.active:  # no list was written since the last session
            xenoprof.reset_active_list()
            xenoprof.set_active(0)
        xenoprof.reserve_counters()
        for index, values in sorted(self._counters.items()):
            if values["enabled"]:
                config = CounterConfig(
                    values["event"],
                    values["unit_mask"],
                    values["count"],
                    bool(values["kernel"]),
                    bool(values["user"]),
                )
                xenoprof.counter(index, config)
        xenoprof.setup_events()

    def read_buffer(self) -> Sequence[Samples]:
        """Return what the daemon has worked off since the last call."""
        batches, self.batches = self.batches, []
        return batches

    def pending(self) -> int:
        """Return the samples that the driver or the daemon still has in hand."""
        return self._cpu.samples + self._syncing + self._event_samples + self._reading

    def stack(self, stack_id: int) -> CallStack:
        """Return a stack of this domain's samples."""
        return self.xenoprof.pmu.stacks.stack(stack_id)

    def modules(self) -> Sequence[Module]:
        """Return /proc/modules."""
        return self._modules

    def tasks(self) -> Mapping[int, Task]:
        """Return all tasks by tgid."""
        return self.guest.tasks

    # Samples

    def virq(self, vcpu: Vcpu, virqs: int, rows: list[SampleRow]) -> None:
        """Take `rows` and what the ring holds; domain 0 also takes what passive domains have."""
        guest = self.guest
        self.domain.virqs += virqs
        path, cycles_q = self._virq_parts
        guest.execution.owe(vcpu, path, cycles_q * virqs)
        xenoprof = self.xenoprof
        ring = xenoprof.rings[self.domain.domid][vcpu.vcpu_id]
        self._to_cpu_buffer(vcpu.vcpu_id, ring.empty() + rows)
        if self.is_primary:
            for domid in sorted(xenoprof.passive):
                for passive_ring in xenoprof.rings[domid]:
                    if passive_ring.rows:
                        if self._cpu_room(vcpu.vcpu_id) < SWITCH_ENTRIES:
                            return  # left for later
                        self._to_cpu_buffer(vcpu.vcpu_id, passive_ring.empty())

    def _cpu_room(self, vcpu_id: int) -> int:
        now = self.guest.execution.clock.now
        return self._cpu.room(vcpu_id, int(self._values["cpu_buffer_size"]), now)

    def _to_cpu_buffer(self, vcpu_id: int, rows: list[SampleRow]) -> None:
        clock = self.guest.execution.clock
        size = int(self._values["cpu_buffer_size"])
        if self._cpu.add(vcpu_id, rows, size, clock.now) and not self._sync_is_due:
            self._sync_is_due = True
            clock.schedule(clock.now + SYNC_NS, self._sync_timer)

    def _sync_timer(self, _: object) -> None:
        self._sync_is_due = False
        self._sync()

    def _sync(self) -> None:
        """Move the cpu buffers into the event buffer: a kernel thread's work."""
        if self.domain.dying:
            return
        rows = self._cpu.take()
        self._syncing += sum(row[2] for row in rows)
        parts = self.guest.parts(("oprofile_sync_sample", max(self._cpu.frames_of(rows), 1)))
        self.guest.run(Work(parts, self._synced, rows, task=KERNEL))

    def _synced(self, work: Work[list[SampleRow]]) -> None:
        rows: list[SampleRow] = work.arg
        size = int(self._values["buffer_size"])
        samples = sum(row[2] for row in rows)
        entries = self._cpu.event_entries_of(rows)
        if self._event_fill + entries <= size:
            self._event_rows += rows
            self._event_fill += entries
            self._event_samples += samples
        else:
            for row in rows:
                each = event_entries(row)
                room = (size - self._event_fill - ENTRIES_PER_RECORD) // each
                kept = first_samples(row, room)
                lost = row[2] - kept[2]
                self.lost_event += lost
                self._lost_entries += each * lost
                if kept[2]:
                    self._event_rows.append(kept)
                    self._event_fill += each * kept[2] + ENTRIES_PER_RECORD
                    self._event_samples += kept[2]
                    self._wake_daemon()  # at the watershed, not after the whole lot
        self._syncing -= samples
        self._wake_daemon()

    def _wake_daemon(self) -> None:
        watershed = int(self._values["buffer_size"]) - int(self._values["buffer_watershed"])
        if self._daemon_is_busy or not self._is_open:
            return
        is_due = self._event_fill >= watershed or self._dump_wanted
        if not self._syncing:  # else more of what the dump wants is on its way
            self._dump_wanted = False
        if not is_due or not self._event_rows:
            return
        self._daemon_is_busy = True
        rows, self._event_rows = self._event_rows, []
        samples, self._event_samples, self._event_fill = self._event_samples, 0, 0
        self._reading = samples
        frames = self._cpu.frames_of(rows)
        parts = self.guest.parts(("oprofiled_wakeup", 1), ("oprofiled_sample", frames))
        self.guest.run(Work(parts, self._read, rows, task=self._daemon))

    def _read(self, work: Work[list[SampleRow]]) -> None:
        self._daemon_is_busy = False
        self._reading = 0
        self.batches += pending_samples(self._expander, work.arg)
        self._wake_daemon()
