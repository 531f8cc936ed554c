"""Makes the /proc files of guests that RHEL 5's tools read, from values of the model.

Formats: Linux 2.6.18, fs/proc. Lines and fields without a value in the model are left out, or 0
where the format needs a number.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hypervisor.errors import Refused
from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.cpu.execution import Execution
from hypervisor.model.cpu.look import look
from hypervisor.model.linux.procdevices import diskstats, net_dev, partitions, vmstat
from hypervisor.model.linux.procprocesses import Processes
from hypervisor.model.linux.proctimes import (
    LOAD_PERIOD_NS,
    USER_TICK_NS,
    KernelTimes,
    LoadAverages,
    running_tasks,
)
from hypervisor.model.linux.system import Hardware, System
from hypervisor.model.timing.kernelticks import XEN_TICK_NS
from hypervisor.telemetry import GuestKernelSnapshot

# vendor, family, model, name, stepping, cache in KB: as in the boot ring (judgement there).
_PROCESSORS = {
    "p4": ("GenuineIntel", 15, 2, "Intel(R) Xeon(TM) CPU {ghz}GHz", 9, 512),
    "p4-ht": ("GenuineIntel", 15, 4, "Intel(R) Xeon(TM) CPU {ghz}GHz", 3, 2048),
    "core_2": ("GenuineIntel", 6, 15, "Intel(R) Xeon(R) CPU            5160  @ {ghz}GHz", 6, 4096),
    "hammer": ("AuthenticAMD", 15, 1, "AMD Opteron(tm) Processor 285", 2, 1024),
}


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
        self._processes = Processes(code, execution.accounting.path_modes)
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
            "vmstat": self._vmstat,
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
        living = self._processes.living(system)
        if not name:
            names = [*self._files, *(f"{pid}/stat" for pid in living)]
            return "".join(f"{one}\n" for one in names + _xen_names(kind))
        if name in self._files:
            return self._files[name](system)
        if name in _xen_names(kind):
            if name == "xen/balloon":
                return system.balloon.proc_text()
            return "" if domid else "control_d\n"
        pid, _, rest = name.partition("/")
        if rest == "stat" and pid.isascii() and pid.isdigit() and int(pid) in living:
            return self._processes.stat(system, int(pid), living)
        raise Refused(f"cat: /proc/{name}: No such file or directory")

    def kernel(self, domid: int) -> GuestKernelSnapshot:
        """Return what a domain's kernel counts, as its /proc shows it inside a `cpu.look.look`."""
        system = self._systems[domid]
        loads = self._loads.get(domid) or LoadAverages()
        load1, load5, load15 = (load / 100 for load in loads.hundredths())
        return GuestKernelSnapshot(
            load1, load5, load15, system.domain.switches, self._interrupts(system)
        )

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
        domain = system.domain
        times = {"cpu ": self._times.of_domain(system, self._now)}
        for vcpu in domain.vcpus:
            if vcpu.online:
                times[f"cpu{vcpu.vcpu_id}"] = self._times.of_vcpu(vcpu, system, self._now)
        lines = []
        for name, spent in times.items():
            user, *others = (ns // USER_TICK_NS for ns in spent)
            lines.append(" ".join(map(str, (name, user, 0, *others))))
        boot_ns = self._unix_ns() - self._times.uptime_ns(domain, self._now)
        lines += [
            f"intr {self._interrupts(system)}",
            f"ctxt {domain.switches}",
            f"btime {boot_ns // 1_000_000_000}",
            # The process that reads this file runs as well.
            f"procs_running {len(running_tasks(domain)) + 1}",
            f"procs_blocked {system.devices.io_wait.sleepers}",
        ]
        return "".join(f"{line}\n" for line in lines)

    def _interrupts(self, system: System) -> int:
        """Return the number of event channel upcalls, interrupts of cards, and ticks.

        There is a timer event every 10 ms of running; a host without Xen ticks all the time.
        One-shot timers are not included, because the model does not count them. An HVM guest has
        the interrupts of its emulated hardware instead of ticks of running time.
        """
        domain, emulation = system.domain, system.devices.emulation
        ticks = domain.cpu_ns(self._now) // XEN_TICK_NS
        if system.guest.code.is_native:
            ticks = self._times.uptime_ns(domain, self._now) // system.guest.ticks.tick_ns
        count = domain.channels.received + domain.virqs
        count += ticks if emulation is None else emulation.interrupts
        hardware = self._hardware
        own_card = hardware.network.own_card(domain)
        if own_card is not None:
            count += own_card.nic.interrupts
        if not domain.domid:
            count += sum(card.nic.interrupts for card in hardware.network.cards)
            count += sum(disk.operations for disk in hardware.blkback.stores.disks)
        return count

    def _uptime(self, system: System) -> str:
        """Return the text of /proc/uptime; as in 2.6.18, idle is that of vcpu 0."""
        domain = system.domain
        times = self._times.of_vcpu(domain.vcpus[0], system, self._now)
        up, idle = self._times.uptime_ns(domain, self._now), times.idle + times.iowait
        up_text, idle_text = (
            f"{ns // 1_000_000_000}.{ns // 10_000_000 % 100:02}" for ns in (up, idle)
        )
        return f"{up_text} {idle_text}\n"

    def _loadavg(self, system: System) -> str:
        loads = self._loads.get(system.domain.domid) or LoadAverages()
        pids = self._processes.living(system)
        running = len(running_tasks(system.domain)) + 1
        return f"{loads.text()} {running}/{len(pids) + 1} {max(pids, default=1)}\n"

    def _diskstats(self, system: System) -> str:
        return diskstats(system, self._hardware, self._now)

    def _partitions(self, system: System) -> str:
        return partitions(system, self._hardware)

    def _vmstat(self, system: System) -> str:
        return vmstat(system, self._hardware)

    def _net_dev(self, system: System) -> str:
        return net_dev(system, self._hardware, self._systems.values())

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


def _tabs(label: str) -> str:
    return "\t\t" if len(label) < 8 else "\t"


def _xen_names(kind: str) -> list[str]:
    return [] if kind == "hvm" else ["xen/balloon", "xen/capabilities"]


def _meminfo(system: System) -> str:
    known = system.paging.meminfo()
    names = ("MemTotal", "MemFree", "Buffers", "Cached", "SwapCached", "SwapTotal", "SwapFree")
    rows = {name: known.get(name, 0) for name in names}
    return "".join(f"{name + ':':13} {kib:8} kB\n" for name, kib in rows.items())
