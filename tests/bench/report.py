"""Benchmark of large reports: a million keys, and thousands of files of one program."""

import os
import random
import subprocess
import tempfile
from pathlib import Path

from hypervisor.elf import ElfSymbol, write_elf
from tests.bench.programs import program, run_quietly
from tests.bench.table import Row, repeat
from tests.support.known_sessions import MTIME, own, write_session
from xenprof.profile.flat import ImageName

RUNS = 9
IMAGES = 5
SYMBOLS = 4000
SYMBOL_BYTES = 256
KEYS = 200_000
TEXT = 0x400000
THREADS = 2000
THREAD_KEYS = 20

# The real opreport 1.5 on such sessions; recorded on an equal machine, not measured here.
SYMBOLS_SECONDS = 0.673
DETAILS_SECONDS = 2.06
THREADS_SECONDS = 2.31
THREADS_SYMBOLS_SECONDS = 2.39
SYMBOLS_MIB = 28
DETAILS_MIB = 210
MOST_MIB = 100


def run() -> list[Row]:
    """Return wall seconds of whole processes, and their peak memory."""
    with tempfile.TemporaryDirectory(prefix="xenprof-bench-") as folder:
        keys, threads = Path(folder, "keys"), Path(folder, "threads")
        _write(keys)
        _write_threads(threads)
        by_tgid = (f"archive:{threads}", "-m", "tgid")
        return [
            *_measure(f"-l, {IMAGES * KEYS:,} keys", (f"archive:{keys}", "-l"),
                      SYMBOLS_SECONDS, 0.67, SYMBOLS_MIB),
            *_measure(f"-d, {IMAGES * KEYS:,} keys", (f"archive:{keys}", "-d"),
                      DETAILS_SECONDS, 2.0, DETAILS_MIB),
            *_measure(f"-m tgid, {THREADS} files", by_tgid, THREADS_SECONDS, 0.5),
            *_measure(f"-l -m tgid, {THREADS} files", (*by_tgid, "-l"),
                      THREADS_SYMBOLS_SECONDS, 0.5),
        ]  # fmt: skip


def _measure(
    name: str, words: tuple[str, ...], theirs: float, limit: float, their_mib: float | None = None
) -> list[Row]:
    command = (program("opreport"), *words)
    seconds = repeat(RUNS, lambda: run_quietly(*command))
    rows = [Row(f"opreport {name}", "opreport, recorded", [theirs], seconds, "s", limit=limit)]
    if their_mib is not None:
        size = _peak_mib(command)
        most = MOST_MIB if "-l" in words else None
        rows.append(
            Row(f"opreport {name}", "opreport, recorded", [their_mib], [size], "MiB", limit=most)
        )
    return rows


_PEAK = """
import resource, subprocess, sys
quiet = subprocess.DEVNULL
subprocess.run(sys.argv[1:], stdout=quiet, stderr=quiet, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def _peak_mib(command: tuple[str, ...]) -> float:
    """Return the largest resident size of a process.

    A small process starts it: the peak of a process includes that of the one that it was
    forked from.
    """
    done = subprocess.run(
        [program("python"), "-c", _PEAK, *command], stdout=subprocess.PIPE, text=True, check=True
    )
    return int(done.stdout) / 1024


def _write_threads(root: Path) -> None:
    """Write an archive with a small file for each thread of one program."""
    draw = random.Random(2)
    image = ImageName("root", "/usr/bin/program")
    _write_image(root, image, 0)
    files = []
    for thread in range(THREADS):
        offsets = draw.sample(range(0x1000, 0x1000 + SYMBOLS * SYMBOL_BYTES), THREAD_KEYS)
        counts = {offset: draw.randrange(1, 1000) for offset in offsets}
        files.append(own(image, counts, tgid=1000 + thread // 100, tid=1000 + thread))
    write_session(root / "var" / "lib" / "oprofile" / "samples" / "current", files)


def _write_image(root: Path, image: ImageName, number: int) -> None:
    symbols = [
        ElfSymbol(f"function_{number}_{index}", TEXT + SYMBOL_BYTES * index, SYMBOL_BYTES)
        for index in range(SYMBOLS)
    ]
    size = SYMBOLS * SYMBOL_BYTES
    data = write_elf(symbols, text_address=TEXT, text_size=size, text_offset=0x1000)
    path = root / image.path.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (MTIME, MTIME))


def _write(root: Path) -> None:
    """Write an archive: images full of symbols, and one sample file for each."""
    draw = random.Random(1)
    files = []
    for number in range(IMAGES):
        image = ImageName("root", f"/usr/bin/program{number}")
        _write_image(root, image, number)
        offsets = draw.sample(range(0x1000, 0x1000 + SYMBOLS * SYMBOL_BYTES), KEYS)
        files.append(own(image, {offset: draw.randrange(1, 1000) for offset in offsets}))
    write_session(root / "var" / "lib" / "oprofile" / "samples" / "current", files)
