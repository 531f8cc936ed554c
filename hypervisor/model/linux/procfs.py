"""Makes the /proc files of guests that RHEL 5's tools read, from values of the model.

Formats: Linux 2.6.18, fs/proc. Lines and fields without a value in the model are left out, or 0
where the format needs a number.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from hypervisor.errors import Refused
from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.work import TaskIdentity
from hypervisor.model.cpu.execution import TICK_NS, Execution
from hypervisor.model.cpu.guest import Guest, Process
from hypervisor.model.cpu.look import look
from hypervisor.model.domain.domain import Domain
from hypervisor.model.domain.pathtimes import user_kernel_ns
from hypervisor.model.io.blkif import BlockBackend
from hypervisor.model.io.devices import Devices
from hypervisor.model.io.netif import NetBackend
from hypervisor.model.linux.proctimes import (
    LOAD_PERIOD_NS,
    KernelTimes,
    LoadAverages,
    running_tasks,
)
from hypervisor.model.memory.balloon import Balloon
from hypervisor.model.memory.pages import PAGE_KIB
from hypervisor.model.memory.paging import Paging
from hypervisor.model.memory.swap import DISK_KIB
from hypervisor.model.profiling.event_buffer import DAEMON
from hypervisor.toolstack.config.devices import SECTOR_BYTES
from hypervisor.toolstack.config.spec import DomainSpec

_NET_HEAD = (
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast"
    "|bytes    packets errs drop fifo colls carrier compressed\n"
)
# vendor, family, model, name, stepping, cache in KB: as in the boot ring (judgement there).
_PROCESSORS = {
    "p4": ("GenuineIntel", 15, 2, "Intel(R) Xeon(TM) CPU {ghz}GHz", 9, 512),
    "p4-ht": ("GenuineIntel", 15, 4, "Intel(R) Xeon(TM) CPU {ghz}GHz", 3, 2048),
    "core_2": ("GenuineIntel", 6, 15, "Intel(R) Xeon(R) CPU            5160  @ {ghz}GHz", 6, 4096),
    "hammer": ("AuthenticAMD", 15, 1, "AMD Opteron(tm) Processor 285", 2, 1024),
}
_PROCESS_FIELDS = 24  # of /proc/PID/stat, up to rss


class System(Protocol):
    """A domain with its kernel, as /proc shows it."""

    domain: Domain
    spec: DomainSpec
    guest: Guest
    devices: Devices
    paging: Paging
    balloon: Balloon


class Hardware(Protocol):
    """Domain 0's drivers of real hardware, whose interrupts and counters /proc shows."""

    @property
    def netback(self) -> NetBackend:
        """Return the driver of the network card."""
        ...

    @property
    def blkback(self) -> BlockBackend:
        """Return the driver of the disk."""
        ...


@dataclass(frozen=True, slots=True)
class Processor:
    """The values for /proc/cpuinfo; `cpu_type` is as in a scenario."""

    cpu_type: str
    mhz: int


class ProcFiles:
    """Makes /proc of every domain of a host (see `toolstack.views.ProcFiles`)."""

    def __init__(
        self,
        systems: Mapping[int, System],
        hardware: Hardware,
        processor: Processor,
        execution: Execution,
        code: CodeBook,
        times: KernelTimes,
        unix_ns: Callable[[], int],
    ) -> None:
        """`systems` has the live and dying domains by id; `unix_ns()` is the time of day."""
        self._systems = systems
        self._hardware = hardware
        self._processor = processor
        self._execution = execution
        self._code = code
        self._times = times
        self._unix_ns = unix_ns
        self._loads: dict[int, LoadAverages] = {}
        self._files: Mapping[str, Callable[[System], str]] = {
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
        """Start averaging loads."""
        clock = self._execution.clock
        clock.schedule(clock.now + LOAD_PERIOD_NS, self._sample_loads)

    def read(self, domid: int, name: str) -> str:
        """Return the text of a file by its name below a domain's /proc; "" lists all names by line.

        Raises: Refused, with cat's message.
        """
        with look(self._execution.accounting):
            return self._read(domid, name)

    def read_all(self, domid: int) -> Mapping[str, str]:
        """Return the texts of all files of a domain, by name, as one look shows them."""
        with look(self._execution.accounting):
            return {name: self._read(domid, name) for name in self._read(domid, "").splitlines()}

    def _read(self, domid: int, name: str) -> str:
        system = self._systems[domid]
        kind = system.domain.kind
        processes = self._processes(system)
        if not name:
            names = [*self._files, *(f"{pid}/stat" for pid in processes)]
            return "".join(f"{one}\n" for one in names + _xen_names(kind))
        if name in self._files:
            return self._files[name](system)
        if name in _xen_names(kind):
            if name == "xen/balloon":
                return system.balloon.proc_text()
            return "" if domid else "control_d\n"
        pid, _, rest = name.partition("/")
        if rest == "stat" and pid.isascii() and pid.isdigit() and int(pid) in processes:
            return self._process(system, int(pid), processes)
        raise Refused(f"cat: /proc/{name}: No such file or directory")

    def _sample_loads(self, _: object) -> None:
        clock = self._execution.clock
        clock.schedule(clock.now + LOAD_PERIOD_NS, self._sample_loads)
        for domid in self._loads.keys() - self._systems.keys():
            del self._loads[domid]
            self._times.forget(domid)
        for domid, system in self._systems.items():
            domain = system.domain
            load = self._loads.setdefault(domid, LoadAverages())
            if not domain.pause_count and domain.shutdown_reason is None:
                load.sample(len(running_tasks(domain)) + system.devices.io_wait.sleepers)

    @property
    def _now(self) -> int:
        return self._execution.clock.now

    def _stat(self, system: System) -> str:
        domain, io_wait = system.domain, system.devices.io_wait
        times = {"cpu ": self._times.of_domain(domain, io_wait, self._now)}
        for vcpu in domain.vcpus:
            if vcpu.online:
                times[f"cpu{vcpu.vcpu_id}"] = self._times.of_vcpu(vcpu, io_wait, self._now)
        lines = []
        for name, spent in times.items():
            user, kernel, idle, iowait, steal = (ns // TICK_NS for ns in spent)
            lines.append(f"{name} {user} 0 {kernel} {idle} {iowait} 0 0 {steal}")
        boot_ns = self._unix_ns() - self._times.uptime_ns(domain, self._now)
        lines += [
            f"intr {self._interrupts(domain)}",
            f"ctxt {domain.switches}",
            f"btime {boot_ns // 1_000_000_000}",
            # The process that reads this file runs as well.
            f"procs_running {len(running_tasks(domain)) + 1}",
            f"procs_blocked {io_wait.sleepers}",
        ]
        return "".join(f"{line}\n" for line in lines)

    def _interrupts(self, domain: Domain) -> int:
        """Return the number of event channel upcalls and ticks, one every 10 ms of running.

        One-shot timers are not included, because the model does not count them.
        """
        count = domain.channels.received + domain.virqs + domain.cpu_ns(self._now) // TICK_NS
        if not domain.domid:
            hardware = self._hardware
            count += hardware.netback.nic.interrupts + hardware.blkback.disk.operations
        return count

    def _uptime(self, system: System) -> str:
        """Return the text of /proc/uptime; as in 2.6.18, idle is that of vcpu 0."""
        domain = system.domain
        times = self._times.of_vcpu(domain.vcpus[0], system.devices.io_wait, self._now)
        up, idle = self._times.uptime_ns(domain, self._now), times.idle + times.iowait
        up_text, idle_text = (
            f"{ns // 1_000_000_000}.{ns // 10_000_000 % 100:02}" for ns in (up, idle)
        )
        return f"{up_text} {idle_text}\n"

    def _loadavg(self, system: System) -> str:
        loads = self._loads.get(system.domain.domid) or LoadAverages()
        pids = self._processes(system)
        running = len(running_tasks(system.domain)) + 1
        return f"{loads.text()} {running}/{len(pids) + 1} {max(pids, default=1)}\n"

    def _diskstats(self, system: System) -> str:
        now = self._now
        lines = []
        for vbd in system.devices.vbds:
            use, spec = vbd.use, vbd.spec
            read, written = use.read_bytes // SECTOR_BYTES, use.write_bytes // SECTOR_BYTES
            busy_ms, queue_ms = use.busy_ns(now) // 1_000_000, use.queue_ns(now) // 1_000_000
            lines.append(
                f"{spec.device >> 8:4} {spec.device & 255:4} {spec.frontend} "
                f"{use.read_requests} 0 {read} {use.read_wait_ns // 1_000_000} "
                f"{use.write_requests} 0 {written} "
                f"{use.write_wait_ns // 1_000_000} {use.in_flight} {busy_ms} {queue_ms}\n"
            )
        return "".join(lines)

    def _net_dev(self, system: System) -> str:
        """Return the text of /proc/net/dev; domain 0 has the backend interfaces and peth0."""
        rows: dict[str, tuple[int, ...]] = {"lo": (0, 0, 0, 0, 0, 0)}
        for number, vif in enumerate(system.devices.vifs):
            received = vif.receive_bytes, vif.receive_packets, vif.receive_dropped
            sent = vif.transmit_bytes, vif.transmit_packets, vif.transmit_dropped
            rows[f"eth{number}"] = (*received, *sent)
        if not system.domain.domid:
            nic = self._hardware.netback.nic
            rows["peth0"] = (
                nic.received_bytes, nic.received_packets, nic.dropped_packets,
                nic.transmitted_bytes, nic.transmitted_packets, 0,
            )  # fmt: skip
            for other in self._systems.values():
                for vif in other.devices.vifs:
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

    def _partitions(self, system: System) -> str:
        rows = [
            f"{vbd.spec.device >> 8:4}  {vbd.spec.device & 255:4} {DISK_KIB:10} "
            f"{vbd.spec.frontend}\n"
            for vbd in system.devices.vbds
        ]
        return "major minor  #blocks  name\n\n" + "".join(rows)

    def _cmdline(self, system: System) -> str:
        return system.spec.command_line + "\n"

    def _version(self, system: System) -> str:
        suffix = "" if system.domain.kind == "hvm" else "xen"
        return (
            f"Linux version 2.6.18-8.el5{suffix} (brewbuilder@build.redhat.com) "
            "(gcc version 4.1.1 20070105 (Red Hat 4.1.1-52)) "
            "#1 SMP Fri Jan 26 14:29:35 EST 2007\n"
        )

    def _cpuinfo(self, system: System) -> str:
        mhz = self._processor.mhz
        vendor, family, model, name, stepping, cache = _PROCESSORS[self._processor.cpu_type]
        is_32_bit = system.spec.arch == "i386"
        text = ""
        for vcpu in system.domain.vcpus:
            if not vcpu.online:
                continue
            rows = [
                ("processor", vcpu.vcpu_id),
                ("vendor_id", vendor),
                ("cpu family", family),
                ("model", model),
                ("model name", name.format(ghz=f"{mhz / 1000:.2f}")),
                ("stepping", stepping),
                ("cpu MHz", f"{mhz}.000"),
                ("cache size", f"{cache} KB"),
            ]
            if is_32_bit:  # a line that only such kernels have
                rows.append(("f00f_bug", "no"))
            text += "".join(f"{label}{_tabs(label)}: {value}\n" for label, value in rows) + "\n"
        return text

    def _process(self, system: System, pid: int, processes: Mapping[int, Process]) -> str:
        """Return the text of /proc/PID/stat; processes of a program share the times of its code."""
        process = processes[pid]
        fields: list[object] = [0] * _PROCESS_FIELDS
        is_running = any(task.tgid == pid for task in running_tasks(system.domain))
        fields[:4] = [pid, f"({process.name[:15]})", "R" if is_running else "S", 1]
        user_ns, system_ns = self._program_ns(system, pid)
        fields[13:15] = [user_ns // TICK_NS, system_ns // TICK_NS]
        resident_kib = process.working_set_kib
        all_kib = sum(one.working_set_kib for one in processes.values())
        if all_kib:
            resident_kib = resident_kib * (all_kib - system.paging.swapped_kib) // all_kib
        fields[22:24] = [process.working_set_kib * 1024, resident_kib // PAGE_KIB]
        return " ".join(map(str, fields)) + "\n"

    def _processes(self, system: System) -> Mapping[int, Process]:
        """Return the living processes by pid, also those without memory of their own."""
        guest = system.guest
        found = dict(guest.processes)
        for tgid, task in guest.tasks.items():
            is_new = task.program == DAEMON and not any(self._program_ns(system, tgid))
            if tgid in found or is_new:  # oprofiled has a pid before it is started
                continue
            identity = TaskIdentity(tgid, tgid, task.program)
            if system.paging.is_alive(identity):
                found[tgid] = Process(tgid, task.program.rpartition("/")[2], 0)
        return dict(sorted(found.items()))

    def _program_ns(self, system: System, pid: int) -> tuple[int, int]:
        tasks = system.guest.tasks
        if pid not in tasks:
            return 0, 0
        program = tasks[pid].program
        user_ns = all_ns = 0
        modes = self._execution.accounting.path_modes
        mine = [path.index for path in self._code.paths if path.program == program]
        for times in system.domain.path_ns.values():
            for path in mine:
                spent_ns = times.spent_ns[path]
                user_ns += user_kernel_ns(spent_ns, modes[path])[0]
                all_ns += spent_ns
        sharers = sum(task.program == program for task in tasks.values())
        return user_ns // sharers, (all_ns - user_ns) // sharers


def _tabs(label: str) -> str:
    return "\t\t" if len(label) < 8 else "\t"


def _xen_names(kind: str) -> list[str]:
    return [] if kind == "hvm" else ["xen/balloon", "xen/capabilities"]


def _meminfo(system: System) -> str:
    known = system.paging.meminfo()
    names = ("MemTotal", "MemFree", "Buffers", "Cached", "SwapCached", "SwapTotal", "SwapFree")
    rows = {name: known.get(name, 0) for name in names}
    return "".join(f"{name + ':':13} {kib:8} kB\n" for name, kib in rows.items())


def _vmstat(system: System) -> str:
    """Return the text of /proc/vmstat; pgpgin and pgpgout are KiB of the disks."""
    vbds = system.devices.vbds
    rows = {
        "pgpgin": sum(vbd.use.read_bytes for vbd in vbds) // 1024,
        "pgpgout": sum(vbd.use.write_bytes for vbd in vbds) // 1024,
        "pswpin": system.paging.page_ins,
        "pswpout": system.paging.page_outs,
    }
    return "".join(f"{name} {count}\n" for name, count in rows.items())
