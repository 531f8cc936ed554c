"""The xenbus of a guest: how its kernel reacts when nodes of xenstore change.

Each event is an interrupt of the guest and work of its xenwatch thread, so a guest without
processor time answers late, and a paused one not at all. A fully virtualized guest has a xenbus
once a driver for Xen is loaded; it obeys xm shutdown and sysrq, but has no balloon and no hot-plug
of vcpus.
Source: drivers/xen/{xenbus,core/reboot.c,core/cpu_hotplug.c,balloon,blkfront,netfront} (2.6.18);
unmodified_drivers/linux-2.6/platform-pci (3.1).
"""

from hypervisor.model.codebook.work import Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.cpu.processtable import XENWATCH
from hypervisor.model.domain.domain import End
from hypervisor.model.io.devices import Devices
from hypervisor.model.linux.bootmessages import init_lines, kernel_lines
from hypervisor.model.linux.init import Init
from hypervisor.model.memory.balloon import Balloon
from hypervisor.shutdown import CRASH, HALT, POWEROFF, REBOOT, SUSPEND
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.domaininfo import (
    CLOSED,
    CLOSING,
    CONNECTED,
    DISK_KINDS,
    INIT_WAIT,
    INITIALISING,
)
from hypervisor.toolstack.xenstore import Xenstore

_REASONS = {"poweroff": POWEROFF, "reboot": REBOOT, "halt": HALT}

SUSPEND_SYSCALLS = 20_000  # all devices and threads are told (judgement)
KINDS = ("vif", "vbd", "tap", "vfb")

_SYSRQ_HELP = (
    "SysRq : HELP : loglevel0-8 reBoot Crashdump tErm Full kIll saK showMem powerOff showPc "
    "unRaw Sync showTasks Unmount"
)


class Xenbus:
    """Watches xenstore for one domain."""

    def __init__(
        self,
        guest: Guest,
        devices: Devices,
        store: Xenstore,
        balloon: Balloon,
        end: End,
        init: Init,
        booted: DomainSpec | None = None,
    ) -> None:
        """`booted` is the configuration that boots; None: the guest continues from a save file."""
        self._booted = booted
        domain = guest.domain
        self._domain = domain
        self._guest = guest
        self._kernel_thread = guest.table.kernel_thread(XENWATCH)
        self._devices = devices
        self._store = store
        self._balloon = balloon
        self._end = end
        self._init = init
        self._drives: list[str] = []  # classes of devices
        self._path = f"/local/domain/{domain.domid}"
        self._backends = [f"/local/domain/0/backend/{kind}/{domain.domid}" for kind in KINDS]

    @property
    def is_watching(self) -> bool:
        """Return whether the guest sees what is written for it in xenstore."""
        return bool(self._drives)

    def load(self, kind: str) -> None:
        """Load the driver of `vbd` or `vif` devices into a fully virtualized guest."""
        kinds = DISK_KINDS if kind == "vbd" else (kind,)
        if not self._drives:
            for path in (self._path, *self._backends):
                self._store.watch(path, self._changed)
        self._drives += kinds
        for one, number in self._offered():
            if one in kinds:
                self._look_at(one, number)

    def start(self) -> None:
        """Boot the kernel: connect the existing devices, and watch xenstore."""
        self._drives += KINDS
        if self._booted is not None:
            available_kib = self._balloon.paging.meminfo()["MemTotal"]
            self._say(kernel_lines(self._domain, self._booted, available_kib))
        for kind, number in self._offered():
            self._look_at(kind, number)
        if self._booted is not None:
            self._say(init_lines(self._domain, self._booted))
        for path in (self._path, *self._backends):
            self._store.watch(path, self._changed)
        if self._domain.domid:  # a new watch reports existing nodes at once
            for path, value in self._store.walk(self._path):
                is_old = path.endswith("/target") and value == str(self._domain.target_kib)
                if not is_old:
                    self._changed(path)

    def _offered(self) -> list[tuple[str, int]]:
        """Return (kind, number) of devices in the order of discovery: all disks by number."""
        found = [
            (kind, int(number))
            for kind in self._drives
            for number in self._store.children(f"{self._path}/device/{kind}")
        ]
        return sorted(found, key=_discovery)

    def _say(self, lines: list[str]) -> None:
        for line in lines:
            self._domain.console.write(line)

    def stop(self) -> None:
        """Stop watching xenstore."""
        if not self._drives:
            return
        for path in (self._path, *self._backends):
            self._store.unwatch(path, self._changed)

    def _changed(self, path: str) -> None:
        domain = self._domain
        if domain.dying or domain.shutdown_reason is not None or not self._concerns(path):
            return
        parts = self._guest.parts(("evtchn_upcall", 1), ("syscall", 10))
        self._guest.interrupt(0, Work(parts, self._handle, path, task=self._kernel_thread))

    def _concerns(self, path: str) -> bool:
        """Return whether a change needs work: most changes are the guest's own answers."""
        value = self._store.read(path)
        if value is None:
            return False
        names = path.split("/")
        is_hvm = self._domain.is_hvm
        if names[-1] == "target":
            return not is_hvm  # also an unchanged target, for which the driver tries again
        if names[-1] == "availability":
            return not is_hvm and self._is_online(int(names[-2])) != (value == "online")
        if names[-1] in ("shutdown", "sysrq"):
            return bool(value)
        is_backend = names[-1] == "state" and names[3] == "0" and names[5] in self._drives
        return is_backend and value in (str(INIT_WAIT), str(CLOSING))

    def _is_online(self, vcpu: int) -> bool:
        vcpus = self._domain.vcpus
        return vcpus[vcpu].online if vcpu < len(vcpus) else False

    def _handle(self, work: Work[str]) -> None:
        path = work.arg
        value = self._store.read(path)
        if value is None or not self._concerns(path):
            return
        names = path.split("/")
        if names[-1] == "target":
            self._balloon.set_target(int(value))
        elif names[-1] == "availability":
            self._plug(int(names[-2]), is_wanted=value == "online")
        elif names[-1] == "shutdown":
            self._store.write(path, "")
            self._shut_down(value)
        elif names[-1] == "sysrq":
            self._store.write(path, "")
            self._sysrq(value)
        else:
            self._look_at(names[-4], int(names[-2]))

    # -- vcpus ---------------------------------------------------------------------------

    def _plug(self, number: int, *, is_wanted: bool) -> None:
        vcpu = self._domain.vcpus[number]
        if is_wanted and not vcpu.online:
            self._guest.plug(vcpu)
        elif not is_wanted and vcpu.online and number:  # vcpu 0 stays online
            self._guest.unplug(vcpu)

    # -- shutdown ------------------------------------------------------------------------

    def _shut_down(self, word: str) -> None:
        if word == "suspend":
            parts = self._guest.parts(("syscall", SUSPEND_SYSCALLS))
            self._guest.interrupt(0, Work(parts, self._suspend, task=self._kernel_thread))
        elif word in _REASONS:
            self._init.stop(_REASONS[word])

    def _suspend(self, _: Work[None]) -> None:
        for vcpu in self._domain.vcpus[1:]:
            if vcpu.online:
                self._guest.unplug(vcpu)
        self._end(self._domain, SUSPEND)

    def resumed(self) -> None:
        """Bring the vcpus online again, as the guest goes on after a suspend."""
        if self._domain.is_hvm:
            return
        for vcpu in self._domain.vcpus[1:]:
            path = f"{self._path}/cpu/{vcpu.vcpu_id}/availability"
            if self._store.read(path) != "offline" and not vcpu.online:
                self._guest.plug(vcpu)

    def crashed(self) -> None:
        """End the domain, whose kernel has panicked and printed its message."""
        self._end(self._domain, CRASH)

    def _sysrq(self, key: str) -> None:
        console = self._domain.console
        if key == "c":
            console.write("SysRq : Trigger a crashdump")
            console.write("Kernel panic - not syncing: SysRq")
            self.crashed()
        elif key == "b":
            console.write("SysRq : Resetting")
            self._end(self._domain, REBOOT)
        elif key == "o":
            console.write("SysRq : Power Off")
            self._end(self._domain, POWEROFF)
        elif key == "s":
            console.write("SysRq : Emergency Sync")
            console.write("Emergency Sync complete")
        elif key == "m":
            console.write("SysRq : Show Memory")
            console.write(f"{self._domain.memory_kib // 4} pages of RAM")
        else:
            console.write(_SYSRQ_HELP)

    # -- devices -------------------------------------------------------------------------

    def _look_at(self, kind: str, number: int) -> None:
        """Connect a device that is offered, or close one that is to be removed."""
        front = f"{self._path}/device/{kind}/{number}"
        back = f"/local/domain/0/backend/{kind}/{self._domain.domid}/{number}"
        offered = self._store.read(f"{back}/state")
        if offered == str(CLOSING):
            if not self._is_mounted(kind, number):
                self._store.write(f"{front}/state", CLOSED)
        elif self._store.read(f"{front}/state") == str(INITIALISING) and (
            kind == "vfb" or offered == str(INIT_WAIT)
        ):
            self._connect(kind, number, front)
            self._store.write(f"{front}/state", CONNECTED)
            self._store.write(f"{back}/state", CONNECTED)

    def _is_mounted(self, kind: str, number: int) -> bool:
        """Return whether a device is the disk of the root file system, which stays mounted."""
        vbds = self._devices.vbds
        return kind in DISK_KINDS and bool(vbds) and vbds[0].spec.device == number

    def _connect(self, kind: str, number: int, front: str) -> None:
        nodes: dict[str, object] = {}
        if kind == "vif":
            vif = next(one for one in self._devices.vifs if one.index == number)
            nodes = {
                "tx-ring-ref": vif.ring_refs[0],
                "rx-ring-ref": vif.ring_refs[1],
                "event-channel": vif.port.number,
                "request-rx-copy": int(not vif.is_flipping),
                "feature-rx-notify": 1,
                "feature-sg": 1,
                "feature-gso-tcpv4": 1,
            }
        elif kind in DISK_KINDS:
            vbd = next(one for one in self._devices.vbds if one.spec.device == number)
            nodes = {"ring-ref": vbd.ring_refs[0], "event-channel": vbd.port.number}
            self._domain.console.write(f"blkfront: {vbd.spec.frontend}: barriers disabled")
        self._store.write_all(front, nodes)


def _discovery(device: tuple[str, int]) -> tuple[int, int]:
    kind, number = device
    return KINDS.index("vbd" if kind in DISK_KINDS else kind), number
