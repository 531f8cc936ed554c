"""The images of a RHEL 5 domain: their functions, addresses and files.

They are read from `symbols.toml` and are the same in every run: addresses are fixed, sizes are
computed from names, ELF bytes depend on nothing else.
"""

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tomli

from hypervisor.domainfile import DomainFile
from hypervisor.elf import ElfSymbol, write_elf
from hypervisor.errors import TableError
from hypervisor.host import Mapped, Module
from hypervisor.telemetry import Mode

Role = Literal["dom0", "guest", "hvm"]
ROLES: tuple[Role, ...] = ("dom0", "guest", "hvm")
_TEXT_OFFSET = 0x1000  # of .text in each file
_PAGE = 0x1000
_MODES = {
    "hypervisor": Mode.HYPERVISOR,
    "kernel": Mode.KERNEL,
    "module": Mode.KERNEL,
    "program": Mode.USER,
    "library": Mode.USER,
}


class SymbolTableError(TableError):
    """Says that symbols.toml cannot be used; the message names image and key."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A function. `address` is a pc in a running domain, not a value in the file."""

    name: str
    address: int
    size: int


@dataclass(frozen=True, slots=True)
class Image:
    """An executable file. Its functions follow each other without gaps from `address` on.

    `libraries` are the keys of the libraries that a program maps. Like a relocatable file, a
    module's file is linked at 0 and loaded at `address`; all others run where they are linked.
    `instead` is what a native kernel has for functions of the one that knows Xen (`native`).
    """

    key: str
    path: str
    kind: str  # hypervisor | kernel | module | program | library
    address: int
    roles: tuple[str, ...]
    loaded: bool
    libraries: tuple[str, ...]
    symbols: Mapping[str, Symbol]
    instead: Mapping[str, str]

    @property
    def mode(self) -> Mode:
        """Return the mode in which its code runs."""
        return _MODES[self.kind]

    @property
    def size(self) -> int:
        """Return the size of its code in bytes."""
        return sum(symbol.size for symbol in self.symbols.values())

    def elf(self) -> bytes:
        """Return the bytes of the ELF file. opcontrol takes `_etext` for the end of the code."""
        shift = self.address if self.kind == "module" else 0
        symbols = [ElfSymbol(s.name, s.address - shift, s.size) for s in self.symbols.values()]
        if self.kind in ("kernel", "hypervisor"):
            symbols.append(ElfSymbol("_etext", self.address + self.size, 0))
        return write_elf(
            symbols,
            text_address=self.address - shift,
            text_size=self.size,
            text_offset=_TEXT_OFFSET,
            executable=self.kind != "library",
            build_id=hashlib.sha1(self.path.encode(), usedforsecurity=False).digest(),
        )

    def mapped(self) -> Mapped:
        """Return the mapping of the code of a program or library in a process."""
        end = self.address + -(-self.size // _PAGE) * _PAGE
        return Mapped(self.address, end, _TEXT_OFFSET, self.path)

    def module(self) -> Module:
        """Return a module's line in /proc/modules."""
        name = self.path.rsplit("/", 1)[1].removesuffix(".ko").replace("-", "_")
        return Module(name, self.address, -(-self.size // _PAGE) * _PAGE, self.path)


class Images:
    """Holds all images by key, and makes the files of a domain. Raises: SymbolTableError."""

    def __init__(self, text: str | None = None) -> None:
        """Read `text`, by default the packaged symbols.toml."""
        if text is None:
            text = Path(__file__).with_name("symbols.toml").read_text("utf-8")
        data = tomli.loads(text)
        self._mtime: int = data["mtime"]
        self._files: dict[Role, tuple[DomainFile, ...]] = {}
        self.by_key: dict[str, Image] = {}
        for row in data["image"]:
            image = _image(_grown(row, self.by_key))
            if image.key in self.by_key:
                raise SymbolTableError(f"symbols.toml: image {image.key!r} is listed twice")
            self.by_key[image.key] = image
        for image in self.by_key.values():
            for key in image.libraries:
                if key not in self.by_key or self.by_key[key].kind != "library":
                    raise SymbolTableError(
                        f"symbols.toml: image {image.key!r}: {key!r} in libraries is no library"
                    )
        for role in ROLES:
            _check_overlap([i for i in self._of(role) if i.kind != "program"])

    def files(self, role: Role) -> tuple[DomainFile, ...]:
        """Return the image files of a domain; built once."""
        if role not in self._files:
            self._files[role] = tuple(
                DomainFile(image.path, image.elf(), self._mtime, _permissions(image))
                for image in self._of(role)
            )
        return self._files[role]

    def _of(self, role: Role) -> list[Image]:
        """Return the images of a domain, which has programs of guests also where it is HVM."""
        return [
            image
            for image in self.by_key.values()
            if role in image.roles
            or (role == "hvm" and "guest" in image.roles and image.mode == Mode.USER)
        ]

    def modules(self, role: Role) -> tuple[Module, ...]:
        """Return the loaded modules of a domain."""
        return tuple(
            image.module() for image in self._of(role) if image.kind == "module" and image.loaded
        )

    def mappings(self, program: str) -> tuple[Mapped, ...]:
        """Return the files that a process of the program at this path maps.

        Raises: KeyError if there is no such program.
        """
        for image in self.by_key.values():
            if image.path == program and image.kind == "program":
                keys = (*image.libraries, "libc")
                return (image.mapped(), *(self.by_key[key].mapped() for key in keys))
        raise KeyError(program)


def file_offset(image: Image, pc: int) -> int:
    """Return a pc's offset in sample files: from the start of the text, or of the file."""
    in_text = pc - image.address
    return in_text if image.mode != Mode.USER else in_text + _TEXT_OFFSET


def _grown(row: Mapping[str, Any], known: Mapping[str, Image]) -> Mapping[str, Any]:
    """Return the row of an image with the functions of the one that it is `like`."""
    if "like" not in row:
        return row
    same = [name for name in known[row["like"]].symbols if name not in row["instead"]]
    return {**row, "symbols": f"{' '.join(same)} {row['symbols']}"}


def _image(row: Mapping[str, Any]) -> Image:
    key = row.get("key", "?")
    if missing := {"key", "path", "kind", "address", "roles", "symbols"} - row.keys():
        raise SymbolTableError(f"symbols.toml: image {key!r} lacks {', '.join(sorted(missing))}")
    if row["kind"] not in _MODES:
        raise SymbolTableError(
            f"symbols.toml: image {key!r}: kind {row['kind']!r} is not one of {', '.join(_MODES)}"
        )
    symbols: dict[str, Symbol] = {}
    address = row["address"]
    for name in row["symbols"].split():
        if name in symbols:
            raise SymbolTableError(f"symbols.toml: image {key!r}: {name} is listed twice")
        symbols[name] = Symbol(name, address, _size(name))
        address += symbols[name].size
    return Image(
        key=key,
        path=row["path"],
        kind=row["kind"],
        address=row["address"],
        roles=tuple(row["roles"]),
        loaded=row.get("loaded", True),
        libraries=tuple(row.get("libraries", ())),
        instead=row.get("instead", {}),
        symbols=symbols,
    )


def _size(name: str) -> int:
    """Return a plausible size of a function: 48 to 2032 bytes, mostly small, in steps of 16."""
    digest = hashlib.sha256(name.encode()).digest()
    return 48 + 16 * (digest[0] * digest[1] * 124 >> 16)


def _permissions(image: Image) -> int:
    return 0o755 if image.kind in ("program", "library") else 0o644


def _check_overlap(images: list[Image]) -> None:
    """Check that images that can be in the same address space do not overlap."""
    ordered = sorted(images, key=lambda image: image.address)
    for low, high in itertools.pairwise(ordered):
        if low.mapped().end > high.address:
            raise SymbolTableError(f"symbols.toml: images {low.key!r} and {high.key!r} overlap")
