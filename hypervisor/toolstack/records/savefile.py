"""Writes and reads the file of `xm save` and `xm restore`.

Layout, little endian but for the length of the configuration: the tag `LinuxGuestRecord`, that
length, the domain's configuration as sxp text, the page count, the list of the frames that hold
the guest's P2M table, batches of up to 1024 pages (count, a word of type and pfn for each page,
the pages), a count of 0, the number and the list of the pfns that were not there at the end,
the context of vcpu 0 and the shared-info page.
Source: tools/python/xen/xend/XendCheckpoint.py and tools/libxc/xc_linux_save.c (3.0.3, x86_64).

A page of a modelled guest holds zeros, so pages are holes: the file is as long as the real one
but takes little space. The model's state of the guest is kept in the first pages, with a digest
over everything that matters. Pages are in the order of their pfns; the original permutes them.
"""

import errno
import hashlib
import json
import os
import stat
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hypervisor.errors import Refused
from hypervisor.toolstack.records.newfile import check_place, new_file

TAG = b"LinuxGuestRecord"
PAGE_BYTES = 4096
BATCH_PAGES = 1024  # xc_linux_save.c, MAX_BATCH_SIZE
MAX_PAGES = 16 * 1024 * 1024  # XendCheckpoint.py, restore: more is `out of range`
MAX_CONFIG_BYTES = 1 << 20  # judgement; a domain with many devices needs a few KiB
MAX_STATE_BYTES = 64 << 20  # judgement
MAX_RANGES = 65_536  # of absent pfns; judgement: limits what is read from a damaged file

_WORD = np.dtype("<u8")
_WORDS_PER_FRAME = PAGE_BYTES // _WORD.itemsize
_PFN_MASK = (1 << 28) - 1  # below the four bits of the page's type
_INVALID_TYPE = 0xF  # XTAB
_CONTEXT_BYTES = 5168  # sizeof(vcpu_guest_context_t), x86_64
_CONTEXT_RDX_AT = 616  # the frame of the suspend record
_CONTEXT_CR3_AT = 5008
_CHUNK_BYTES = 1 << 20  # read at a time from pages that are not holes
_STATE_MAGIC = b"xenprof guest 1\0"
_STATE_HEAD = struct.Struct("<16sQ32s")  # magic, bytes of JSON that follow, SHA-256

Range = tuple[int, int]  # the first pfn and how many
Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class SavedImage:
    """A guest's memory. `state` is any value that JSON can hold, with texts as keys."""

    pages: int  # present pages, at least 1
    absent_pfns: tuple[Range, ...]  # ballooned out; given in any order, kept merged
    state: Mapping[str, object]

    def __post_init__(self) -> None:
        """Sort and merge the ranges.

        Raises: ValueError for ranges that are empty, overlap or lie outside the memory.
        """
        merged: list[Range] = []
        for first, count in sorted(self.absent_pfns):
            end = sum(merged[-1]) if merged else 0
            if count < 1 or first < end:
                raise ValueError(f"absent pfns {first}+{count}: empty, negative or overlapping")
            if merged and first == end:
                merged[-1] = (merged[-1][0], merged[-1][1] + count)
            else:
                merged.append((first, count))
        object.__setattr__(self, "absent_pfns", tuple(merged))
        if self.pages < 1 or (merged and sum(merged[-1]) > self.total_pages):
            raise ValueError(f"{self.pages} pages do not fit around absent pfns {merged[-1:]}")

    @property
    def total_pages(self) -> int:
        """Return the page count of the file: present and absent pages."""
        return self.pages + sum(count for _, count in self.absent_pfns)

    def present(self) -> list[Range]:
        """Return the ranges of the present pfns, in order."""
        ranges, at = [], 0
        for first, count in (*self.absent_pfns, (self.total_pages, 0)):
            if first > at:
                ranges.append((at, first - at))
            at = first + count
        return ranges


@dataclass(frozen=True, slots=True)
class SavedDomain:
    """The contents of a file."""

    sxp_text: str
    image: SavedImage


def write_save(path: str | Path, sxp_text: str, image: SavedImage) -> None:
    """Write the file completely or not at all; an older file of that name stays until then.

    Raises: Refused, naming the path, if it cannot be written or the guest is too large.
    """
    try:
        config = sxp_text.encode()
        state = json.dumps(image.state, sort_keys=True, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise _cannot("write", path, "its configuration is not text") from error
    for size, limit, what in (
        (image.total_pages, MAX_PAGES, "pages of memory"),
        (len(config), MAX_CONFIG_BYTES, "bytes of configuration"),
        (len(state), MAX_STATE_BYTES, "bytes of guest state"),
        (len(image.absent_pfns), MAX_RANGES, "gaps in its memory"),
        (_STATE_HEAD.size + len(state), image.pages * PAGE_BYTES, "bytes of state in its memory"),
    ):
        if size > limit:
            raise _cannot(
                "write", path, f"the domain has {size} {what}, at most {limit} can be saved"
            )
    digest = _digest(config, image.total_pages, image.absent_pfns, state)
    contents = _STATE_HEAD.pack(_STATE_MAGIC, len(state), digest) + state
    try:
        with new_file(path) as fd:
            _write(fd, config, image, contents)
    except OSError as error:
        raise _cannot("write", path, error.strerror or str(error)) from error


def check_save(path: str | Path) -> None:
    """Check that a file can be written there, before a guest is suspended for it.

    Raises: Refused, naming the path.
    """
    try:
        check_place(path)
    except OSError as error:
        raise _cannot("write", path, error.strerror or str(error)) from error


def _write(fd: int, config: bytes, image: SavedImage, contents: bytes) -> None:
    """Write an empty file; `contents` are the bytes of the first pages, the others are holes."""
    present = image.present()
    frames = -(-image.total_pages // _WORDS_PER_FRAME)
    # Nothing reads the P2M frames of a modelled guest, so the first pages stand for them.
    first = np.concatenate(list(islice(_pfn_batches(present), -(-frames // BATCH_PAGES))))
    at = _put(fd, TAG + struct.pack(">I", len(config)) + config, 0)
    at = _put(fd, struct.pack("<Q", image.total_pages), at)
    at = _put(fd, np.resize(first, frames).tobytes(), at)
    for pfns in _pfn_batches(present):
        at = _put(fd, struct.pack("<I", len(pfns)) + pfns.tobytes(), at)
        size = len(pfns) * PAGE_BYTES
        if contents:
            _put(fd, contents[:size], at)
            contents = contents[size:]
        at += size
    at = _put(fd, struct.pack("<II", 0, image.total_pages - image.pages), at)
    for pfns in _pfn_batches(image.absent_pfns):
        at = _put(fd, pfns.tobytes(), at)
    _put(fd, _context(present[0][0]) + bytes(PAGE_BYTES), at)


def _context(pfn: int) -> bytes:
    """Return a vcpu's context: zeros except for two frames that xc_linux_restore would check."""
    context = bytearray(_CONTEXT_BYTES)
    struct.pack_into("<Q", context, _CONTEXT_RDX_AT, pfn)
    struct.pack_into("<Q", context, _CONTEXT_CR3_AT, pfn << 12)
    return bytes(context)


def _pfn_batches(ranges: Sequence[Range]) -> Iterator[Words]:
    """Yield the pfns of the ranges in arrays of 1024; the last may be shorter."""
    pieces: list[Words] = []
    room = BATCH_PAGES
    for first, count in ranges:
        end = first + count
        while first < end:
            take = min(room, end - first)
            pieces.append(np.arange(first, first + take, dtype=_WORD))
            first += take
            room -= take
            if not room:
                yield np.concatenate(pieces)
                pieces, room = [], BATCH_PAGES
    if pieces:
        yield np.concatenate(pieces)


def _digest(config: bytes, total: int, absent: Sequence[Range], state: bytes) -> bytes:
    digest = hashlib.sha256(struct.pack(">QQQ", len(config), total, len(absent)))
    for part in (config, np.array(absent, dtype=_WORD).tobytes(), state):
        digest.update(part)
    return digest.digest()


def _put(fd: int, data: bytes, at: int) -> int:
    """Write all of `data` at a position; return the position after it."""
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, at)
        at += written
        view = view[written:]
    return at


def read_save(path: str | Path) -> SavedDomain:
    """Read and check a file; the pages themselves are skipped.

    Raises: Refused, naming the path and what is wrong with the file.
    """
    try:
        # Without O_NONBLOCK, opening a FIFO would wait for a writer.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        raise _cannot("read", path, error.strerror or str(error)) from error
    except ValueError as error:
        raise _cannot("read", path, "it is not a possible file name") from error
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise _cannot("read", path, "it is not a regular file")
        return _Reader(str(path), fd, status.st_size).read()
    except OSError as error:
        raise _cannot("read", path, error.strerror or str(error)) from error
    finally:
        os.close(fd)


class _Reader:
    """Reads an open file once, from start to end."""

    def __init__(self, path: str, fd: int, size: int) -> None:
        self._path = path
        self._fd = fd
        self._size = size
        self._at = 0
        self._contents = bytearray()  # of the first pages, up to the end of the state
        self._wanted = _STATE_HEAD.size
        self._digest = b""

    def read(self) -> SavedDomain:
        """Return the contents of the file."""
        tag = self._take(len(TAG), "signature")
        if tag != TAG:
            raise self._bad(f"found {repr(tag)[1:]}, not {TAG.decode()!r}")
        config_bytes = self._number(">I", "config size")
        if config_bytes > MAX_CONFIG_BYTES:
            raise self._bad(f"config size out of range: {config_bytes} bytes")
        config = self._take(config_bytes, "config")
        total = self._number("<Q", "pfn count")
        if not 0 < total <= MAX_PAGES:
            raise self._bad(f"pfn count out of range: {total}, at most {MAX_PAGES}")
        frames = self._words(-(-total // _WORDS_PER_FRAME), "P2M frame list")
        if int(frames.max()) >= total:
            raise self._bad("P2M frame list: a frame beyond the end of the memory")
        absent = self._batches(total)
        self._absent_list(absent)
        first = absent[0][1] if absent and not absent[0][0] else 0
        tail = self._take(_CONTEXT_BYTES, "vcpu context")
        tail += self._take(PAGE_BYTES, "shared-info page")
        if tail != _context(first) + bytes(PAGE_BYTES):
            raise self._bad("its vcpu context or shared-info page is damaged")
        if self._at != self._size:
            raise self._bad(f"{self._size - self._at} bytes follow its end")
        state = bytes(self._contents[_STATE_HEAD.size :])
        if _digest(config, total, absent, state) != self._digest:
            raise self._bad("its checksum does not match, it is damaged")
        pages = total - sum(count for _, count in absent)
        sxp_text, values = self._decoded(config, state)
        return SavedDomain(sxp_text, SavedImage(pages, tuple(absent), values))

    def _batches(self, total: int) -> list[Range]:
        """Skip the pages, except for the state in the first; return the gaps between them."""
        absent: list[Range] = []
        last, count = -1, BATCH_PAGES
        while True:
            full = count == BATCH_PAGES
            count = self._number("<I", "batch size")
            if count > BATCH_PAGES or (count and not full):
                raise self._bad(f"batch of {count} pages where at most {BATCH_PAGES * full} can be")
            if not count:
                break
            words = self._words(count, "page types")
            pfns = (words & np.uint64(_PFN_MASK)).astype(np.int64)
            types = words >> np.uint64(28)
            steps = np.diff(pfns, prepend=last)
            if int(types.max()) >= _INVALID_TYPE:
                raise self._bad("a page of an impossible type")
            if int(steps.min()) < 1 or int(pfns[-1]) >= total:
                raise self._bad(f"pfns out of order or range after pfn {last}")
            for index in np.flatnonzero(steps > 1).tolist():
                before = int(steps[index]) - 1
                absent.append((int(pfns[index]) - before, before))
            last = int(pfns[-1])
            self._skip_pages(count)
            if len(absent) > MAX_RANGES:
                raise self._bad(f"more than {MAX_RANGES} gaps in its memory")
        if len(self._contents) < self._wanted:
            raise self._bad("its pages end before the guest's state does")
        if last + 1 < total:
            absent.append((last + 1, total - last - 1))
        return absent

    def _skip_pages(self, count: int) -> None:
        """Skip the pages of a batch; keep what belongs to the state."""
        end = self._at + count * PAGE_BYTES
        if end > self._size:
            raise self._bad(f"pages read: it ends at byte {self._size} of {end}")
        if not self._contents:
            self._contents += self._take(_STATE_HEAD.size, "guest state")
            magic, length, self._digest = _STATE_HEAD.unpack(self._contents)
            if magic != _STATE_MAGIC:
                raise self._bad("its memory holds no guest of this program")
            if length > MAX_STATE_BYTES:
                raise self._bad(f"guest state of {length} bytes, at most {MAX_STATE_BYTES}")
            self._wanted += length
        missing = min(self._wanted - len(self._contents), end - self._at)
        self._contents += self._take(missing, "guest state")
        self._check_hole(self._at, end)
        self._at = end

    def _check_hole(self, start: int, end: int) -> None:
        """Check that the pages between two positions are empty; holes are skipped unread."""
        while start < end:
            try:
                start = os.lseek(self._fd, start, os.SEEK_DATA)
            except OSError as error:
                if error.errno == errno.ENXIO:  # the hole reaches to the end of the file
                    return
                raise
            stop = min(end, os.lseek(self._fd, start, os.SEEK_HOLE))
            while start < stop:
                data = os.pread(self._fd, min(stop - start, _CHUNK_BYTES), start)
                if not data or data.count(0) != len(data):
                    raise self._bad(f"the page at byte {start} is damaged")
                start += len(data)

    def _absent_list(self, absent: list[Range]) -> None:
        """Check the list against the gaps between the pages."""
        expected = sum(count for _, count in absent)
        found = self._number("<I", "number of absent pfns")
        if found != expected:
            raise self._bad(f"{found} pfns are listed as absent, but {expected} have no page")
        for pfns in _pfn_batches(absent):
            if not np.array_equal(self._words(len(pfns), "absent pfns"), pfns):
                raise self._bad("a pfn that is listed as absent has a page")

    def _take(self, size: int, what: str) -> bytes:
        if size > self._size - self._at:
            raise self._bad(f"{what} read: it ends at byte {self._size} of {self._at + size}")
        data = os.pread(self._fd, size, self._at)
        if len(data) != size:
            raise self._bad(f"{what} read: it was cut while it was read")
        self._at += size
        return data

    def _number(self, layout: str, what: str) -> int:
        number: int
        (number,) = struct.unpack(layout, self._take(struct.calcsize(layout), what))
        return number

    def _words(self, count: int, what: str) -> Words:
        return np.frombuffer(self._take(count * _WORD.itemsize, what), dtype=_WORD)

    def _decoded(self, config: bytes, state: bytes) -> tuple[str, Mapping[str, object]]:
        try:
            text, value = config.decode(), json.loads(state)
        except (ValueError, RecursionError) as error:
            raise self._bad("config parse: it is not text, or its guest state not JSON") from error
        if not isinstance(value, dict):
            raise self._bad("its guest state is not an object")
        return text, value

    def _bad(self, what: str) -> Refused:
        return Refused(f"{_shown(self._path)}: not a valid guest state file: {what}")


def _cannot(verb: str, path: str | Path, why: str) -> Refused:
    return Refused(f"can't {verb} guest state file {_shown(path)}: {why}")


def _shown(path: str | Path) -> str:
    """Return a path as one printable line."""
    text = str(path)
    return text if text.isprintable() else repr(text)
