"""Images of a profile: where their files are, and which symbol an offset belongs to.

Reads ELF by itself with numpy, both sizes and byte orders: a symbol table of 20000 entries
takes milliseconds, and nothing is imported that a report does not need.
"""

import mmap
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt

from xenprof.errors import ImageError
from xenprof.profile import ImageName

_SHT_SYMTAB, _SHT_NOBITS = 2, 8
_SHF_ALLOC, _SHF_EXECINSTR = 0x2, 0x4
_STB_LOCAL, _STB_WEAK, _STT_SECTION = 0, 2, 3
_UNNAMED = "??"
_ARM_MAPPING = (b"$a\0", b"$t\0", b"$d\0")


@dataclass(slots=True)
class ImageFinder:
    """Finds the file of an image.

    `archive` and `root` are put before the image's own path. The directories of `image_path`
    (the caller's own) are searched recursively, by basename, for images that are not there.
    """

    archive: str = ""
    image_path: Sequence[str] = ()
    root: str = ""
    _by_name: dict[str, Path] | None = field(default=None, init=False, repr=False)

    def find(self, name: ImageName) -> Path | None:
        """Return the file of an image, or None: not found, or anonymous memory.

        Order: its own path, a file of its basename in `image_path`, then basename + `.ko`, in
        which `_` also stands for `-` and `,`. Source: oprofile libpp/locate_images.cpp.
        """
        if name.kind == "anon":
            return None
        own = Path(f"{self.archive}{self.root}/{name.path.lstrip('/')}")
        if own.is_file():
            return own
        if self._by_name is None:
            self._by_name = _scan(self.image_path)
        base = name.path.rpartition("/")[2]
        found = self._by_name.get(base)
        return found or self._by_name.get(_module_name(f"{base}.ko"))


def _scan(directories: Sequence[str]) -> dict[str, Path]:
    """Return files by basename, and modules also with `-` and `,` as `_`; the first one wins."""
    found: dict[str, Path] = {}
    for top in directories:
        for where, inner, files in os.walk(top):
            inner.sort()
            for file in sorted(files):
                found.setdefault(file, Path(where, file))
                if file.endswith(".ko"):
                    found.setdefault(_module_name(file), Path(where, file))
    return found


def _module_name(file: str) -> str:
    return file.replace("-", "_").replace(",", "_")


class SymbolNames(Sequence[str]):
    """Names of symbols by index, decoded when asked for: reports show few of thousands."""

    def __init__(self, strings: bytes, at: npt.NDArray[np.int64], unnamed: Sequence[str]) -> None:
        """`at` holds offsets in the string table; a negative one is ~index in `unnamed`."""
        self._strings = strings
        self._at = at
        self._unnamed = unnamed

    def __len__(self) -> int:
        return len(self._at)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        at = int(self._at[index])
        if at < 0:
            return self._unnamed[~at]
        end = self._strings.find(b"\0", at)
        return self._strings[at : end if end >= 0 else None].decode(errors="replace")


@dataclass(frozen=True, slots=True)
class ImageSymbols:
    """Symbols of an image in file order; arrays of equal length.

    Symbol i covers file offsets [starts[i], ends[i]) and is at `vmas[i]`; `ends` come from the
    next symbol, since that is what opreport counts by, not from the table's sizes.
    `text_offset`, `text_vma` locate `.text` in the file and in memory (0 if there is none).
    """

    starts: npt.NDArray[np.uint64]
    ends: npt.NDArray[np.uint64]
    vmas: npt.NDArray[np.uint64]
    names: Sequence[str]
    text_offset: int
    text_vma: int

    def lookup(self, offsets: npt.NDArray[np.uint64], is_kernel: bool) -> npt.NDArray[np.int64]:
        """Return the index of the symbol that holds each offset, -1 where none does.

        Offsets of kernel-side images count from the start of `.text`, others from the file's.
        """
        if not len(self.starts):
            return np.full(len(offsets), -1, np.int64)
        shift = np.uint64(self.text_offset if is_kernel else 0)
        position = offsets + shift
        index = np.searchsorted(self.starts, position, side="right").astype(np.int64) - 1
        outside = (index < 0) | (position >= self.ends[index]) | (position < shift)
        index[outside] = -1
        return index


@dataclass(frozen=True, slots=True)
class _Section:
    name: bytes
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int

    @property
    def is_code(self) -> bool:
        """Return whether symbols in it count."""
        wanted = _SHF_ALLOC | _SHF_EXECINSTR
        return self.flags & wanted == wanted


@dataclass(frozen=True, slots=True)
class _Elf:
    """The parts of an ELF file that we use."""

    data: mmap.mmap
    order: str  # "<" or ">"
    is_64: bool
    sections: tuple[_Section, ...]

    def symbol_table(self) -> tuple[npt.NDArray[np.void], bytes]:
        """Return the rows of .symtab (fields name, info, shndx, value) and its strings."""
        dtype = _symbol_dtype(self.order, self.is_64)
        for section in self.sections:
            if section.kind == _SHT_SYMTAB and section.link < len(self.sections):
                rows = self.contents(section)
                strings = self.contents(self.sections[section.link])
                return np.frombuffer(rows, dtype, len(rows) // dtype.itemsize), strings
        return np.empty(0, dtype), b""

    def contents(self, section: _Section) -> bytes:
        """Return the bytes of a section that the file really has."""
        if section.kind == _SHT_NOBITS:
            return b""
        return self.data[section.offset : section.offset + section.size]


def load_symbols(path: Path) -> ImageSymbols:
    """Return the symbols of the image at `path`; none if it has no symbol table.

    Only symbols in code sections count, but not `.L...`, section and ARM mapping symbols; one
    without a name is called `??` and its section's name. Of several at one offset the best
    stays: named, global, without a leading underscore, not weak.

    Raises: ImageError (not readable, not an ELF file, damaged).

    Source: oprofile libutil++/op_bfd.cpp, libpp/symbol_container; boring_symbol().
    """
    elf = _read_elf(path)
    text = next((s for s in elf.sections if s.name == b".text"), None)
    rows, strings = elf.symbol_table()
    shndx = rows["shndx"].astype(np.int64)
    at = rows["name"].astype(np.int64)
    value = rows["value"].astype(np.uint64)
    bind, kind = rows["info"] >> 4, rows["info"] & 15

    is_code = np.array([s.is_code for s in elf.sections] or [False])
    inside = np.where(shndx < len(is_code), shndx, 0)
    letters = np.frombuffer(strings + bytes(3), np.uint8)
    at = np.where(at < len(strings), at, len(strings))
    first, second, third = letters[at], letters[at + 1], letters[at + 2]
    keep = is_code[inside] & (shndx < len(is_code)) & (kind != _STT_SECTION)
    keep &= ~((first == ord(".")) & (second == ord("L")))
    keep &= ~((first == ord("$")) & np.isin(second, list(b"atd")) & (third == 0))

    chosen = np.flatnonzero(keep)
    addresses = np.array([s.address for s in elf.sections] or [0], np.uint64)
    places = np.array([s.offset for s in elf.sections] or [0], np.uint64)
    sizes = np.array([s.size for s in elf.sections] or [0], np.uint64)
    owner = inside[chosen]
    starts = value[chosen] - addresses[owner] + places[owner]
    boring = (first == 0) * 8 + (bind == _STB_LOCAL) * 4 + (first == ord("_")) * 2
    boring += bind == _STB_WEAK
    order = np.lexsort((boring[chosen], starts))
    ordered = starts[order]
    is_best = np.ones(len(order), bool)
    is_best[1:] = ordered[1:] != ordered[:-1]
    best = order[is_best]

    starts, owner, chosen = starts[best], owner[best], chosen[best]
    ends = places[owner] + sizes[owner]
    is_followed = owner[1:] == owner[:-1]
    ends[:-1][is_followed] = starts[1:][is_followed]
    name_at = np.where(first[chosen] == 0, ~owner, at[chosen])
    unnamed = [_UNNAMED + s.name.decode(errors="replace") for s in elf.sections]
    return ImageSymbols(
        starts,
        ends,
        value[chosen],
        SymbolNames(strings, name_at, unnamed),
        text.offset if text else 0,
        text.address if text else 0,
    )


def text_range(path: Path, shown: str = "") -> tuple[int, int]:
    """Return the addresses at which `.text` starts and ends (at `_etext` if there is one).

    `shown` is the path for the message, if it differs. Raises: ImageError.
    """
    elf = _read_elf(path, shown)
    text = next((s for s in elf.sections if s.name == b".text"), None)
    if text is None:
        raise ImageError(shown or str(path))
    rows, strings = elf.symbol_table()
    at = (b"\0" + strings).find(b"\0_etext\0")
    ends = rows["value"][rows["name"] == at] if at >= 0 else rows["value"][:0]
    return text.address, int(ends[0]) if len(ends) else text.address + text.size


def _read_elf(path: Path, shown: str = "") -> _Elf:
    """Return the sections of the file at `path`. Raises: ImageError."""
    try:
        with path.open("rb") as file:
            # A kernel with debug information has 100 MB, of which we need one.
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:  # ValueError: an empty file
        raise ImageError(shown or str(path)) from error
    if len(data) < 52 or data[:4] != b"\x7fELF" or data[4] not in (1, 2) or data[5] not in (1, 2):
        raise ImageError(shown or str(path))
    order, is_64 = "<>"[data[5] - 1], data[4] == 2
    try:
        return _Elf(data, order, is_64, tuple(_sections(data, order, is_64)))
    except (struct.error, IndexError) as error:
        raise ImageError(shown or str(path)) from error


def _sections(data: mmap.mmap, order: str, is_64: bool) -> Iterator[_Section]:
    """Yield the section headers. Raises: struct.error, IndexError for a damaged file."""
    if is_64:
        (table,) = struct.unpack_from(f"{order}Q", data, 40)
        width, count, names_index = struct.unpack_from(f"{order}HHH", data, 58)
        row = struct.Struct(f"{order}IIQQQQI")
    else:
        (table,) = struct.unpack_from(f"{order}I", data, 32)
        width, count, names_index = struct.unpack_from(f"{order}HHH", data, 46)
        row = struct.Struct(f"{order}IIIIIII")
    raw = [row.unpack_from(data, table + width * i) for i in range(count)]
    if not raw:
        return
    names = raw[names_index]
    strings = data[names[4] : names[4] + names[5]]
    for name, kind, flags, address, offset, size, link in raw:
        end = strings.find(b"\0", name)
        yield _Section(strings[name:end], kind, flags, address, offset, size, link)


def _symbol_dtype(order: str, is_64: bool) -> np.dtype[np.void]:
    """Return the layout of a symbol table's row."""
    names = ["name", "info", "shndx", "value"]
    if is_64:
        formats, offsets, size = ["u4", "u1", "u2", "u8"], [0, 4, 6, 8], 24
    else:
        formats, offsets, size = ["u4", "u1", "u2", "u4"], [0, 12, 14, 4], 16
    return np.dtype(
        {
            "names": names,
            "formats": [order + f for f in formats],
            "offsets": offsets,
            "itemsize": size,
        }
    )
