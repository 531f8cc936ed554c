"""Finds the images with symbols that a domain has installed (its debuginfo packages)."""

from dataclasses import dataclass
from pathlib import Path

from xenprof.errors import ImageError

_VMLINUX = "usr/lib/debug/lib/modules/*/vmlinux"
_XEN = "usr/lib/debug/boot/xen-syms-*"


@dataclass(frozen=True, slots=True)
class DebugImages:
    """The paths of images, as seen in the domain."""

    vmlinux: str
    xen: str | None  # None where no xen-syms is installed


def debug_images(root: Path) -> DebugImages:
    """Return the images below a domain's root; of several kernels, the last one by name.

    Raises: ImageError if there is no vmlinux.
    """
    kernels, xens = sorted(root.glob(_VMLINUX)), sorted(root.glob(_XEN))
    if not kernels:
        raise ImageError(f"/{_VMLINUX}", f"no vmlinux with symbols below {root / 'usr/lib/debug'}")
    return DebugImages(
        "/" + kernels[-1].relative_to(root).as_posix(),
        "/" + xens[-1].relative_to(root).as_posix() if xens else None,
    )
