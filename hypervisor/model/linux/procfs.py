"""The /proc files of guests that RHEL 5's tools read, with what the model knows and nothing else.

Formats: Linux 2.6.18, fs/proc. Lines and fields that the model has no value for are left out, or
0 where the format needs a number there.
"""

from collections.abc import Callable, Mapping

from hypervisor.errors import Refused
from hypervisor.model.codebook.work import TaskIdentity
from hypervisor.model.cpu.execution import TICK_NS
from hypervisor.model.cpu.guest import Process
from hypervisor.model.domain.domain import Domain
from hypervisor.model.hypercalls import Hypercalls
from hypervisor.model.linux.proctimes import (
    LOAD_PERIOD_NS,
    KernelTimes,
    LoadAverages,
    running_tasks,
    sleepers,
)
from hypervisor.model.memory.pages import PAGE_KIB
from hypervisor.model.memory.paging import Paging, meminfo
from hypervisor.model.memory.swap import DISK_KIB
from hypervisor.model.profiling.driver import DAEMON

_NET_HEAD = (
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast"
    "|bytes    packets errs drop fifo colls carrier compressed\n"
)
# vendor, family, model, name, stepping, cache in KB: as the boot ring has them (judgement there).
_PROCESSORS = {
    "p4": ("GenuineIntel", 15, 2, "Intel(R) Xeon(TM) CPU {ghz}GHz", 9, 512),
    "p4-ht": ("GenuineIntel", 15, 4, "Intel(R) Xeon(TM) CPU {ghz}GHz", 3, 2048),
    "core_2": ("GenuineIntel", 6, 15, "Intel(R) Xeon(R) CPU            5160  @ {ghz}GHz", 6, 4096),
    "hammer": ("AuthenticAMD", 15, 1, "AMD Opteron(tm) Processor 285", 2, 1024),
}
_PROCESS_FIELDS = 24  # of /proc/PID/stat, up to rss


class ProcFiles:
    """/proc of every domain of a host. Everything must be settled and divided up to now."""

    def __init__(self, hypercalls: Hypercalls, unix_ns: Callable[[], int]) -> None:
        self._hypercalls = hypercalls
        self._unix_ns = unix_ns
        self.times = KernelTimes(hypercalls.clock)
        self._loads: dict[int, LoadAverages] = {}
        self._files: Mapping[str, Callable[[Domain], str]] = {
            "cmdline": self._cmdline,
            "cpuinfo": self._cpuinfo,
            "diskstats": self._diskstats,
            "loadavg": self._loadavg,
            "meminfo": _meminfo,
            "net/dev": self._net_dev,
            "partitions": self._partitions,
            "stat": self._stat,
            "uptime": self._uptime,
            "version": self._version,
            "vmstat": _vmstat,
        }

    def start(self) -> None:
        """Begin to average loads."""
        clock = self._hypercalls.clock
        clock.schedule(clock.now + LOAD_PERIOD_NS, self._sample_loads)

    def read(self, domid: int, name: str) -> str:
        """Return a file of a domain by its name below /proc; "": all names, one a line.

        Raises: Refused, as cat says it.
        """
        domain = self._hypercalls.live[domid]
        processes = self._processes(domain)
        if not name:
            names = [*self._files, *(f"{pid}/stat" for pid in processes)]
            return "".join(f"{one}\n" for one in names + _xen_names(domain))
        if name in self._files:
            return self._files[name](domain)
        if name in _xen_names(domain):
            if name == "xen/balloon":
                return self._hypercalls.residents[domid].balloon.proc_text()
            return "" if domid else "control_d\n"
        pid, _, rest = name.partition("/")
        if rest == "stat" and pid.isascii() and pid.isdigit() and int(pid) in processes:
            return self._process(domain, int(pid), processes)
        raise Refused(f"cat: /proc/{name}: No such file or directory")

    def _sample_loads(self, _: object) -> None:
        clock, live = self._hypercalls.clock, self._hypercalls.live
        clock.schedule(clock.now + LOAD_PERIOD_NS, self._sample_loads)
        for domid in self._loads.keys() - live.keys():
            del self._loads[domid]
            self.times.forget(domid)
        for domid, domain in live.items():
            load = self._loads.setdefault(domid, LoadAverages())
            if not domain.pause_count and domain.shutdown_reason is None:
                load.sample(len(running_tasks(domain)) + sleepers(domain))

    @property
    def _now(self) -> int:
        return self._hypercalls.clock.now

    def _stat(self, domain: Domain) -> str:
        times = {"cpu ": self.times.of_domain(domain, self._now)}
        for vcpu in domain.vcpus:
            if vcpu.online:
                times[f"cpu{vcpu.vcpu_id}"] = self.times.of_vcpu(vcpu, self._now)
        lines = []
        for name, spent in times.items():
            user, system, idle, iowait, steal = (ns // TICK_NS for ns in spent)
            lines.append(f"{name} {user} 0 {system} {idle} {iowait} 0 0 {steal}")
        boot_ns = self._unix_ns() - self.times.uptime_ns(domain, self._now)
        lines += [
            f"intr {self._interrupts(domain)}",
            f"ctxt {domain.switches}",
            f"btime {boot_ns // 1_000_000_000}",
            # Whoever reads this file runs as well.
            f"procs_running {len(running_tasks(domain)) + 1}",
            f"procs_blocked {sleepers(domain)}",
        ]
        return "".join(f"{line}\n" for line in lines)

    def _interrupts(self, domain: Domain) -> int:
        """Return event channel upcalls and ticks, of which there is one per 10 ms of running.

        One-shot timers are not in it: nobody counts them.
        """
        count = domain.channels.received + domain.virqs + domain.cpu_ns(self._now) // TICK_NS
        if not domain.domid:
            backends = self._hypercalls.backends
            count += backends.nic.interrupts + backends.blkback.disk.operations
        return count

    def _uptime(self, domain: Domain) -> str:
        """Return /proc/uptime; idle is vcpu 0's idle task, as in 2.6.18."""
        times = self.times.of_vcpu(domain.vcpus[0], self._now)
        up, idle = self.times.uptime_ns(domain, self._now), times.idle + times.iowait
        up_text, idle_text = (
            f"{ns // 1_000_000_000}.{ns // 10_000_000 % 100:02}" for ns in (up, idle)
        )
        return f"{up_text} {idle_text}\n"

    def _loadavg(self, domain: Domain) -> str:
        loads = self._loads.get(domain.domid) or LoadAverages()
        pids = self._processes(domain)
        running = len(running_tasks(domain)) + 1
        return f"{loads.text()} {running}/{len(pids) + 1} {max(pids, default=1)}\n"

    def _diskstats(self, domain: Domain) -> str:
        now = self._now
        lines = []
        for vbd in domain.vbds:
            use, spec = vbd.use, vbd.spec
            busy_ms, queue_ms = use.busy_ns(now) // 1_000_000, use.queue_ns(now) // 1_000_000
            lines.append(
                f"{spec.device >> 8:4} {spec.device & 255:4} {spec.frontend} "
                f"{use.read_requests} 0 {use.read_bytes // 512} {use.read_wait_ns // 1_000_000} "
                f"{use.write_requests} 0 {use.write_bytes // 512} "
                f"{use.write_wait_ns // 1_000_000} {use.in_flight} {busy_ms} {queue_ms}\n"
            )
        return "".join(lines)

    def _net_dev(self, domain: Domain) -> str:
        """Return /proc/net/dev; domain 0 has the backends' ends, and the card as peth0."""
        rows: dict[str, tuple[int, ...]] = {"lo": (0, 0, 0, 0, 0, 0)}
        for number, vif in enumerate(domain.vifs):
            received = vif.receive_bytes, vif.receive_packets, vif.receive_dropped
            sent = vif.transmit_bytes, vif.transmit_packets, vif.transmit_dropped
            rows[f"eth{number}"] = (*received, *sent)
        if not domain.domid:
            nic = self._hypercalls.backends.nic
            rows["peth0"] = (
                nic.received_bytes, nic.received_packets, nic.dropped_packets,
                nic.transmitted_bytes, nic.transmitted_packets, 0,
            )  # fmt: skip
            for guest in self._hypercalls.live.values():
                for vif in guest.vifs:
                    rows[vif.name] = (
                        vif.transmit_bytes, vif.transmit_packets, vif.transmit_dropped,
                        vif.receive_bytes, vif.receive_packets, vif.receive_dropped,
                    )  # fmt: skip
        lines = [
            f"{name:>6}:{row[0]:8} {row[1]:7} {0:4} {row[2]:4} {0:4} {0:5} {0:10} {0:9} "
            f"{row[3]:8} {row[4]:7} {0:4} {row[5]:4} {0:4} {0:5} {0:7} {0:10}\n"
            for name, row in rows.items()
        ]
        return _NET_HEAD + "".join(lines)

    def _partitions(self, domain: Domain) -> str:
        rows = [
            f"{vbd.spec.device >> 8:4}  {vbd.spec.device & 255:4} {DISK_KIB:10} "
            f"{vbd.spec.frontend}\n"
            for vbd in domain.vbds
        ]
        return "major minor  #blocks  name\n\n" + "".join(rows)

    def _cmdline(self, domain: Domain) -> str:
        return self._hypercalls.residents[domain.domid].spec.command_line + "\n"

    def _version(self, domain: Domain) -> str:
        suffix = "" if domain.kind == "hvm" else "xen"
        return (
            f"Linux version 2.6.18-8.el5{suffix} (brewbuilder@build.redhat.com) "
            "(gcc version 4.1.1 20070105 (Red Hat 4.1.1-52)) "
            "#1 SMP Fri Jan 26 14:29:35 EST 2007\n"
        )

    def _cpuinfo(self, domain: Domain) -> str:
        info = self._hypercalls.physical_info()
        vendor, family, model, name, stepping, cache = _PROCESSORS[info.cpu_type]
        is_32_bit = self._hypercalls.residents[domain.domid].spec.arch == "i386"
        text = ""
        for vcpu in domain.vcpus:
            if not vcpu.online:
                continue
            rows = [
                ("processor", vcpu.vcpu_id),
                ("vendor_id", vendor),
                ("cpu family", family),
                ("model", model),
                ("model name", name.format(ghz=f"{info.mhz / 1000:.2f}")),
                ("stepping", stepping),
                ("cpu MHz", f"{info.mhz}.000"),
                ("cache size", f"{cache} KB"),
            ]
            if is_32_bit:  # a line that only such kernels have
                rows.append(("f00f_bug", "no"))
            text += "".join(f"{label}{_tabs(label)}: {value}\n" for label, value in rows) + "\n"
        return text

    def _process(self, domain: Domain, pid: int, processes: Mapping[int, Process]) -> str:
        """Return /proc/PID/stat: times of its program's code, shared by all that run it."""
        process = processes[pid]
        fields: list[object] = [0] * _PROCESS_FIELDS
        is_running = any(task.tgid == pid for task in running_tasks(domain))
        fields[:4] = [pid, f"({process.name[:15]})", "R" if is_running else "S", 1]
        user_ns, system_ns = self._program_ns(domain, pid)
        fields[13:15] = [user_ns // TICK_NS, system_ns // TICK_NS]
        resident_kib = process.working_set_kib
        pager = domain.guest.pager
        all_kib = sum(one.working_set_kib for one in processes.values())
        if isinstance(pager, Paging) and all_kib:
            resident_kib = resident_kib * (all_kib - pager.swapped_kib) // all_kib
        fields[22:24] = [process.working_set_kib * 1024, resident_kib // PAGE_KIB]
        return " ".join(map(str, fields)) + "\n"

    def _processes(self, domain: Domain) -> Mapping[int, Process]:
        """Return what runs, by pid; those without memory of their own too, but no dead ones."""
        guest = domain.guest
        found = dict(guest.processes)
        for tgid, task in guest.tasks.items():
            is_new = task.program == DAEMON and not any(self._program_ns(domain, tgid))
            if tgid in found or is_new:  # oprofiled has its pid before it is started
                continue
            identity = TaskIdentity(tgid, tgid, task.program)
            if guest.pager is None or guest.pager.is_alive(identity):
                found[tgid] = Process(tgid, task.program.rpartition("/")[2], 0)
        return dict(sorted(found.items()))

    def _program_ns(self, domain: Domain, pid: int) -> tuple[int, int]:
        tasks = domain.guest.tasks
        if pid not in tasks:
            return 0, 0
        program = tasks[pid].program
        user_ns = all_ns = 0
        execution = self._hypercalls.execution
        mine = [path.index for path in self._hypercalls.code.paths if path.program == program]
        for times in domain.path_ns.values():
            for path in mine:
                user, _, total = execution.path_modes[path]
                user_ns += times.spent_ns[path] * user // total
                all_ns += times.spent_ns[path]
        sharers = sum(task.program == program for task in tasks.values())
        return user_ns // sharers, (all_ns - user_ns) // sharers


def _tabs(label: str) -> str:
    return "\t\t" if len(label) < 8 else "\t"


def _xen_names(domain: Domain) -> list[str]:
    return [] if domain.kind == "hvm" else ["xen/balloon", "xen/capabilities"]


def _meminfo(domain: Domain) -> str:
    known = meminfo(domain)
    names = ("MemTotal", "MemFree", "Buffers", "Cached", "SwapCached", "SwapTotal", "SwapFree")
    rows = {name: known.get(name, 0) for name in names}
    return "".join(f"{name + ':':13} {kib:8} kB\n" for name, kib in rows.items())


def _vmstat(domain: Domain) -> str:
    """Return /proc/vmstat; pgpgin and pgpgout are KiB of the disks."""
    pager = domain.guest.pager
    ins, outs = (pager.page_ins, pager.page_outs) if isinstance(pager, Paging) else (0, 0)
    rows = {
        "pgpgin": sum(vbd.use.read_bytes for vbd in domain.vbds) // 1024,
        "pgpgout": sum(vbd.use.write_bytes for vbd in domain.vbds) // 1024,
        "pswpin": ins,
        "pswpout": outs,
    }
    return "".join(f"{name} {count}\n" for name, count in rows.items())
