"""Reads samples as lines of text, `domain vcpu mode event pc`, from a reader of the rings."""

from collections.abc import Iterator

import numpy as np

from xenprof.imports.errors import InputError
from xenprof.imports.xenoprof.buffer import ENTRY, Entries, check_entries

_LIMITS = (
    ("domain", 0x7FF0),  # DOMID_FIRST_RESERVED
    ("vcpu", 8192),
    ("mode", 3),
    ("event", 256),
    ("pc", 2**64),
)


def parse(text: str, path: str) -> dict[tuple[int, int], Entries]:
    """Return the entries by (domain, vcpu), in the order of the lines.

    Numbers are decimal or 0x hexadecimal; blank lines and those starting with `#` are skipped.

    Raises: InputError with the line.
    """
    found: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for domid, vcpu, mode, event, pc in _rows(text, path):
        found.setdefault((domid, vcpu), []).append((pc, mode, event))
    if not found:
        raise InputError(path, "holds no samples: lines `domain vcpu mode event pc` are wanted")
    tables = {key: np.array(rows, ENTRY) for key, rows in found.items()}
    for entries in tables.values():
        check_entries(entries, path)
    return tables


def _rows(text: str, path: str) -> Iterator[tuple[int, ...]]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        where = f"{path}, line {number}"
        if len(words) != len(_LIMITS):
            raise InputError(where, "not a sample: `domain vcpu mode event pc` is wanted")
        yield tuple(
            _number(word, name, limit, where)
            for word, (name, limit) in zip(words, _LIMITS, strict=True)
        )


def _number(word: str, name: str, limit: int, where: str) -> int:
    try:
        # Longer words are out of range and slow to convert.
        value = int(word, 16 if word[:2] in ("0x", "0X") else 10) if len(word) <= 20 else limit
    except ValueError:
        value = limit
    if not 0 <= value < limit:
        raise InputError(where, f"{name} {word[:20]} is not a number from 0 to {limit - 1:#x}")
    return value
