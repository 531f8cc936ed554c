"""Writes the daemon's log, `samples/oprofiled.log`, and the statistics lines in it.

Source: oprofile daemon/opd_stats.c (0.9.9), opd_print_stats.
"""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from hypervisor.ownfiles import opener
from xenprof.oprofiled.attribution import NO_KERNEL_IMAGE, NO_MAPPING, NO_MM, UNKNOWN_EVENT
from xenprof.oprofiled.writer import STORE_WRITE_FAILED

_PER_CPU = (
    ("sample_lost_overflow", "Nr. samples lost cpu buffer overflow"),
    ("sample_lost_task_exit", "Nr. samples lost task exit"),
    ("sample_received", "Nr. samples received"),
    ("backtrace_aborted", "Nr. backtrace aborted"),
    ("sample_invalid_eip", "Nr. samples lost invalid pc"),
)


MAX_BYTES = 4 << 20
"""A log that is longer becomes `oprofiled.log.1`, in place of the one before; judgement."""


class LogFile:
    """Appends lines to a log. A log that cannot be written does not stop profiling."""

    def __init__(self, path: Path) -> None:
        """The directory of `path` need not exist yet."""
        self._path = path

    def moved(self, path: Path) -> None:
        """Go on in another file: its directory has been moved there."""
        self._path = path

    def write(self, line: str) -> None:
        """Append a line, if it can be written."""
        try:
            with open(self._path, "a", encoding="utf-8", opener=opener) as file:
                file.write(f"{line}\n")
                is_full = file.tell() > MAX_BYTES
            if is_full:
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        except OSError:
            return


def clock_text(unix_seconds: int) -> str:
    """Return a time as C's ctime writes it, in UTC."""
    return time.asctime(time.gmtime(unix_seconds))


def statistics_lines(
    unix_seconds: int,
    *,
    dumps: int,
    samples: int,
    kernel_samples: int,
    lost: Mapping[str, int],
    driver: Mapping[str, int],
) -> Iterator[str]:
    """Yield the daemon's statistics.

    `lost` are the daemon's own losses by reason, `driver` the files below /dev/oprofile/stats.
    """

    def with_driver(name: str, reason: str) -> int:
        return driver[name] + lost.get(reason, 0) if name in driver else -1

    yield ""
    yield clock_text(unix_seconds)
    yield ""
    yield "-- OProfile Statistics --"
    yield f"Nr. sample dumps: {dumps}"
    yield f"Nr. non-backtrace samples: {samples}"
    yield f"Nr. kernel samples: {kernel_samples}"
    yield "Nr. lost samples (no kernel/user): 0"
    yield f"Nr. lost kernel samples: {lost.get(NO_KERNEL_IMAGE, 0)}"
    yield f"Nr. incomplete code structs: {lost.get(UNKNOWN_EVENT, 0)}"
    yield (
        "Nr. samples lost due to sample file open failure: " + str(lost.get(STORE_WRITE_FAILED, 0))
    )
    yield "Nr. samples lost due to no permanent mapping: 0"
    yield f"Nr. samples lost due to buffer overflow: {driver.get('event_lost_overflow', -1)}"
    yield f"Nr. samples lost due to no mapping: {with_driver('sample_lost_no_mapping', NO_MAPPING)}"
    skipped = driver.get("bt_lost_no_mapping", -1)
    yield f"Nr. backtraces skipped due to no file mapping: {skipped}"
    yield f"Nr. samples lost due to no mm: {with_driver('sample_lost_no_mm', NO_MM)}"
    cpu = 0
    while any(name.startswith(f"cpu{cpu}/") for name in driver):
        yield f"---- Statistics for cpu : {cpu}"
        for name, text in _PER_CPU:
            if f"cpu{cpu}/{name}" in driver:
                yield f"{text}: {driver[f'cpu{cpu}/{name}']}"
        cpu += 1
