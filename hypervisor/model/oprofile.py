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
from hypervisor.model.control_text import c_number, domain_ids
from hypervisor.model.domain import Domain, Domains, Vcpu
from hypervisor.model.execution import COUNT_NS
from hypervisor.model.guest import Guest
from hypervisor.model.pmu import CounterConfig
from hypervisor.model.samples import SampleExpander, SampleRow, first_samples, pending_samples
from hypervisor.model.work import KERNEL, Work
from hypervisor.model.xenoprof import IDLE, MAX_DOMAINS, Xenoprof

SYNC_NS = 100_000_000  # DEFAULT_TIMER_EXPIRE, HZ / 10
BUFFER_SIZE, WATERSHED, CPU_BUFFER_SIZE = 131072, 32768, 8192  # entries, 2.6.18-xen defaults
ENTRIES_PER_SAMPLE = 2  # pc and counter
ENTRIES_PER_RECORD = 5  # escapes at a change of task, mode or domain (judgement: one change)
DAEMON = "/usr/bin/oprofiled"
SWITCH_ENTRIES = 6  # free slots of the cpu buffer that a switch to a passive domain needs
COUNTERS = {"i386/p4": 8, "i386/p4-ht": 4, "i386/core_2": 2, "x86-64/hammer": 4}  # else none
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
        vcpus = len(self.domain.vcpus)
        self._cpu_rows: list[list[SampleRow]] = [[] for _ in range(vcpus)]
        self._cpu_fill = [0] * vcpus
        self._filled_ns = [0] * vcpus  # when samples came last
        self._moved_ns = [0] * vcpus  # samples taken until then have left the cpu buffer
        self._event_rows: list[SampleRow] = []
        self._event_fill = 0
        self._event_samples = 0
        self.received = [0] * vcpus
        self.lost_cpu = [0] * vcpus
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
        for vcpu, received in enumerate(self.received):
            stats[f"cpu{vcpu}/sample_received"] = received
            stats[f"cpu{vcpu}/sample_lost_overflow"] = self.lost_cpu[vcpu]
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
        elif name in ("buffer_size", "buffer_watershed", "cpu_buffer_size"):
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
        xenoprof.get_buffer(self.domain)
        if self.is_primary:
            self._set_up_counters()
        xenoprof.enable_virq(self.domain)
        self._filled_ns = [self.guest.execution.clock.now] * len(self._filled_ns)
        self._moved_ns = list(self._filled_ns)
        self._is_open = True
        xenoprof.readers.add(self.domain.domid)

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
        in_cpu = sum(row[2] for rows in self._cpu_rows for row in rows)
        return in_cpu + self._syncing + self._event_samples + self._reading

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
        """Return the free slots of a cpu buffer.

        Samples come here in lots of up to COUNT_NS (in several calls at one instant), there one
        by one: the real driver would have moved them on at each sync since `_moved_ns`, and have
        had the whole buffer again.
        """
        since_ns = self.guest.execution.clock.now - self._moved_ns[vcpu_id]
        syncs = max(1, -(-min(since_ns, COUNT_NS + SYNC_NS) // SYNC_NS))
        return (int(self._values["cpu_buffer_size"]) - 1) * syncs - self._cpu_fill[vcpu_id]

    def _to_cpu_buffer(self, vcpu_id: int, rows: list[SampleRow]) -> None:
        mine = self._cpu_rows[vcpu_id]
        samples = sum(row[2] for row in rows)
        self.received[vcpu_id] += samples
        if samples + len(rows) <= self._cpu_room(vcpu_id):
            mine += rows
            self._cpu_fill[vcpu_id] += samples + len(rows)
        else:
            for row in rows:
                kept = first_samples(row, self._cpu_room(vcpu_id) - 1)
                self.lost_cpu[vcpu_id] += row[2] - kept[2]
                if kept[2]:
                    mine.append(kept)
                    self._cpu_fill[vcpu_id] += kept[2] + 1
        self._filled_ns[vcpu_id] = self.guest.execution.clock.now
        if mine and not self._sync_is_due:
            self._sync_is_due = True
            clock = self.guest.execution.clock
            clock.schedule(clock.now + SYNC_NS, self._sync_timer)

    def _sync_timer(self, _: object) -> None:
        self._sync_is_due = False
        self._sync()

    def _sync(self) -> None:
        """Move the cpu buffers into the event buffer: a kernel thread's work."""
        if self.domain.dying:
            return
        rows = [row for mine in self._cpu_rows for row in mine]
        samples = sum(row[2] for row in rows)
        for vcpu_id in range(len(self._cpu_rows)):
            self._cpu_rows[vcpu_id] = []
            self._cpu_fill[vcpu_id] = 0
            self._moved_ns[vcpu_id] = self._filled_ns[vcpu_id]
        self._syncing += samples
        parts = self.guest.parts(("oprofile_sync_sample", max(samples, 1)))
        self.guest.run(Work(parts, self._synced, rows, task=KERNEL))

    def _synced(self, work: Work) -> None:
        rows: list[SampleRow] = work.arg
        size = int(self._values["buffer_size"])
        samples = sum(row[2] for row in rows)
        entries = ENTRIES_PER_SAMPLE * samples + ENTRIES_PER_RECORD * len(rows)
        if self._event_fill + entries <= size:
            self._event_rows += rows
            self._event_fill += entries
            self._event_samples += samples
        else:
            for row in rows:
                room = (size - self._event_fill - ENTRIES_PER_RECORD) // ENTRIES_PER_SAMPLE
                kept = first_samples(row, room)
                lost = row[2] - kept[2]
                self.lost_event += lost
                self._lost_entries += ENTRIES_PER_SAMPLE * lost
                if kept[2]:
                    self._event_rows.append(kept)
                    self._event_fill += ENTRIES_PER_SAMPLE * kept[2] + ENTRIES_PER_RECORD
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
        parts = self.guest.parts(("oprofiled_wakeup", 1), ("oprofiled_sample", samples))
        self.guest.run(Work(parts, self._read, rows, task=self._daemon))

    def _read(self, work: Work) -> None:
        self._daemon_is_busy = False
        self._reading = 0
        self.batches += pending_samples(self._expander, work.arg)
        self._wake_daemon()
