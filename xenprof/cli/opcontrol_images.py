"""The kernel and Xen images that opcontrol names: whether there are any, and where their text is.

A path is one in the domain. A file that the domain lacks may be the caller's own: it is copied
into the domain when a daemon starts, so that reports find it there.
Source: oprofile utils/opcontrol (0.9.9), check_valid_args and get_image_range.
"""

import os
import shutil
from pathlib import Path

from hypervisor.ownfiles import make_folder, opener
from xenprof.cli.daemonrc import Daemonrc
from xenprof.errors import ImageError, UsageError
from xenprof.home import inside
from xenprof.wire.opcontrol import Range

_NO_VMLINUX = (
    "No vmlinux file specified. You must specify the correct vmlinux file, e.g.",
    "opcontrol --vmlinux=/path/to/vmlinux",
    "If you do not have a vmlinux file, use ",
    "opcontrol --no-vmlinux",
    "Enter opcontrol --help for full options",
)
_IMAGE_HINT = "Make sure you are using the non-compressed image file (e.g. vmlinux not vmlinuz)"


class ImageFiles:
    """The images that a setup may name, in one domain."""

    def __init__(self, root: Path) -> None:
        """`root` is the domain's `/`."""
        self._root = root

    def check_vmlinux(self, setup: Daemonrc) -> None:
        """Check that the user has decided about a kernel image, and that it exists.

        Raises: UsageError with the original's message.
        """
        if not setup.vmlinux:
            raise UsageError("\n".join(_NO_VMLINUX))
        if setup.vmlinux != "none" and not self._find(setup.vmlinux).is_file():
            raise UsageError(f'The specified vmlinux file "{setup.vmlinux}" doesn\'t exist.')

    def check_xen(self, setup: Daemonrc) -> None:
        """Check that a Xen image exists before it is remembered, as it would prevent each start.

        Raises: UsageError with the message of such a start.
        """
        if setup.xen_image != "none" and not self._find(setup.xen_image).is_file():
            raise UsageError(f"{ImageError(setup.xen_image)}\n{_IMAGE_HINT}")

    def text_range(self, option: str, image: str, given: str) -> Range | None:
        """Return an image's text range: the saved one, else the file's; None without an image.

        Raises: UsageError.
        """
        if image == "none":
            return None
        if given:
            return parse_range(option, given)
        from xenprof.images import text_range  # it imports numpy

        try:
            return text_range(self._find(image), image)
        except ImageError as error:
            raise UsageError(f"{error}\n{_IMAGE_HINT}") from None

    def bring(self, image: str) -> None:
        """Copy an image of the caller's into the domain, if the domain has none of that path.

        Raises: UsageError (it cannot be copied).
        """
        source, target = self._find(image), inside(self._root, image)
        if image == "none" or source == target or not source.is_file():
            return
        fresh = target.with_name(f".{target.name[:200]}.{os.getpid()}")
        try:
            make_folder(self._root, target.parent)
            fresh.unlink(missing_ok=True)
            try:
                _copy(source, fresh)
                fresh.replace(target)
            except OSError:
                fresh.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise UsageError(f"{image}: {error.strerror}") from None

    def _find(self, image: str) -> Path:
        """Return where an image is: in the domain, else where it is on this machine, if at all."""
        own = inside(self._root, image)
        if own.exists() or not image.startswith("/") or not os.access(image, os.R_OK):
            return own
        return Path(image)


def _copy(source: Path, fresh: Path) -> None:
    """Copy a file, with its time, to a new one that is its user's alone. Raises: OSError."""
    with source.open("rb") as given, open(fresh, "xb", opener=opener) as copy:
        os.fchmod(copy.fileno(), 0o600)
        shutil.copyfileobj(given, copy)
    status = source.stat()
    os.utime(fresh, ns=(status.st_atime_ns, status.st_mtime_ns))


def parse_range(option: str, value: str) -> Range:
    """Return `START,END`, both hexadecimal. Raises: UsageError."""
    try:
        start, end = (int(part, 16) for part in value.split(","))
    except ValueError:
        raise UsageError(f"Argument for --{option}, {value}, is not valid argument.") from None
    return start, end
