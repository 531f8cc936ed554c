"""Parses symbol tables of a running kernel (/proc/kallsyms) and a hypervisor (xen-syms.map).

Both have lines `ADDRESS TYPE NAME`, as nm prints them; kallsyms adds `[MODULE]`.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from hypervisor.elf import ElfSymbol
from xenprof.imports.errors import InputError

_LINE = re.compile(
    r"(?:0x)?([0-9a-fA-F]{1,16}) ([A-Za-z?]) (\S+)(?:[ \t]+\[([A-Za-z0-9_-]{1,55})\])?\s*",
    re.ASCII,
)
_CODE = frozenset("tTwW")
_START, _END = ("_stext", "_text"), "_etext"
_PAGE = 4096
_LARGEST_TEXT = 1 << 27
"""In bytes; kernels have a tenth of it. The image made of the table has the size of the text."""
_MARKER = re.compile(r"_+[se]?text\w*|__\w+_(?:start|end|array)", re.ASCII)
"""Names of the start or end of a part of the code; a function at the same address is preferred."""
_MADE_AT_RUN_TIME = ("bpf", "__builtin__")
"""Prefixes of the names of modules without a file, which are spread over the address space."""


@dataclass(frozen=True, slots=True)
class Text:
    """The code of an image at [start, end); functions by address, each up to the next."""

    name: str
    start: int
    end: int
    functions: tuple[ElfSymbol, ...]


@dataclass(frozen=True, slots=True)
class SymbolTable:
    """The code of a kernel or hypervisor, and of its modules in the order of their addresses."""

    path: str
    text: Text
    modules: tuple[Text, ...]


def parse(data: bytes, path: str) -> SymbolTable:
    """Return the code that a symbol table describes. Raises: InputError."""
    bounds: dict[str, int] = {}
    code: dict[str, list[tuple[int, str, bool]]] = {"": []}
    highest = 0
    for number, line in enumerate(data.splitlines(), 1):  # bytes, as a name may hold more ends
        match = _LINE.fullmatch(line.decode("latin-1"))
        if match is None:
            raise InputError(
                f"{path}, line {number}", "not a symbol: `ADDRESS TYPE NAME [MODULE]` is wanted"
            )
        address, kind, name, module = int(match[1], 16), match[2], match[3], match[4] or ""
        highest = max(highest, address)
        if not module and name in (*_START, _END):
            bounds.setdefault(name, address)
        if kind in _CODE:
            code.setdefault(module, []).append((address, name, kind.isupper()))
    if not highest:
        raise InputError(path, "all addresses are 0: read /proc/kallsyms as root")
    start = next((bounds[name] for name in _START if name in bounds), None)
    end = bounds.get(_END)
    if start is None or end is None or start >= end:
        raise InputError(path, "not a kernel's or hypervisor's symbols: no _stext, or no _etext")
    return SymbolTable(
        path,
        _text("text", start, end, code.pop(""), path),
        tuple(sorted(_modules(code, path), key=lambda module: module.start)),
    )


def _modules(code: dict[str, list[tuple[int, str, bool]]], path: str) -> Iterator[Text]:
    """Yield the code of each module: the whole pages that its functions are in."""
    for name, functions in code.items():
        if not name.startswith(_MADE_AT_RUN_TIME):
            start = min(functions)[0] // _PAGE * _PAGE
            end = (max(functions)[0] // _PAGE + 1) * _PAGE
            yield _text(name, start, end, functions, path)


def _text(
    name: str, start: int, end: int, functions: list[tuple[int, str, bool]], path: str
) -> Text:
    if end - start > _LARGEST_TEXT:
        raise InputError(
            path, f"the {name} from {start:#x} to {end:#x} is larger than any kernel's code"
        )
    inside = sorted(row for row in functions if start <= row[0] < end)
    named = {address for address, symbol, _ in inside if not _MARKER.fullmatch(symbol)}
    inside = [row for row in inside if row[0] not in named or not _MARKER.fullmatch(row[1])]
    edges = [*sorted({address for address, _, _ in inside}), end]
    return Text(
        name,
        start,
        end,
        tuple(
            ElfSymbol(symbol, address, edges[bisect_left(edges, address) + 1] - address, is_global)
            for address, symbol, is_global in inside
        ),
    )
