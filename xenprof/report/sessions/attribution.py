"""Attributes images to domains and layers, and finds their symbols."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xenprof.errors import ImageError
from xenprof.images import ImageFinder, ImageSymbols, load_symbols
from xenprof.profile.flat import ImageName, SampleFile
from xenprof.profile.passive import LAYERS, passive_part
from xenprof.profile.stacks import Layer
from xenprof.report.sessions.places import Source

_XEN = re.compile(r"xen([.-].*)?")
_VMLINUX = "usr/lib/debug/lib/modules/*/vmlinux"
_XEN_SYMS = "usr/lib/debug/boot/xen-syms-*"


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner of an image's code. `passive` is the word after `domainN-`, "" for an own image."""

    domain: str
    layer: Layer
    passive: str = ""


def passive_domain(image: ImageName) -> int | None:
    """Return the id of the passive domain that an image stands for; None if it stands for none."""
    part = passive_part(image.path)
    return part[0] if part else None


class Attribution:
    """Knows the images of one session."""

    def __init__(
        self,
        source: Source,
        names: Mapping[int, str],
        roots: Mapping[str, Path],
        image_path: tuple[str, ...],
        warn: Callable[[str], None],
    ) -> None:
        """`names` and `roots` are those of a Place; `image_path` is searched for images too."""
        self._source = source
        self._names = names
        self._roots = roots
        self._warn = warn
        self._xen_image = _daemon_xen(source.root)
        modules = str(source.root / "lib" / "modules")
        archive = "" if source.root == Path("/") else str(source.root)
        self._finder = ImageFinder(archive, (*image_path, modules))
        self._debug_roots = (archive, "")
        self._loaded: dict[Path, ImageSymbols | None] = {}

    def owner(self, file: SampleFile) -> Owner:
        """Return the owner of the code that the samples of a file are in."""
        image = file.key.image
        base = image.path.rpartition("/")[2]
        if part := passive_part(image.path):
            return Owner(self._passive_name(part[0]), LAYERS[part[1]], part[1])
        if not file.header.is_kernel:
            return Owner(self._source.domain, Layer.USER)
        is_xen = image.kind == "root" and (
            image.path == self._xen_image or _XEN.fullmatch(base) is not None
        )
        return Owner(self._source.domain, Layer.HYPERVISOR if is_xen else Layer.KERNEL)

    def symbols(self, image: ImageName, owner: Owner) -> ImageSymbols | None:
        """Return the symbols of an image; None if it has none or is missing."""
        path = self._finder.find(image) or self._passive_file(owner)
        if path is None:
            return None
        if path not in self._loaded:
            try:
                symbols = load_symbols(path, self._debug_roots)
                self._loaded[path] = symbols if len(symbols.names) else None
            except ImageError:
                self._warn(f"{path}: not a usable image, its samples have no symbols")
                self._loaded[path] = None
        return self._loaded[path]

    def _passive_name(self, domid: int) -> str:
        """Return the name of a passive domain; in imported archives a default one."""
        usual = f"Domain-{domid}"
        return self._names.get(domid) or (usual if usual in self._roots else f"domain{domid}")

    def _passive_file(self, owner: Owner) -> Path | None:
        """Return the installed image with symbols that a passive domain's image stands for."""
        if owner.passive == "kernel":
            root = self._roots.get(owner.domain)
            if root is None:
                return None
            return max(root.glob(_VMLINUX), default=None) or next(root.glob("boot/vmlinux"), None)
        if owner.passive == "xen":
            if self._xen_image:
                return self._finder.find(ImageName("root", self._xen_image))
            return max(self._source.root.glob(_XEN_SYMS), default=None)
        return None


def symbol_rows(file: SampleFile, symbols: ImageSymbols | None) -> "np.ndarray":
    """Return the symbol of each offset of a file; -1 for none.

    A passive domain whose kernel's range was not known has addresses instead of offsets.
    """
    if symbols is None:
        return np.full(len(file.offsets), -1, np.int64)
    offsets = file.offsets
    if file.header.is_kernel and symbols.text_vma:
        base = np.uint64(symbols.text_vma)
        offsets = np.where(offsets >= base, offsets - base, offsets)
    return symbols.lookup(offsets, file.header.is_kernel)


def _daemon_xen(root: Path) -> str:
    """Return the hypervisor's image that was given to opcontrol; "" if none was."""
    try:
        lines = (root / "root/.oprofile/daemonrc").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    found = [line.partition("=")[2] for line in lines if line.startswith("XENIMAGE=")]
    return found[-1] if found and found[-1].startswith("/") else ""
