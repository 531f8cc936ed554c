"""Makes the files of /sys/block: the queues of block devices and their I/O schedulers.

An HVM guest has those of `controls` as well.
Formats: Linux 2.6.18, block/ll_rw_blk.c (queue_attr), block/elevator.c (elv_iosched_show).
"""

from collections.abc import Mapping
from typing import Final

from hypervisor.errors import Refused
from hypervisor.model.linux import controls
from hypervisor.model.linux.system import Hardware, System
from hypervisor.model.storage.elevators import ELEVATORS
from hypervisor.model.storage.queue import MAX_KIB, BlockQueue

REQUESTS_MIN: Final = 4  # BLKDEV_MIN_RQ
PAGE_KIB: Final = 4


class SysFiles:
    """Reads and writes /sys of every domain of a host."""

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
            emulation = devices.emulation
            is_emulated = emulation is not None and not emulation.has("vbd")
            shown = {
                # blkfront sets noop; other drivers leave what the kernel was built with.
                f"block/{vbd.spec.frontend}/queue/scheduler": _choices(
                    "cfq" if is_emulated else "noop"
                )
                for vbd in devices.vbds
            }
            if emulation is not None:
                shown |= controls.shown(emulation)
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
        if not name.startswith("block/"):
            system = self._systems[domid]
            emulation = system.devices.emulation
            assert emulation is not None  # else there is no such file
            controls.write(emulation, system.init, name, text.strip())
            return
        _, device, _, *rest = name.split("/")
        if domid:
            why = "blkfront's is noop for good" if "[noop]" in files[name] else "not simulated"
            raise Refused(f"-bash: /sys/{name}: Permission denied ({why})")
        queue = self._queues()[device]
        file = rest[-1]
        value = text.strip()
        if file == "scheduler":
            if value not in ELEVATORS:
                raise Refused(f"{controls.INVALID} ({', '.join(ELEVATORS)})")
            queue.switch(value)
            return
        if file == "max_hw_sectors_kb":
            raise Refused(f"-bash: /sys/{name}: Permission denied")
        if not value.isascii() or not value.removeprefix("-").isdigit() or len(value) > 12:
            raise Refused(f"{controls.INVALID} (a whole number)")
        if len(rest) > 1:
            queue.elevator.store(file, int(value))
        else:
            _set(queue, file, int(value))


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
        raise Refused(f"{controls.INVALID} ({PAGE_KIB} to {MAX_KIB})")
