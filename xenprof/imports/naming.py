"""Gives images names that sample files can have, and paths in an archive that do not collide."""

import re
from collections.abc import Iterator

from xenprof.home import SESSION_DIR
from xenprof.profile.flat import ImageName
from xenprof.profile.stacks import Layer

NO_FILE = re.compile(r"no-vmlinux|\[.*\]")
"""Images that readers do not look for."""

_XEN = re.compile(r"xen([.-].*)?")
_PASSIVE = re.compile(r"domain\d{1,5}-(kernel|modules|apps|xen|xen-unknown)")
_PASSIVE_LAYERS = {
    "kernel": Layer.KERNEL, "modules": Layer.KERNEL, "apps": Layer.USER,
    "xen": Layer.HYPERVISOR, "xen-unknown": Layer.HYPERVISOR,
}  # fmt: skip
_TOKEN = re.compile(r"\{(root|kern|dep|cg|anon(:[^/{}]*)?)\}")
_LONGEST_PART, _LONGEST_PATH = 120, 900  # the path of a sample file has two of them


class ImageNames:
    """Names of the images of one archive, by layer and the name that the input has."""

    def __init__(self) -> None:
        self._given: dict[tuple[Layer, str], ImageName] = {}
        self._tried: dict[tuple[Layer, str, str], int] = {}  # the last number after a name
        self._files: set[str] = {SESSION_DIR}
        self._folders: set[str] = set(_above(SESSION_DIR))

    def name(self, layer: Layer, image: str) -> ImageName:
        """Return the name of an image, always the same; no two images share one."""
        if (layer, image) not in self._given:
            wanted = _natural(layer, image)
            name, base = wanted, wanted.path.rpartition("/")[2]
            while not self._take(f"/{name.path.lstrip('/')}"):
                more = self._tried[layer, wanted.kind, base] = (
                    self._tried.get((layer, wanted.kind, base), 1) + 1
                )
                name = _aside(wanted.kind, base, layer, more)
            self._given[layer, image] = name
        return self._given[layer, image]

    def _take(self, path: str) -> bool:
        above = list(_above(path))
        if path in self._files or path in self._folders or not self._files.isdisjoint(above):
            return False
        self._files.add(path)
        self._folders.update(above)
        return True


def _aside(kind: str, base: str, layer: Layer, number: int) -> ImageName:
    """Return another name for an image: a file at the top, so that it collides with no other."""
    base = f"{base}-{number}"
    if kind == "kern":
        return ImageName("kern", base)
    is_xen = layer is not Layer.HYPERVISOR or _XEN.fullmatch(base)
    return ImageName("root", f"/{base}" if is_xen else f"/xen-{base}")


def _above(path: str) -> Iterator[str]:
    parts = path.split("/")[1:-1]
    for count in range(1, len(parts) + 1):
        yield "/" + "/".join(parts[:count])


def _natural(layer: Layer, image: str) -> ImageName:
    """Return the name from which readers know that an image is of `layer`."""
    parts = [_part(part) for part in image.split("/") if part] or ["unknown"]
    path = "/".join(parts)
    if len(path.encode()) > _LONGEST_PATH:
        parts = parts[-1:]
        path = parts[0]
    base = parts[-1]
    passive = _PASSIVE.fullmatch(base)
    if passive and _PASSIVE_LAYERS[passive[1]] is not layer:
        base = f"_{base}"
        path = "/".join([*parts[:-1], base])
        passive = None
    is_path = image.startswith("/")
    if layer is Layer.HYPERVISOR and not passive:
        if is_path and _XEN.fullmatch(base):
            return ImageName("root", f"/{path}")
        return ImageName("root", f"/boot/{base if _XEN.fullmatch(base) else f'xen-{base}'}")
    if layer is Layer.KERNEL and _XEN.fullmatch(base):
        is_path = False  # by its path it would be taken for the hypervisor
    return ImageName("root", f"/{path}") if is_path else ImageName("kern", base)


def _part(part: str) -> str:
    """Return a component of a path that has no other meaning in the grammar of sample files."""
    if part in (".", "..") or _TOKEN.fullmatch(part):
        return f"_{part}"
    encoded = part.encode()
    if len(encoded) > _LONGEST_PART:
        return encoded[:_LONGEST_PART].decode(errors="ignore")
    return part


def program(comm: str) -> ImageName:
    """Return the name of a program of which only the comm is known."""
    return ImageName("root", "/" + _part(comm.replace("/", "_") or "unknown"))
