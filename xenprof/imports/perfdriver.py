"""Profiles this host by domain 0's perf, through the PMU that Xen gives to domain 0.

Never run on a machine with a PMU: it is made after Linux's arch/x86/xen/pmu.c and Xen's public
pmu.h, and tested with a program in the place of perf.
"""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from xenprof.errors import XenprofError
from xenprof.imports.ways import PMU_MODE

EVERYTHING: Final = "all"
"""Xen's word for: domain 0 profiles itself, the hypervisor and all guests."""
_FIELDS = "comm,tid,pid,cpu,time,event,period,ip,sym,symoff,dso,misc"
_GRACE_SECONDS = 30


class PerfFailed(XenprofError):
    """Says that perf, or Xen's PMU, does not do what is needed."""


def sampled(seconds: float, hertz: int, root: Path = Path("/"), program: str = "perf") -> bytes:
    """Return the text of perf script for so many seconds of all pcpus. Raises: PerfFailed."""
    with _mode(root / PMU_MODE), tempfile.TemporaryDirectory(prefix="xenprof-perf-") as folder:
        file = str(Path(folder, "perf.data"))
        record = ["record", "-q", "-a", "-e", "cycles", "-F", str(hertz), "-o", file]
        _run([program, *record, "--", "sleep", str(seconds)], seconds + _GRACE_SECONDS)
        return _run([program, "script", "-i", file, "-F", _FIELDS], 10 * _GRACE_SECONDS)


@contextmanager
def _mode(file: Path) -> Iterator[None]:
    """Let domain 0 profile everything inside the block; put the mode back after it."""
    try:
        before = file.read_text("ascii").strip()
        file.write_text(EVERYTHING)
    except (OSError, ValueError) as error:
        raise PerfFailed(f"{file}: {error}") from None
    try:
        yield
    finally:
        file.write_text(before)


def _run(command: list[str], seconds: float) -> bytes:
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PerfFailed(f"{command[0]} {command[1]}: {error}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "backslashreplace").strip().splitlines()
        raise PerfFailed(f"{command[0]} {command[1]}: {said[-1] if said else done.returncode}")
    return done.stdout
