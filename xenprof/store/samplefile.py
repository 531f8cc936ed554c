"""Reads and writes the binary format of sample files: header, descriptor, nodes, hash table.

Reads versions 0x10 to 0x13 as written on 32-bit and 64-bit x86, on machines of the other byte
order, and in the layout of an `abi` file; writes any in the 64-bit layout, 0x13 by default. All
arrays of offsets and counts are uint64 and of equal length.

An offset is a file offset in a user image; in a kernel-side image (`is_kernel`) it is the
distance from the start of the image's text; in anonymous memory from the mapping's start.

Source: oprofile libop/op_sample_file.h, libdb/odb.h and db_insert.c.
"""

import errno
import logging
import math
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xenprof import events
from xenprof.disk import DISK, Batch, Disk
from xenprof.errors import CorruptSampleFile, StoreError, StoreFull, VersionMismatch
from xenprof.profile.flat import SampleHeader
from xenprof.store.abi import Abi

log = logging.getLogger(__name__)

U64 = npt.NDArray[np.uint64]

VERSION = 0x13
MINIMUM_SLOTS = 128
_MAGIC = b"DAE\n"
_DESCRIPTOR = struct.Struct("<II24x")
_NODES = {
    order: np.dtype([("key", f"{order}u8"), ("value", f"{order}u4"), ("next", f"{order}u4")])
    for order in "<>"
}
_NODE = _NODES["<"]
_SLOT_BYTES = _NODE.itemsize + 4
_VALUE_MAX = 0xFFFFFFFF
_HEAD_BYTES = 128  # enough for every header and the descriptor after it


@dataclass(frozen=True, slots=True)
class _Layout:
    """One way in which some compiler laid out the header.

    `start` reads magic to is_kernel, cpu_mhz, mtime and callee_is_kernel; `tail` the two
    starts of anonymous memory, which follow a gap that differs by version.
    """

    order: str  # "<" or ">"
    start: struct.Struct
    tail: struct.Struct
    tail_offset: int
    size: int


def _layout(order: str, start: str, tail_offset: int, size: int, gap: int = 0) -> _Layout:
    return _Layout(
        order,
        struct.Struct(f"{order}4sIIIIII{start}"),
        struct.Struct(f"{order}Q{gap}xQ"),
        tail_offset,
        size,
    )


_FORMATS: dict[int, tuple[tuple[str, int, int], ...]] = {
    # per version: 64-bit first. 0.9.3 wrote the layout of 0x11 under the number 0x10.
    0x10: (("4xdQI", 56, 80), ("4xdQI", 64, 88), ("dII", 44, 64), ("dII", 56, 76)),
    0x11: (("4xdQI", 64, 88), ("dII", 56, 76)),
    0x12: (("4xdQI", 64, 88), ("dQI", 60, 80)),
    0x13: (("4xdQI", 56, 72), ("dQI", 48, 64)),
}
VERSIONS = tuple(_FORMATS)
VERSIONS_TEXT = f"{min(VERSIONS):#x} to {max(VERSIONS):#x}"
_LAYOUTS = {
    order: {
        version: tuple(_layout(order, *format_) for format_ in formats)
        for version, formats in _FORMATS.items()
    }
    for order in "<>"
}


def encode(
    header: SampleHeader, offsets: npt.ArrayLike, counts: npt.ArrayLike, *, version: int = VERSION
) -> bytes:
    """Return a complete sample file; slots are in the order in which offsets first appear.

    Counts of equal offsets are added; one that exceeds 32 bits stops at 0xffffffff (`merged`
    tells by how much). The nodes
    and the hash table are what libodb leaves after inserting the offsets one by one.
    """
    keys, values = aggregate(offsets, counts)
    used = len(keys)
    slots = MINIMUM_SLOTS
    while slots <= used:  # slot 0 is never used
        slots *= 2
    head = _encode_header(header, version)
    nodes_at = len(head) + _DESCRIPTOR.size
    out = bytearray(nodes_at + _SLOT_BYTES * slots)
    out[: len(head)] = head
    _DESCRIPTOR.pack_into(out, len(head), slots, used + 1)
    nodes = np.frombuffer(out, _NODE, slots, nodes_at)
    table = np.frombuffer(out, "<u4", slots, nodes_at + _NODE.itemsize * slots)
    nodes["key"][1 : used + 1] = keys
    nodes["value"][1 : used + 1] = np.minimum(values, _VALUE_MAX)
    _link(keys, nodes["next"], table)
    return bytes(out)


def decode(data: bytes, path: str | Path, abi: Abi | None = None) -> tuple[SampleHeader, U64, U64]:
    """Return header, offsets and counts of a sample file's bytes; `path` is for messages.

    Raises: CorruptSampleFile, VersionMismatch with the reader's messages.
    """
    header, layout, used = _decode_head(data[:_HEAD_BYTES], len(data), str(path), abi)
    return header, *_decode_nodes(data, _first_slot(layout), used, layout.order)


def read(path: Path, abi: Abi | None = None) -> tuple[SampleHeader, U64, U64]:
    """Return header, offsets and counts of the file at `path`; reads used slots only.

    A layout that `abi` gives is tried before the known ones.

    Raises: CorruptSampleFile, VersionMismatch, StoreError (cannot be opened or read).
    """
    try:
        with path.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(_HEAD_BYTES)
            header, layout, used = _decode_head(head, size, str(path), abi)
            file.seek(_first_slot(layout))
            data = file.read(used * _NODE.itemsize)
    except OSError as error:
        raise StoreError(str(path), f"{path}: {os.strerror(error.errno or 0)}") from error
    used = min(used, len(data) // _NODE.itemsize)
    return header, *_decode_nodes(data, 0, used, layout.order)


def merge(
    path: Path,
    header: SampleHeader,
    offsets: npt.ArrayLike,
    counts: npt.ArrayLike,
    disk: Disk = DISK,
) -> None:
    """Add samples to the file at `path`, which is made with its directories if missing.

    The old file is replaced by a rename; after an error it is unchanged. The header
    given replaces the old one. Temporary files are in the session's directory, where no
    reader looks.

    Raises: StoreFull (no space), StoreError (cannot be written), and as `read` for the old file.
    """
    write_file(path, merged(path, header, offsets, counts)[0], disk)


def merged(
    path: Path, header: SampleHeader, offsets: npt.ArrayLike, counts: npt.ArrayLike
) -> tuple[bytes, int]:
    """Return the file at `path` with samples added, and how many have no place in its counts.

    Raises: as `read` for the file, which may be missing.
    """
    if path.exists():
        _, old_offsets, old_counts = read(path)
        offsets = np.concatenate([old_offsets, np.asarray(offsets, np.uint64)])
        counts = np.concatenate([old_counts, np.asarray(counts, np.uint64)])
    excess = 0
    if int(np.sum(counts, dtype=np.uint64)) > _VALUE_MAX:
        sums = aggregate(offsets, counts)[1]
        excess = int((sums - np.minimum(sums, _VALUE_MAX)).sum())
    return encode(header, offsets, counts), excess


def write_files(files: Mapping[Path, bytes], disk: Disk = DISK) -> None:
    """Write files by renames, all together; see `merge`. Raises: StoreFull, StoreError."""
    batch = Batch(disk)
    for path, data in files.items():
        try:
            batch.add(path, data, session_of(path))
        except OSError as error:
            batch.drop()
            raise failure(path, error) from error
    for path, problem in batch.commit().items():
        if path in files:
            raise failure(path, problem) from problem
        # Its files have their names: whoever wrote them again would count samples twice.
        log.warning("%s: not synced: %s", path, problem.strerror)


def write_file(path: Path, data: bytes, disk: Disk = DISK) -> None:
    """Write `data` to `path` by a rename; see `merge`. Raises: StoreFull, StoreError."""
    write_files({path: data}, disk)


def failure(path: Path, error: OSError) -> StoreError:
    """Return the error of the store for a file that cannot be written."""
    kind = StoreFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else StoreError
    return kind(str(path), f"{path}: {os.strerror(error.errno or 0)}")


def aggregate(offsets: npt.ArrayLike, counts: npt.ArrayLike) -> tuple[U64, U64]:
    """Return the unique offsets in order of first appearance, and the sums of their counts."""
    keys = np.ascontiguousarray(offsets, np.uint64)
    values = np.ascontiguousarray(counts, np.uint64)
    if keys.shape != values.shape or keys.ndim != 1:
        raise ValueError(f"{keys.shape} offsets do not fit {values.shape} counts")
    ordered = np.sort(keys)
    if not (ordered[1:] == ordered[:-1]).any():
        return keys, values
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    sums = np.add.reduceat(values[order], starts)
    first = order[starts]
    rank = np.argsort(first)
    return keys[first[rank]], sums[rank]


def _link(keys: U64, following: npt.NDArray[np.uint32], table: npt.NDArray[np.uint32]) -> None:
    """Fill the chains of `keys` (in slots 1...) and the hash table.

    Inserting at the head, one by one, makes a slot point to the slot that was inserted into its
    bucket just before it, and the table to the last one. Growth rebuilds the table in the same
    way, so only the final size matters.
    """
    used = len(keys)
    if not used:
        return
    low = np.uint64(0xFFFFFFFF)
    mixed = ((keys >> np.uint64(32)) ^ keys) & low
    bucket = (mixed ^ (mixed >> np.uint64(8))) & np.uint64(len(table) - 1)
    # One sort of (bucket, slot) pairs packed into a word: much faster than a stable argsort.
    pairs = np.sort((bucket << np.uint64(32)) | np.arange(1, used + 1, dtype=np.uint64))
    buckets = pairs >> np.uint64(32)
    slots = pairs & low
    same = buckets[1:] == buckets[:-1]
    following[slots[1:][same]] = slots[:-1][same]
    last = np.concatenate([~same, [True]])
    table[buckets[last]] = slots[last]


def _encode_header(header: SampleHeader, version: int) -> bytes:
    layout = _LAYOUTS["<"][version][0]
    out = bytearray(layout.size)
    layout.start.pack_into(
        out, 0, _MAGIC, version, events.cpu_number(header.cpu_type, version), header.event_number,
        header.unit_mask, header.count, header.is_kernel, header.cpu_mhz, header.mtime,
        header.callee_is_kernel,
    )  # fmt: skip
    layout.tail.pack_into(out, layout.tail_offset, header.anon_start, header.callee_anon_start)
    return bytes(out)


def _first_slot(layout: _Layout) -> int:
    """Return where slot 1 is: slot 0 is never used."""
    return layout.size + _DESCRIPTOR.size + _NODE.itemsize


def _decode_head(
    head: bytes, file_size: int, path: str, abi: Abi | None
) -> tuple[SampleHeader, _Layout, int]:
    """Return the header, its layout, and the number of used slots."""
    if head[:4] != _MAGIC[: len(head)]:
        raise CorruptSampleFile(path, f"Invalid sample file, bad magic number: {path}")
    if len(head) < 8:
        raise CorruptSampleFile(path, f"Can't read sample file header:{path}")
    order = "<" if int.from_bytes(head[4:8], "little") in _FORMATS else ">"
    (version,) = struct.unpack_from(f"{order}I", head, 4)
    if version not in _FORMATS:
        (version,) = struct.unpack_from("<I", head, 4)
        raise VersionMismatch(
            path,
            f"samples files version mismatch: {path} has version {version:#x}, "
            f"this program reads {VERSIONS_TEXT}",
        )
    layouts = _LAYOUTS[order][version]
    if len(head) < layouts[0].size:  # the largest size of a file without any slot
        raise CorruptSampleFile(path, f"Can't read sample file header:{path}")
    told = None if abi is None or abi.order != order else abi.header_format(version)
    if told is not None:
        start, anon, callee_anon, size = told
        layouts = (_layout(order, start, anon, size, callee_anon - anon - 8), *layouts)
    for layout, used in _candidates(head, file_size, layouts):
        return _decode_header(head, layout, version, path), layout, used
    raise CorruptSampleFile(path, f"{path}: Invalid argument")


def _candidates(
    head: bytes, file_size: int, layouts: tuple[_Layout, ...]
) -> Iterator[tuple[_Layout, int]]:
    """Yield the layouts whose descriptor fits the file's size, exact fits first.

    Readers allow for up to 19 stray bytes at the end.
    """
    for is_exact in (True, False):
        for layout in layouts:
            room = file_size - layout.size - _DESCRIPTOR.size
            if room < 0 or len(head) < layout.size + _DESCRIPTOR.size:
                continue
            slots, current = struct.unpack_from(f"{layout.order}II", head, layout.size)
            fits = room == slots * _SLOT_BYTES if is_exact else room // _SLOT_BYTES == slots
            if fits and 1 <= current <= max(slots, 1):
                yield layout, current - 1


def _decode_header(head: bytes, layout: _Layout, version: int, path: str) -> SampleHeader:
    (
        _, _, cpu, event, unit_mask, count, is_kernel, mhz, mtime, callee_is_kernel,
    ) = layout.start.unpack_from(head)  # fmt: skip
    anon_start, callee_anon_start = layout.tail.unpack_from(head, layout.tail_offset)
    cpu_type = events.cpu_type_by_number(cpu, version)
    if cpu_type is None:
        raise CorruptSampleFile(path, f"{path}: invalid cpu type {cpu}")
    if not math.isfinite(mhz) or mhz < 0:
        raise CorruptSampleFile(path, f"{path}: invalid cpu speed {mhz}")
    return SampleHeader(
        cpu_type.name, event, unit_mask, count, is_kernel != 0, mhz, mtime, anon_start,
        callee_is_kernel != 0, callee_anon_start,
    )  # fmt: skip


def _decode_nodes(data: bytes, at: int, used: int, order: str) -> tuple[U64, U64]:
    nodes = np.frombuffer(data, _NODES[order], used, at)
    return nodes["key"].astype(np.uint64), nodes["value"].astype(np.uint64)


def session_of(path: Path) -> Path:
    """Return the session's directory: the one above the first `{root}` or `{kern}`."""
    for index, part in enumerate(path.parts):
        if part in ("{root}", "{kern}"):
            return Path(*path.parts[:index])
    return path.parent
