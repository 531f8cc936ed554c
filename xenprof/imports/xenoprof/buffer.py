"""Decodes Xenoprof's shared buffer of a domain, as mapped: the rings of its vcpus in sequence.

Source: xen/include/public/xenoprof.h, struct xenoprof_buf and event_log (64-bit domains);
alloc_xenoprof_struct and xenoprof_add_sample in xen/common/xenoprof.c.
"""

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hypervisor.telemetry import Mode
from xenprof.imports.errors import InputError

_HEADER = struct.Struct("<4I4Q")  # head, tail, size, vcpu_id; xen, kernel, user, lost
ENTRY = np.dtype(
    {"names": ["pc", "mode", "event"], "formats": ["<u8", "u1", "u1"], "offsets": [0, 8, 9],
     "itemsize": 16}
)  # fmt: skip
"""One entry of a ring: `event` is the index of the counter that overflowed."""

Entries = npt.NDArray[np.void]
"""An array of ENTRY."""
_ESCAPE = 2**64 - 1
_VCPUS = 8192
"""More vcpus than any Xen gives to a domain."""


@dataclass(frozen=True, slots=True)
class Counters:
    """The counts of Xen for a ring since its creation: entries logged by mode, entries lost."""

    user: int = 0
    kernel: int = 0
    hypervisor: int = 0
    lost: int = 0

    @property
    def logged(self) -> tuple[int, int, int]:
        """Return the number of entries logged, by Mode."""
        return self.user, self.kernel, self.hypervisor

    def since(self, earlier: "Counters") -> "Counters":
        """Return the counts since `earlier`. Raises: ValueError if a counter went down."""
        differences = (
            self.user - earlier.user,
            self.kernel - earlier.kernel,
            self.hypervisor - earlier.hypervisor,
            self.lost - earlier.lost,
        )
        if min(differences) < 0:
            raise ValueError("a counter went down")
        return Counters(*differences)


@dataclass(frozen=True, slots=True)
class Ring:
    """The ring of one vcpu: the entries not yet read at the capture, oldest first."""

    vcpu: int
    counters: Counters
    entries: Entries


def decode(data: bytes, path: str) -> tuple[Ring, ...]:
    """Return the rings in the shared pages `data`. Raises: InputError."""
    rings: list[Ring] = []
    at = 0
    while any(data[at : at + _HEADER.size]):
        ring, at = _ring(data, at, path)
        if any(ring.vcpu == other.vcpu for other in rings):
            raise InputError(path, f"not a Xenoprof buffer: it has two rings of vcpu {ring.vcpu}")
        rings.append(ring)
    if not rings:
        raise InputError(path, "not a Xenoprof buffer: it starts with zeros")
    if any(data[at:]):  # the last page is filled with zeros
        raise InputError(path, f"not a Xenoprof buffer: data after its last ring, at byte {at}")
    return tuple(rings)


def _ring(data: bytes, at: int, path: str) -> tuple[Ring, int]:
    """Return the ring at byte `at`, and its end."""
    if len(data) - at < _HEADER.size:
        raise InputError(path, f"truncated Xenoprof buffer: half a header at byte {at}")
    head, tail, size, vcpu, hypervisor, kernel, user, lost = _HEADER.unpack_from(data, at)
    if size < 2 or max(head, tail) >= size or vcpu >= _VCPUS:
        raise InputError(
            path,
            f"not a Xenoprof buffer: the header at byte {at} says head {head}, tail {tail}, "
            f"size {size}, vcpu {vcpu}",
        )
    at += _HEADER.size
    end = at + size * ENTRY.itemsize
    if end > len(data):
        raise InputError(
            path,
            f"truncated Xenoprof buffer: the {size} entries of vcpu {vcpu} end at byte {end}, "
            f"the file at {len(data)}",
        )
    slots = np.frombuffer(data, ENTRY, size, at)
    unread = np.arange(tail, tail + (head - tail) % size) % size
    entries = slots[unread]
    check_entries(entries, f"{path}, vcpu {vcpu}")
    return Ring(vcpu, Counters(user, kernel, hypervisor, lost), entries), end


def check_entries(entries: Entries, where: str) -> None:
    """Raise InputError for an entry that Xen does not write, or that cannot be used."""
    if (entries["pc"] == _ESCAPE).any():
        raise InputError(where, "holds call-graph records, which cannot be imported")
    wrong = np.flatnonzero(entries["mode"] > max(Mode))
    if len(wrong):
        raise InputError(
            where,
            f"entry {wrong[0]} has mode {entries['mode'][wrong[0]]}; "
            "there are 0 (user), 1 (kernel) and 2 (hypervisor)",
        )


def modes(entries: Entries) -> tuple[int, int, int]:
    """Return the number of entries of each Mode."""
    user, kernel, hypervisor = np.bincount(entries["mode"], minlength=len(Mode)).tolist()
    return user, kernel, hypervisor
