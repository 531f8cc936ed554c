"""Finds the host of a scenario that is nearest to a real one."""

from collections.abc import Iterator
from dataclasses import dataclass

from hypervisor.telemetry import HostSnapshot
from xenprof.capture.draft import Note, Value
from xenprof.capture.grammar import legal_name, shown

MOST_PCPUS = 32
MOST_THREADS = 2
_CPUS = ("p4", "p4-ht", "core_2", "hammer")
_MHZ = (100, 10_000)
_ABOUT = "host"


@dataclass(frozen=True, slots=True)
class Topology:
    """Sockets, cores and threads, which multiply."""

    sockets: int
    cores: int
    threads: int

    @property
    def pcpus(self) -> int:
        """Return the number of logical processors."""
        return self.sockets * self.cores * self.threads


def topology_of(host: HostSnapshot, used: int) -> tuple[Topology, list[Note]]:
    """Return the nearest topology. `used` is how many pcpus there must be at least."""
    told = host.sockets, host.cores_per_socket, host.threads_per_core
    count = len(host.pcpus)
    if None not in told:
        whole = Topology(*(max(1, number or 1) for number in told))
        if count in (0, whole.pcpus) and whole.threads <= MOST_THREADS:
            return _within(whole)
        count = count or whole.pcpus
        why = f"{whole.sockets} x {whole.cores} x {whole.threads} processors, {count} of them on"
        flat = _flat(count)
        rounded, notes = _within(flat)
        return rounded, [_note(f"{why}: here {_text(rounded)}"), *notes]
    if count:
        rounded, notes = _within(_flat(count))
        return rounded, [_note(f"sockets, cores and threads are unknown: {_text(rounded)}"), *notes]
    rounded, notes = _within(_flat(used))
    text = f"the number of pcpus is unknown: {used}, on which all that ran could run"
    return rounded, [_note(text), *notes]


def _flat(count: int) -> Topology:
    return Topology(1, count, 1)


def _within(exact: Topology) -> tuple[Topology, list[Note]]:
    """Return the largest topology of this form that the model can have."""
    if exact.pcpus <= MOST_PCPUS:
        return exact, []
    cores = min(exact.cores, MOST_PCPUS // exact.threads)
    rounded = Topology(
        min(exact.sockets, MOST_PCPUS // (cores * exact.threads)), cores, exact.threads
    )
    text = f"{exact.pcpus} pcpus: the model has {rounded.pcpus}, so the shares cannot all agree"
    return rounded, [_note(text)]


def _text(topology: Topology) -> str:
    return f"{topology.sockets} x {topology.cores} x {topology.threads} processors"


def _note(text: str) -> Note:
    return Note(_ABOUT, text)


class HostTable:
    """Collects the table [host] and what has to be told about it."""

    def __init__(self, host: HostSnapshot, topology: Topology) -> None:
        """`topology` is the one that the model will have."""
        self.settings: dict[str, Value] = {"name": legal_name(host.host, "captured")}
        self.notes: list[Note] = []
        self._host = host
        self._cpu(topology)
        self.settings["sockets"] = topology.sockets
        self.settings["cores_per_socket"] = topology.cores
        self.settings["threads_per_core"] = topology.threads
        for key, value in (
            *self._version(),
            ("scheduler", self._scheduler()),
            ("arch", self._arch()),
        ):
            self.settings[key] = value
        self.settings["support_limits"] = False

    def _tell(self, text: str) -> None:
        self.notes.append(_note(text))

    def _cpu(self, topology: Topology) -> None:
        host, cpu = self._host, self._host.cpu_type
        if cpu in _CPUS:
            self.settings["cpu"] = cpu
        elif cpu is None:
            self.settings["cpu"] = "p4-ht" if topology.threads > 1 else "core_2"
            self._tell(f"the processor is unknown: {self.settings['cpu']}")
        else:
            self.settings["cpu"] = "hammer" if "amd" in cpu.lower() else "core_2"
            self._tell(f"processor {shown(cpu)}: {self.settings['cpu']} is the nearest")
        if host.mhz is None:
            self._tell("the clock rate is unknown: the default")
            return
        self.settings["mhz"] = min(max(host.mhz, _MHZ[0]), _MHZ[1])
        if self.settings["mhz"] != host.mhz:
            self._tell(f"{host.mhz} MHz: {self.settings['mhz']} here")

    def _version(self) -> Iterator[tuple[str, Value]]:
        version = (self._host.xen_major, self._host.xen_minor)
        rules = "3.0.3" if version == (3, 0) else "3.1"
        if None in version:
            self._tell("the version of Xen is unknown: the rules of 3.1")
        elif version not in ((3, 0), (3, 1)):
            named = ".".join(map(str, version))
            self._tell(f"Xen {named}: the rules of 3.1 for scheduler and drivers are the nearest")
        yield "hypervisor", rules
        known = self._host.tools in ("3.0.3", "3.1")
        yield "tools", (self._host.tools or "") if known else rules

    def _scheduler(self) -> str:
        scheduler = self._host.scheduler
        if scheduler == "sedf":
            self._tell("the parameters of the sedf scheduler are unknown: the defaults")
            return scheduler
        if scheduler is None:
            self._tell("the scheduler is unknown: credit")
        elif scheduler != "credit":
            self._tell(f"scheduler {shown(scheduler)}: credit is the nearest")
        return "credit"

    def _arch(self) -> str:
        arch = next((one.arch for one in self._host.domains if one.domid == 0), None)
        if arch in ("i386", "x86_64"):
            return arch
        if arch is not None:
            self._tell(f"architecture {shown(arch)}: x86_64")
        return "x86_64"
