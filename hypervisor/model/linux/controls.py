"""Files by which the console of an HVM guest acts on it: they load drivers, and end the guest.

Paravirtualized drivers are loaded by a file each, for modprobe. What ends a guest from the inside
(halt, poweroff, reboot) is a file that no Linux has. All lie below /sys, beside `sysfs`'.
"""

from collections.abc import Mapping
from typing import Final

from hypervisor.errors import Refused
from hypervisor.model.hvm.emulation import Emulation
from hypervisor.model.linux.init import Init
from hypervisor.shutdown import HALT, POWEROFF, REBOOT

DRIVERS: Final[Mapping[str, str]] = {
    "bus/xen/drivers/vbd/bind": "vbd",
    "bus/xen/drivers/vif/bind": "vif",
}
"""What is written to the files that load drivers."""
RUNLEVEL: Final = "kernel/runlevel"
ENDS: Final = {"poweroff": POWEROFF, "reboot": REBOOT, "halt": HALT}
"""What is written to `RUNLEVEL`."""
INVALID: Final = "-bash: echo: write error: Invalid argument"


def shown(emulation: Emulation) -> Mapping[str, str]:
    """Return the texts of these files, by name: drivers that are loaded, and the runlevel."""
    loaded = {file: kind if emulation.has(kind) else "" for file, kind in DRIVERS.items()}
    return loaded | {RUNLEVEL: "3"}


def write(emulation: Emulation, init: Init, name: str, text: str) -> None:
    """Write to one of these files. Raises: Refused, with the shell's message."""
    if name == RUNLEVEL:
        if text not in ENDS:
            raise Refused(f"{INVALID} ({', '.join(ENDS)})")
        init.stop(ENDS[text])
    elif text == DRIVERS[name]:
        emulation.load(text)
    else:
        raise Refused(f"-bash: echo: write error: No such device ({DRIVERS[name]})")
