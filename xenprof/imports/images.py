"""Places the steps of a recording in images: real ones, or ones made of names.

An image made of names has a symbol for each function that was seen, in the order of their
addresses, and room for the offsets that were seen in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hypervisor.elf import ElfSymbol, write_elf
from xenprof.errors import ImageError
from xenprof.images import ImageSymbols, load_symbols
from xenprof.images.demangle import demangle
from xenprof.imports.recording import UNKNOWN, Step

COUNT_MAX = 0xFFFFFFFF
"""The largest count of a sample file at one offset."""

_EXEC = 2
_TEXT_OFFSET = 0x1000
_ADDRESSES = {False: 0x400000, True: 0xFFFFFFFF80200000}  # the address of the text of x86-64 Linux
_ALIGN = 16
_LARGEST_TEXT = 1 << 24  # judgement: with more, offsets within functions are packed
_NOWHERE = 1 << 64
_HIDDEN = (".L", "$a", "$t", "$d", "gcc2_compiled.")


@dataclass(frozen=True, slots=True)
class Placed:
    """The places of steps: `keys` are those of sample files.

    `spare` is the first of the free keys of a step's function, for counts beyond COUNT_MAX.
    `image` is a file to write, `source` one to copy; both are None if no file is needed.
    """

    keys: Mapping[Step, int]
    spare: Mapping[Step, int]
    image: bytes | None = None
    source: Path | None = None


def made(totals: Mapping[Step, int], *, is_kernel: bool) -> Placed:
    """Return an image of names for steps, given the largest count of samples of a type for each."""
    functions: dict[tuple[str, int], list[Step]] = {}
    for step in totals:
        start = step.address - step.offset if min(step.address, step.offset) >= 0 else _NOWHERE
        functions.setdefault((step.symbol, start), []).append(step)
    ordered = sorted(
        (_start(steps, start), name, steps) for (name, start), steps in functions.items()
    )
    sizes = sum(_extent(steps, start) for start, _, steps in ordered)
    is_named = any(name for _, name, _ in ordered)
    base = 0 if is_kernel else _TEXT_OFFSET
    keys: dict[Step, int] = {}
    spare: dict[Step, int] = {}
    symbols = []
    at = 0
    for start, name, steps in ordered:
        places = _places(steps, start, packed=sizes > _LARGEST_TEXT)
        room = max(places.values()) + 1
        total = sum(totals[step] for step in steps)
        size = room + total // COUNT_MAX
        for step, place in places.items():
            keys[step] = base + at + place
            spare[step] = base + at + room
        if is_named:
            shown = name or UNKNOWN
            shown = f"_{shown}" if shown.startswith(_HIDDEN) else shown
            symbols.append(ElfSymbol(shown, _ADDRESSES[is_kernel] + at, size))
        at += size + -size % _ALIGN
    image = write_elf(
        symbols,
        text_address=_ADDRESSES[is_kernel],
        text_size=at,
        text_offset=_TEXT_OFFSET,
    )
    return Placed(keys, spare, image)


def _start(steps: Sequence[Step], start: int) -> int:
    """Return where a function begins, as far as that is known."""
    if start != _NOWHERE:
        return start
    return min((step.address for step in steps if step.address >= 0), default=_NOWHERE)


def _offset(step: Step, start: int) -> int:
    if step.address < 0:
        return 0
    return step.offset if step.offset >= 0 else step.address - start


def _extent(steps: Iterable[Step], start: int) -> int:
    return max(_offset(step, start) for step in steps) + _ALIGN


def _places(steps: Sequence[Step], start: int, *, packed: bool) -> dict[Step, int]:
    offsets = {step: _offset(step, start) for step in steps}
    if not packed:
        return offsets
    rank = {offset: index for index, offset in enumerate(sorted(set(offsets.values())))}
    return {step: rank[offset] for step, offset in offsets.items()}


class RealImage:
    """An image of the profiled machine."""

    def __init__(self, path: Path) -> None:
        """Open the image. Raises: ImageError."""
        self._path = path
        self._symbols: ImageSymbols = load_symbols(path)
        self._by_name: dict[str, list[int]] = {}
        for index, name in enumerate(self._symbols.names):
            self._by_name.setdefault(name, []).append(index)
            if name.startswith("_Z"):
                self._by_name.setdefault(demangle(name), []).append(index)

    def place(self, steps: Iterable[Step]) -> Placed | None:
        """Return the places of steps; None if not all of them fit, for then it is another image."""
        keys = {}
        for step in steps:
            key = self._key(step)
            if key is None:
                return None
            keys[step] = key
        return Placed(keys, keys, source=self._path)

    def _key(self, step: Step) -> int | None:
        symbols = self._symbols
        is_fixed = symbols.image is not None and symbols.image.kind == _EXEC
        found = self._by_name.get(step.symbol, []) if step.symbol else []
        if is_fixed and step.address >= 0:
            return self._at(step, found)
        if len(found) != 1:
            return None
        start, end = int(symbols.starts[found[0]]), int(symbols.ends[found[0]])
        key = start + max(step.offset, 0)
        return key if key < end else None

    def _at(self, step: Step, found: Sequence[int]) -> int | None:
        """Return the place of an address in an image that is not relocated."""
        image = self._symbols.image
        for section in image.sections if image else ():
            if section.is_code and 0 <= step.address - section.address < section.size:
                key = step.address - section.address + section.offset
                index = int(self._symbols.lookup(np.array([key], np.uint64), False)[0])
                return key if (index in found if step.symbol else True) else None
        return None


def real(path: Path, steps: Iterable[Step]) -> Placed | None:
    """Return the places of steps in the image at `path`; None if it is not their image."""
    try:
        return RealImage(path).place(steps) if path.is_file() else None
    except (ImageError, OSError):
        return None
