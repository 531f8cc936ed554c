"""Names the images that stand for the code of passive domains, whose programs nobody knows.

`domainN-kernel`, `domainN-modules`, `domainN-apps`, `domainN-xen`, `domainN-xen-unknown`.
Source: the Xen patch of oprofile's daemon.
"""

import re
from dataclasses import dataclass

from hypervisor.telemetry import Mode
from xenprof.profile.stacks import Layer

LAYERS = {
    "kernel": Layer.KERNEL,
    "modules": Layer.KERNEL,
    "apps": Layer.USER,
    "xen": Layer.HYPERVISOR,
    "xen-unknown": Layer.HYPERVISOR,
}
"""The layer of each part of a passive domain."""

_IMAGE = re.compile(rf"domain(\d{{1,5}})-({'|'.join(LAYERS)})")
_EVERYWHERE = (0, 2**64)

Range = tuple[int, int]
"""The first address and the one after the last."""


@dataclass(frozen=True, slots=True)
class PassiveText:
    """The images of a mode: `inside` for pcs from `first` to `last`, else `outside`.

    Only images `inside` have symbols; the offset outside is the pc itself.
    """

    first: int
    last: int
    inside: str
    outside: str

    def has(self, pc: int) -> bool:
        """Return whether a pc is inside."""
        return self.first <= pc <= self.last


def passive_text(
    domid: int, mode: int, kernel: Range | None, xen: Range | None, xen_folder: str
) -> PassiveText:
    """Return the images of a passive domain's code in a mode.

    `kernel` and `xen` are the ranges of their texts; None if they are not known: then all kernel
    code is inside, and none of the hypervisor's. `xen_folder` is where the hypervisor's image is.
    """
    text: Range | None
    inside = ""
    if mode == Mode.USER:
        text, outside = None, f"domain{domid}-apps"
    elif mode == Mode.KERNEL:
        text = kernel or _EVERYWHERE
        inside, outside = f"domain{domid}-kernel", f"domain{domid}-modules"
    else:
        text = xen
        inside, outside = f"{xen_folder}/domain{domid}-xen", f"domain{domid}-xen-unknown"
    if text is None or text[0] >= text[1]:
        return PassiveText(1, 0, outside, outside)  # nothing is inside
    return PassiveText(text[0], text[1] - 1, inside, outside)


def passive_part(path: str) -> tuple[int, str] | None:
    """Return the id and the part that an image stands for; None if it is no such image."""
    match = _IMAGE.fullmatch(path.rpartition("/")[2])
    return (int(match[1]), match[2]) if match else None
