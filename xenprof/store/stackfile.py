"""Stores the full call stacks of a session in xenprof's own file, `stacks/stacks.xps`.

    magic "XPSTACKS", u32 version, u32 CRC-32 of the rest, u64 length of the rest
    rest: u32 sizes of the sections, then the sections:
      strings   u32 length of each, then all of them in UTF-8
      frames    u32 symbol, image, layer (0 user, 1 kernel, 2 hypervisor), domain, file, line
      types     u32 event, u32 unit mask, u64 period
      stacks    u32 length of each, then u32 frames, the outermost caller first
      values    u64 samples by stack and type
      lost      u32 reason, u32 zero, u64 samples
      times     f64 MHz, i64 start in Unix ns (-1: unknown), i64 duration in ns (-1: unknown)
      host      u32 string

Numbers are little-endian. oprofile's tools look at `{root}` and `{kern}` only and ignore it.
A merge reads the old file, adds, and replaces it by a rename.
"""

import struct
import zlib
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xenprof.disk import DISK, Disk
from xenprof.errors import CorruptSampleFile, StoreError, VersionMismatch
from xenprof.profile.stacks import Frame, Layer, SampleType, StackProfile
from xenprof.store.samplefile import write_file
from xenprof.store.sessiondir import STACKS

_FILE = "stacks.xps"
VERSION = 1
_MAGIC = b"XPSTACKS"
_HEAD = struct.Struct("<8sIIQ")
_SIZES = struct.Struct("<8I")  # strings, their bytes, frames, types, stacks, steps, lost, host
_TIMES = struct.Struct("<dqq")
_LAYERS = tuple(Layer)
_FRAME_FIELDS = 6
_MOST_SAMPLES = 2**63 - 1

U32 = npt.NDArray[np.uint32]


def stack_path(session: Path) -> Path:
    """Return the path of the stacks of a session (its directory)."""
    return session / STACKS / _FILE


def has_stacks(session: Path) -> bool:
    """Return whether stacks were recorded in a session."""
    return stack_path(session).is_file()


def read_stacks(session: Path) -> StackProfile | None:
    """Return the stacks of a session (its directory); None if none were recorded.

    They hold all samples of the session; `lost` are those noted with them (see `losses`).
    Raises: CorruptSampleFile, VersionMismatch, StoreError (cannot be read).
    """
    return _read(stack_path(session))


def merge(session: Path, profile: StackProfile, disk: Disk = DISK) -> None:
    """Add samples to a session's stacks; after an error the stacks are unchanged.

    Raises: StoreFull (no space), StoreError (cannot be written), and as `read_stacks`.
    """
    path = stack_path(session)
    old = _read(path)
    write_file(path, encode(profile if old is None else added([old, profile])), disk)


def added(parts: Sequence[StackProfile]) -> StackProfile:
    """Return the sum of profiles: each frame, type and stack once, in order of appearance."""
    frames: dict[Frame, int] = {}
    types: dict[SampleType, int] = {}
    stacks: dict[tuple[int, ...], int] = {}
    places = []
    for part in parts:
        codes = [frames.setdefault(frame, len(frames)) for frame in part.frames]
        for kind in part.types:
            types.setdefault(kind, len(types))
        places.append(
            [
                stacks.setdefault(tuple([codes[step] for step in stack]), len(stacks))
                for stack in part.stacks
            ]
        )
    values = np.zeros((len(stacks), len(types)), np.int64)
    for part, rows in zip(parts, places, strict=True):
        columns = [types[kind] for kind in part.types]
        where = np.array(rows, np.int64)[:, None], np.array(columns, np.int64)[None, :]
        np.add.at(values, where, part.values)
    lost: dict[str, int] = {}
    for part in parts:
        for reason, count in part.lost.items():
            lost[reason] = lost.get(reason, 0) + count
    start, duration = _times(parts)
    return StackProfile(
        tuple(frames), tuple(stacks), values, tuple(types),
        next((part.host for part in parts if part.host), ""),
        max((part.cpu_mhz for part in parts), default=0.0), start, duration, lost,
    )  # fmt: skip


def _times(parts: Sequence[StackProfile]) -> tuple[int | None, int | None]:
    known = [
        (part.start_unix_ns, part.start_unix_ns + part.duration_ns)
        for part in parts
        if part.start_unix_ns is not None and part.duration_ns is not None
    ]
    if not known:
        return None, None
    start = min(begin for begin, _ in known)
    return start, max(end for _, end in known) - start


# -- writing ---------------------------------------------------------------------------------


class _Strings:
    """Texts by number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))

    def encoded(self) -> list[bytes]:
        return [text.encode("utf-8", "surrogateescape") for text in self._numbers]


def encode(profile: StackProfile) -> bytes:
    """Return a complete file."""
    strings = _Strings()
    number = strings.number
    frames = [
        (
            number(frame.symbol), number(frame.image), _LAYERS.index(frame.layer),
            number(frame.domain), number(frame.file), frame.line,
        )
        for frame in profile.frames
    ]  # fmt: skip
    types = [(number(kind.event), kind.unit_mask, kind.period) for kind in profile.types]
    lost = [(number(reason), 0, count) for reason, count in sorted(profile.lost.items())]
    host = number(profile.host)
    texts = strings.encoded()
    joined = b"".join(texts)
    lengths = _words(map(len, profile.stacks))
    steps = _words(chain.from_iterable(profile.stacks))
    times = (
        -1 if value is None else value for value in (profile.start_unix_ns, profile.duration_ns)
    )
    rest = b"".join(
        [
            _SIZES.pack(
                len(texts), len(joined), len(frames), len(types), len(lengths), len(steps),
                len(lost), host,
            ),
            _words(map(len, texts)).tobytes(),
            joined,
            _words(chain.from_iterable(frames)).tobytes(),
            *(struct.pack("<IIQ", *row) for row in types),
            lengths.tobytes(),
            steps.tobytes(),
            np.ascontiguousarray(profile.values, "<u8").tobytes(),
            *(struct.pack("<IIQ", *row) for row in lost),
            _TIMES.pack(profile.cpu_mhz, *times),
        ]
    )  # fmt: skip
    return _HEAD.pack(_MAGIC, VERSION, zlib.crc32(rest), len(rest)) + rest


def _words(numbers: Iterable[int]) -> U32:
    return np.fromiter(numbers, "<u4")


# -- reading ---------------------------------------------------------------------------------


def _read(path: Path) -> StackProfile | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(str(path), f"{path}: {error.strerror}") from error
    return decode(data, path)


def decode(data: bytes, path: str | Path) -> StackProfile:
    """Return the profile in a file's bytes; `path` is for messages.

    Raises: CorruptSampleFile, VersionMismatch.
    """
    where = str(path)
    if len(data) < _HEAD.size + _SIZES.size or data[:8] != _MAGIC:
        raise CorruptSampleFile(where, f"{where}: not a file of call stacks")
    _, version, checksum, length = _HEAD.unpack_from(data)
    if version != VERSION:
        raise VersionMismatch(
            where, f"{where}: call stacks of version {version}; this program reads {VERSION}"
        )
    rest = memoryview(data)[_HEAD.size :]
    if length != len(rest) or checksum != zlib.crc32(rest):
        raise CorruptSampleFile(where, f"{where}: damaged: its checksum does not fit")
    try:
        return _decode(rest)
    except (ValueError, IndexError, struct.error):
        raise CorruptSampleFile(where, f"{where}: damaged: its parts do not fit") from None


def _decode(rest: memoryview) -> StackProfile:
    """Return the profile. Raises: ValueError, IndexError, struct.error."""
    texts, text_bytes, frames, types, stacks, steps, losts, host = _SIZES.unpack_from(rest)
    at = _SIZES.size

    def take(count: int, kind: str) -> npt.NDArray[np.int64]:
        nonlocal at
        found = np.frombuffer(rest, kind, count, at)  # ValueError if it is too short
        at += found.nbytes
        return found

    lengths = take(texts, "<u4")
    joined = take(text_bytes, "u1").tobytes()
    strings = [
        joined[end - length : end].decode("utf-8", "surrogateescape")
        for length, end in zip(
            lengths.tolist(), np.cumsum(lengths, dtype=np.int64).tolist(), strict=True
        )
    ]
    frame_rows = take(frames * _FRAME_FIELDS, "<u4").reshape(frames, _FRAME_FIELDS).tolist()
    type_rows = [_row(rest, at + 16 * index) for index in range(types)]
    at += 16 * types
    stack_lengths = take(stacks, "<u4").astype(np.int64)
    flat = take(steps, "<u4")
    values = take(stacks * types, "<u8").reshape(stacks, types)
    lost_rows = [_row(rest, at + 16 * index) for index in range(losts)]
    at += 16 * losts
    mhz, start, duration = _TIMES.unpack_from(rest, at)
    ends = np.cumsum(stack_lengths)
    if (int(ends[-1]) if stacks else 0) != steps or int(lengths.sum()) != text_bytes:
        raise ValueError
    if (steps and int(flat.max()) >= frames) or (values > _MOST_SAMPLES).any() or mhz != mhz:
        raise ValueError
    codes = list(range(frames))  # one object per frame, however many steps there are
    return StackProfile(
        tuple(
            Frame(strings[s], strings[i], _LAYERS[la], strings[d], strings[f], line)
            for s, i, la, d, f, line in frame_rows
        ),
        tuple(
            tuple(map(codes.__getitem__, flat[end - length : end].tolist()))
            for length, end in zip(stack_lengths.tolist(), ends.tolist(), strict=True)
        ),
        values.astype(np.int64),
        tuple(SampleType(strings[event], period, mask) for event, mask, period in type_rows),
        strings[host],
        mhz,
        None if start < 0 else start,
        None if duration < 0 else duration,
        {strings[reason]: count for reason, _, count in lost_rows},
    )


def _row(rest: memoryview, at: int) -> tuple[int, int, int]:
    first, second, third = struct.unpack_from("<IIQ", rest, at)
    return first, second, third
