"""Makes the files of /sys/block: the queues of block devices and their I/O schedulers.

An HVM guest also has a file for each of its paravirtualized drivers, which loads it, and one that
ends it: they are for the console's modprobe, and its halt, poweroff and reboot.

Formats: Linux 2.6.18, block/ll_rw_blk.c (queue_attr), block/elevator.c (elv_iosched_show).
"""

from collections.abc import Mapping
from typing import Final

from hypervisor.errors import Refused
from hypervisor.model.linux.system import Hardware, System
from hypervisor.model.storage.elevators import ELEVATORS
from hypervisor.model.storage.queue import MAX_KIB, BlockQueue
from hypervisor.shutdown import HALT, POWEROFF, REBOOT

REQUESTS_MIN: Final = 4  # BLKDEV_MIN_RQ
PAGE_KIB: Final = 4
_INVALID: Final = "-bash: echo: write error: Invalid argument"

DRIVERS: Final[Mapping[str, str]] = {
    "bus/xen/drivers/vbd/bind": "vbd",
    "bus/xen/drivers/vif/bind": "vif",
}
"""The files by which drivers of an HVM guest are loaded, and what is written to them."""

RUNLEVEL: Final = "kernel/runlevel"
"""The file by which an HVM guest is ended from the inside: the words of `shutdown.REASONS`."""
_ENDS: Final = {"poweroff": POWEROFF, "reboot": REBOOT, "halt": HALT}


class SysFiles:
    """Reads and writes /sys/block of every domain of a host."""

    def __init__(self, systems: Mapping[int, System], hardware: Hardware) -> None:
        """`systems` has the live and dying domains by id."""
        self._systems = systems
        self._hardware = hardware

    def read(self, domid: int, name: str) -> str:
        """Return the text of a file by its name below /sys; "" lists all names by line.

        Raises: Refused, with cat's message.
        """
        files = self._files(domid)
        if not name:
            return "".join(f"{one}\n" for one in files)
        if name not in files:
            raise Refused(f"cat: /sys/{name}: No such file or directory")
        return files[name] + "\n"

    def _files(self, domid: int) -> Mapping[str, str]:
        if domid:
            devices = self._systems[domid].devices
            shown = {
                f"block/{vbd.spec.frontend}/queue/scheduler": _choices("noop")
                for vbd in devices.vbds
            }
            if devices.emulation is not None:
                for file, kind in DRIVERS.items():
                    shown[file] = kind if devices.emulation.has(kind) else ""
                shown[RUNLEVEL] = "3"
            return shown
        files: dict[str, str] = {}
        for name, queue in self._queues().items():
            files |= {f"block/{name}/queue/{file}": text for file, text in _shown(queue).items()}
        return files

    def _queues(self) -> Mapping[str, BlockQueue]:
        return {disk.name: disk.queue for disk in self._hardware.blkback.stores.disks}

    def write(self, domid: int, name: str, text: str) -> None:
        """Write a file below /sys, as `echo TEXT > /sys/NAME` does.

        Raises: Refused, with the shell's message.
        """
        files = self._files(domid)
        if name not in files:
            raise Refused(f"-bash: /sys/{name}: No such file or directory")
        if name in DRIVERS:
            self._load(domid, DRIVERS[name], text.strip())
            return
        if name == RUNLEVEL:
            if text.strip() not in _ENDS:
                raise Refused(f"{_INVALID} ({', '.join(_ENDS)})")
            self._systems[domid].init.stop(_ENDS[text.strip()])
            return
        _, device, _, *rest = name.split("/")
        if domid:
            raise Refused(f"-bash: /sys/{name}: Permission denied (blkfront's is noop for good)")
        queue = self._queues()[device]
        file = rest[-1]
        value = text.strip()
        if file == "scheduler":
            if value not in ELEVATORS:
                raise Refused(f"{_INVALID} ({', '.join(ELEVATORS)})")
            queue.switch(value)
            return
        if file == "max_hw_sectors_kb":
            raise Refused(f"-bash: /sys/{name}: Permission denied")
        if not value.isascii() or not value.removeprefix("-").isdigit() or len(value) > 12:
            raise Refused(f"{_INVALID} (a whole number)")
        if len(rest) > 1:
            queue.elevator.store(file, int(value))
        else:
            _set(queue, file, int(value))

    def _load(self, domid: int, kind: str, text: str) -> None:
        emulation = self._systems[domid].devices.emulation
        if text != kind or emulation is None:
            raise Refused(f"-bash: echo: write error: No such device ({kind})")
        emulation.load(kind)


def _choices(present: str) -> str:
    """Return the names of all I/O schedulers, the present one in brackets."""
    return " ".join(f"[{name}]" if name == present else name for name in ELEVATORS)


def _shown(queue: BlockQueue) -> Mapping[str, str]:
    elevator = queue.elevator
    return {
        "nr_requests": str(queue.requests_limit),
        "read_ahead_kb": str(queue.read_ahead_kib),
        "max_sectors_kb": str(queue.max_bytes // 1024),
        "max_hw_sectors_kb": str(MAX_KIB),
        "scheduler": _choices(elevator.name),
        **{f"iosched/{name}": str(elevator.show(name)) for name in elevator.tunables},
    }


def _set(queue: BlockQueue, file: str, value: int) -> None:
    if file == "nr_requests":
        queue.requests_limit = max(value, REQUESTS_MIN)
    elif file == "read_ahead_kb":
        queue.read_ahead_kib = max(value, 0)
    elif PAGE_KIB <= value <= MAX_KIB:
        queue.max_bytes = value * 1024
    else:
        raise Refused(f"{_INVALID} ({PAGE_KIB} to {MAX_KIB})")
