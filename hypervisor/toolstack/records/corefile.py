"""Writes core dumps of domains, and names them.

Layout, little endian: a header of six 32-bit numbers (magic, vcpus, pages, and where contexts,
page index and pages begin), the vcpus' contexts, the machine frame of each page, padding to a
page boundary, the pages.
Source: tools/libxc/xc_core.c and xenctrl.h, struct xc_core_header (3.0.3); the name and what
becomes of an unfinished dump: tools/python/xen/xend/XendDomainInfo.py, dumpCore.
"""

import os
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from hypervisor.errors import Refused
from hypervisor.toolstack.records.newfile import sync_folder

MAGIC = 0xF00FEBED
MAGIC_HVM = 0xF00FEBEE
FOLDER = "/var/xen/dump"  # in domain 0
PAGE_BYTES = 4096
CONTEXT_BYTES = 5168  # sizeof(vcpu_guest_context_t), x86_64

_HEADER = struct.Struct("<6I")
_FIRST_FRAME = 0x10000  # where the model places a domain's memory: judgement
_INDEX_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class CoreHeader:
    """The header of a core dump."""

    is_hvm: bool
    vcpus: int
    pages: int
    contexts_at: int
    index_at: int
    pages_at: int


def core_name(unix_ns: int, name: str, domid: int) -> str:
    """Return the name, below FOLDER, of a dump at this virtual time (UTC).

    A slash in a domain's name is written as %2F; the original fails there.
    """
    when = datetime.fromtimestamp(unix_ns // 1_000_000_000, UTC).strftime("%Y-%m%d-%H%M.%S")
    return f"{when}-{name.replace('/', '%2F')}.{domid}.core"


def header_of(vcpus: int, pages: int, *, is_hvm: bool = False) -> CoreHeader:
    """Return the header of a dump; its file is `pages_at + pages * 4096` bytes long."""
    index_at = _HEADER.size + vcpus * CONTEXT_BYTES
    pages_at = -(-(index_at + pages * 8) // PAGE_BYTES) * PAGE_BYTES
    return CoreHeader(is_hvm, vcpus, pages, _HEADER.size, index_at, pages_at)


def write_core(path: str | Path, vcpus: int, pages: int, *, is_hvm: bool = False) -> None:
    """Write a dump; all its pages are zeros and take no room on the disk.

    The file is called `<path>-incomplete` until it is complete, and keeps that name after an error.

    Raises: Refused, naming the path.
    """
    header = header_of(vcpus, pages, is_hvm=is_hvm)
    if header.pages_at >= 1 << 32:
        raise Refused(f"Failed to dump core: {path}: {pages} pages are too many for its header")
    unfinished = Path(f"{path}-incomplete")
    try:
        if Path(path).is_dir():
            raise Refused(f"Cannot dump core in a directory: {path}")
        for place in (Path(path), unfinished):
            if place.exists() and not place.is_file():
                raise Refused(f"Failed to dump core: {place}: it is not a regular file")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(unfinished, flags, 0o600)
        with os.fdopen(fd, "wb") as file:
            _write(file, header)
            file.flush()
            os.fsync(fd)
        unfinished.replace(path)
        sync_folder(Path(path).parent)
    except OSError as error:
        raise Refused(f"Failed to dump core: {path}: {error.strerror or error}") from error
    except ValueError as error:  # a NUL or half a surrogate in the path
        raise Refused(f"Failed to dump core: {str(path)!r}: not a possible file name") from error


def _write(file: BinaryIO, header: CoreHeader) -> None:
    magic = MAGIC_HVM if header.is_hvm else MAGIC
    numbers = (header.vcpus, header.pages, header.contexts_at, header.index_at, header.pages_at)
    file.write(_HEADER.pack(magic, *numbers))
    file.write(bytes(header.vcpus * CONTEXT_BYTES))
    for first in range(0, header.pages, _INDEX_CHUNK):
        last = min(first + _INDEX_CHUNK, header.pages)
        frames = range(_FIRST_FRAME + first, _FIRST_FRAME + last)
        file.write(struct.pack(f"<{len(frames)}Q", *frames))
    file.truncate(header.pages_at + header.pages * PAGE_BYTES)
