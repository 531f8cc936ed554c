"""Wrong or damaged files: one line and an exit code, no traceback, bounded memory."""

import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.elf_files import Sec, Sym, elf
from tests.support.known_sessions import own, write_session
from tests.support.paths import TESTS
from xenprof.cli.opreport import main
from xenprof.profile.flat import ImageName
from xenprof.store.samplefile import encode

IMAGES = TESTS / "fixtures" / "images"
PROGRAM = ImageName("root", "/bin/program")
BUILDS = ["demo-dwarf2", "demo-dwarf5", "demo-gz", "demo-module.ko", "demo-stripped", "shapes"]
MIB = 1 << 20

fuzz = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
changes = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=8)), max_size=6
)
ends = st.one_of(st.just(1.0), st.floats(0, 1))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an archive with samples of one program, at offsets of its first symbols."""
    root = tmp_path_factory.mktemp("archive")
    counts = {offset: 1 + offset % 7 for offset in range(0x40, 0x1300, 3)}
    write_session(root / "var/lib/oprofile/samples/current", [own(PROGRAM, counts)])
    (root / "bin").mkdir()
    return root


@pytest.fixture(scope="module")
def sample_file(archive: Path) -> Path:
    return next(path for path in (archive / "var").rglob("CPU_CLK*"))


def spoilt(data: bytes, flips: list[tuple[float, bytes]], end: float) -> bytes:
    out = bytearray(data)
    for place, change in flips:
        at = int(place * len(out))
        out[at : at + len(change)] = change
    return bytes(out[: int(end * len(out))])


def report(archive: Path, *words: str) -> int:
    """Run opreport; an exception here would be a traceback for the user."""
    return main([f"archive:{archive}", "-o", os.devnull, *words])


@fuzz
@given(changes, ends)
def test_a_damaged_sample_file_never_gives_a_traceback(archive, sample_file, flips, end):
    good = sample_file.read_bytes()
    try:
        sample_file.write_bytes(spoilt(good, flips, end))
        codes = {report(archive, *words) for words in ((), ("-l",), ("-d",), ("-X", "-l"))}
    finally:
        sample_file.write_bytes(good)
    assert codes <= {0, 1}


@fuzz
@given(st.sampled_from(BUILDS), changes, ends)
def test_a_damaged_image_never_gives_a_traceback(archive, build, flips, end):
    image = archive / "bin" / "program"
    image.write_bytes(spoilt((IMAGES / build).read_bytes(), flips, end))
    codes = {report(archive, *words) for words in (("-lg",), ("-dg",), ("-X", "-ld"))}
    assert codes == {0}


# --- crafted files, each in a process of its own -----------------------------------------------

CODE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
from xenprof.cli.opreport import main
code = main(sys.argv[1:])
# Not ru_maxrss: that starts with the size of the process which this one was forked from.
with open("/proc/self/status") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
print(code, peak)
"""


def measured(archive: Path, *words: str) -> tuple[int, int, str]:
    """Return exit code, peak bytes and standard error."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, f"archive:{archive}", "-o", os.devnull, *words],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    code, peak = (int(word) for word in done.stdout.split())
    return code, peak * 1024, done.stderr


def filled(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def symbols_everywhere() -> bytes:
    """Return an image whose symbol and string tables are the whole file, 24 MiB of symbols."""
    size = 24 * MIB
    good = bytearray(elf([Sec(".text", 0x1000, 0x1000, 0x100)], [Sym("a", 0x1000)]))
    head = bytearray(size)
    head[: len(good)] = good
    (headers,) = struct.unpack_from("<Q", good, 40)
    for at in range(4096, size - 24, 24):
        struct.pack_into("<IBBHQQ", head, at, at % 4096, 0x12, 0, 1, 0x1000 + at, 4)
    for index in (2, 3):
        struct.pack_into("<QQ", head, headers + 64 * index + 24, 4096, size - 4096)
    return bytes(head)


def offsets_out_of_range() -> bytes:
    good = bytearray(elf([Sec(".text", 0x1000, 0x1000, 0x100)], [Sym("a", 0x1000)]))
    (headers,) = struct.unpack_from("<Q", good, 40)
    for index in range(1, 4):
        struct.pack_into("<QQ", good, headers + 64 * index + 24, 2**64 - 4096, 2**64 - 1)
    return bytes(good)


def with_debug(**sections: bytes) -> bytes:
    """Return an image with a function at 0x1000 and these sections of debugging information."""
    text = Sec(".text", 0x1000, 0x1000, 0x400)
    place, found, data = 0x1400, [text], b""
    for name, contents in sections.items():
        found.append(Sec(f".{name}", 0, place, len(contents), flags=0))
        place += len(contents)
        data += contents
    out = bytearray(elf(found, [Sym("a", 0x1000)]))
    out[0x1400 : 0x1400 + len(data)] = data
    return bytes(out)


def line_header(version: int, tables: bytes) -> bytes:
    rest = bytes([1, 1, 1, 251, 14, 13]) + bytes(12) + tables
    sizes = b"\x08\0" if version >= 5 else b""
    body = struct.pack("<H", version) + sizes + struct.pack("<I", len(rest)) + rest
    return struct.pack("<I", len(body) + 2 * MIB) + body


def endless_entries() -> bytes:
    """Return a DWARF 5 table of 2^60 directories that take no bytes each."""
    return with_debug(debug_line=line_header(5, b"\x00" + b"\xff" * 8 + b"\x0f") + filled(MIB))


def a_table_of_special_opcodes() -> bytes:
    """Return a program of 4 million rows."""
    start = b"\x00\x09\x02" + struct.pack("<Q", 0x1000)
    rows = b"\x20\x13\xf0" * (4 * MIB // 3)
    return with_debug(debug_line=line_header(2, b"\0\0") + start + rows)


def units_of_many_attributes() -> bytes:
    """Return units that all use one declaration of a hundred thousand attributes."""
    attributes = b"\x01\x11\x00" + b"\x3f\x19" * 100_000 + b"\0\0"
    unit = struct.pack("<IHIB", 8, 4, 0, 8) + b"\x01"
    return with_debug(
        debug_info=unit * 50_000, debug_abbrev=attributes,
        debug_line=(struct.pack("<IH", 4, 2) + b"\0\0") * 50_000,
    )  # fmt: skip


def an_endless_number() -> bytes:
    return with_debug(debug_line=line_header(2, b"\0\0") + b"\x02" + b"\xff" * (2 * MIB))


def noise_everywhere() -> bytes:
    return with_debug(
        debug_line=filled(MIB), debug_info=filled(MIB, 2), debug_abbrev=filled(MIB, 3),
        debug_aranges=filled(MIB, 4),
    )  # fmt: skip


HOSTILE_IMAGES: dict[str, Callable[[], bytes]] = {
    "tables over everything": symbols_everywhere,
    "offsets out of range": offsets_out_of_range,
    "entries of no size": endless_entries,
    "rows without end": a_table_of_special_opcodes,
    "attributes without end": units_of_many_attributes,
    "a number without end": an_endless_number,
    "noise": noise_everywhere,
}


@pytest.mark.parametrize("what", HOSTILE_IMAGES)
def test_a_hostile_image_costs_neither_time_nor_memory(what, archive):
    data = HOSTILE_IMAGES[what]()
    (archive / "bin" / "program").write_bytes(data)
    code, peak, errors = measured(archive, "-dg")
    assert (code, "Traceback" in errors) == (0, False)
    assert peak <= 4 * len(data) + 64 * MIB


def huge_slots(good: bytes) -> bytes:
    return good[:72] + struct.pack("<II", 0xFFFFFFFF, 0xFFFFFFFF) + good[80:]


HOSTILE_SAMPLES: dict[str, Callable[[bytes], bytes]] = {
    "absurd sizes": huge_slots,
    "as many keys as slots, one slot": lambda good: good[:72] + struct.pack("<II", 1, 2) + good[80:],
    "noise behind the header": lambda good: good[:104] + filled(8 * MIB),
    "full of keys": lambda good: encode(
        own_header(good), range(300_000), [1] * 300_000
    ),
}  # fmt: skip


def own_header(data: bytes):
    from xenprof.store.samplefile import decode

    return decode(data, "f")[0]


@pytest.mark.parametrize("what", HOSTILE_SAMPLES)
def test_a_hostile_sample_file_costs_neither_time_nor_memory(what, archive, sample_file):
    good = sample_file.read_bytes()
    shutil.copy(IMAGES / "demo-dwarf4", archive / "bin" / "program")
    data = HOSTILE_SAMPLES[what](good)
    try:
        sample_file.write_bytes(data)
        code, peak, errors = measured(archive, "-d")
    finally:
        sample_file.write_bytes(good)
    assert (code in (0, 1), "Traceback" in errors) == (True, False)
    assert peak <= 4 * len(data) + 64 * MIB
