"""Reads the files of a capture and checks that they belong together."""

import gzip
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xenprof.imports.errors import InputError
from xenprof.imports.reading import GZIP_MAGIC, read_bounded
from xenprof.imports.xenoprof import buffer, rows
from xenprof.imports.xenoprof.buffer import Counters, Entries

_DOMAIN_IN_NAME = re.compile(r"dom(?:ain)?[-_]?(\d{1,5})(?!\d)", re.ASCII)

RingKey = tuple[int, int]
"""(domain id, vcpu)."""


@dataclass(frozen=True, slots=True)
class Capture:
    """Entries by ring, and Xen's counters of a ring where a buffer was given.

    A ring's counters have been checked to cover its entries.
    """

    entries: Mapping[RingKey, Entries]
    counters: Mapping[RingKey, Counters]

    @property
    def domains(self) -> tuple[int, ...]:
        """Return the ids of the domains, ascending."""
        return tuple(sorted({domid for domid, _ in {*self.entries, *self.counters}}))

    def kept(self, domid: int) -> int:
        """Return the number of entries of a domain."""
        return sum(len(rows) for (owner, _), rows in self.entries.items() if owner == domid)

    def lost(self, domid: int) -> int | None:
        """Return the number of a domain's entries lost in full rings; None without a buffer."""
        lost = [counted.lost for (owner, _), counted in self.counters.items() if owner == domid]
        return sum(lost) if lost else None

    def gone(self, domid: int) -> int:
        """Return the number of entries that Xen logged for a domain and the capture lacks."""
        return sum(
            sum(counted.logged) - len(self.entries.get(key, ()))
            for key, counted in self.counters.items()
            if key[0] == domid
        )


def read_file(path: str) -> bytes:
    """Return the contents of a file, unpacked if it is gzip. Raises: InputError."""
    try:
        if not Path(path).is_file():
            raise InputError(path, "no such file" if not Path(path).exists() else "not a file")
        with Path(path).open("rb") as file:
            packed = file.read(2) == GZIP_MAGIC
            file.seek(0)
            return read_bounded(gzip.GzipFile(fileobj=file) if packed else file, path)
    except (OSError, EOFError, zlib.error, ValueError) as error:  # ValueError: a NUL in the path
        raise InputError(path, getattr(error, "strerror", None) or str(error)) from error


def numbered(argument: str) -> tuple[int | None, str]:
    """Return N and X of `N=X`, None and the argument itself if it does not start with `N=`."""
    number, equals, rest = argument.partition("=")
    if equals and number.isascii() and number.isdigit() and len(number) <= 5:
        return int(number), rest
    return None, argument


def read_capture(files: Sequence[str], earlier: Sequence[str] = ()) -> Capture:
    """Return the capture in `files`: shared buffers and lines of samples, each `[N=]FILE`.

    Where a ring has both, the lines are its samples, and the ring's entries must be their end.
    The counters of the buffers `earlier` are subtracted.

    Raises: InputError.
    """
    entries: dict[RingKey, Entries] = {}
    rings: dict[RingKey, tuple[buffer.Ring, str]] = {}
    for argument in files:
        domid, path = numbered(argument)
        data = read_file(path)
        if b"\0" in data[:4096]:
            for key, ring in _rings(domid, path, data).items():
                if key in rings:
                    raise InputError(path, f"domain {key[0]} vcpu {key[1]} was given already")
                rings[key] = ring, path
        elif domid is not None:
            raise InputError(path, f"lines of samples name their domain: leave out {domid}=")
        else:
            for key, table in rows.parse(data.decode("latin-1"), path).items():
                before = entries.get(key)
                entries[key] = table if before is None else np.concatenate([before, table])
    before_by_ring = _earlier_counters(earlier, rings)
    counters: dict[RingKey, Counters] = {}
    for key, (ring, path) in rings.items():
        known = entries.setdefault(key, ring.entries)
        count = len(ring.entries)
        if not np.array_equal(known[len(known) - count :] if count else known[:0], ring.entries):
            raise InputError(
                path, f"what its ring of vcpu {key[1]} holds is not the end of the lines given"
            )
        counters[key] = _counters(ring, before_by_ring.get(key, Counters()), known, path)
    return Capture(entries, counters)


def _rings(domid: int | None, path: str, data: bytes) -> dict[RingKey, buffer.Ring]:
    """Return the rings of a buffer; its name gives the domain if `domid` does not."""
    if domid is None:
        match = _DOMAIN_IN_NAME.search(Path(path).name)
        if match is None:
            raise InputError(path, f"whose buffer is it? Give its domain id: N={path}")
        domid = int(match[1])
    return {(domid, ring.vcpu): ring for ring in buffer.decode(data, path)}


def _earlier_counters(
    files: Sequence[str], rings: Mapping[RingKey, tuple[buffer.Ring, str]]
) -> dict[RingKey, Counters]:
    found: dict[RingKey, Counters] = {}
    for argument in files:
        domid, path = numbered(argument)
        for key, ring in _rings(domid, path, read_file(path)).items():
            if key not in rings:
                raise InputError(
                    path, f"no buffer of domain {key[0]} vcpu {key[1]} follows this earlier one"
                )
            found[key] = ring.counters
    return found


def _counters(ring: buffer.Ring, before: Counters, known: Entries, path: str) -> Counters:
    """Return the counts since `before`. Raises: InputError if they are impossible."""
    try:
        counters = ring.counters.since(before)
    except ValueError:
        raise InputError(
            path, "its counters are below those of the earlier buffer: which one came first?"
        ) from None
    for mode, (held, logged) in enumerate(zip(buffer.modes(known), counters.logged, strict=True)):
        if held > logged:
            raise InputError(
                path,
                f"vcpu {ring.vcpu} has {held} entries of mode {mode}, but its header counts "
                f"{logged}: damaged, or from another session than the other files",
            )
    return counters
