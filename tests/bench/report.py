"""Benchmark of a large report: `opreport -l` over a million keys."""

import os
import random
import tempfile
from pathlib import Path

from hypervisor.elf import ElfSymbol, write_elf
from tests.bench.programs import program, run_quietly
from tests.bench.table import Row, repeat
from tests.golden.opreport.sessions import MTIME, own, write_session
from xenprof.profile import ImageName

RUNS = 5
IMAGES = 5
SYMBOLS = 4000
SYMBOL_BYTES = 200
KEYS = 200_000
TEXT = 0x400000
OPREPORT_SECONDS = 0.67
"""The real opreport 1.5 on this session; recorded on an equal machine, not measured here."""


def run() -> list[Row]:
    """Return wall seconds of the whole process."""
    with tempfile.TemporaryDirectory(prefix="xenprof-bench-") as folder:
        _write(Path(folder))
        command = (program("opreport"), f"archive:{folder}", "-l")
        seconds = repeat(RUNS, lambda: run_quietly(*command))
    name = f"opreport -l, {IMAGES * KEYS:,} keys"
    return [Row(name, "opreport, recorded", [OPREPORT_SECONDS], seconds, "s", limit=1.5)]


def _write(root: Path) -> None:
    """Write an archive: images full of symbols, and one sample file for each."""
    draw = random.Random(1)
    files = []
    for number in range(IMAGES):
        image = ImageName("root", f"/usr/bin/program{number}")
        size = SYMBOLS * SYMBOL_BYTES
        symbols = [
            ElfSymbol(f"function_{number}_{index}", TEXT + SYMBOL_BYTES * index, SYMBOL_BYTES)
            for index in range(SYMBOLS)
        ]
        data = write_elf(symbols, text_address=TEXT, text_size=size, text_offset=0x1000)
        path = root / image.path.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (MTIME, MTIME))
        offsets = draw.sample(range(0x1000, 0x1000 + size), KEYS)
        files.append(own(image, {offset: draw.randrange(1, 1000) for offset in offsets}))
    write_session(root / "var" / "lib" / "oprofile" / "samples" / "current", files)
