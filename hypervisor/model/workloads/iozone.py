"""iozone: writes, rewrites, reads and rereads a file by records, and times each phase.

Source: iozone -i 0 -i 1 -i 2 -r RECORD -s FILE, with -e the times include fsync.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hypervisor.model.workloads.base import Site
from hypervisor.model.workloads.fileio import IOZONE
from hypervisor.model.workloads.filework import FileWork
from hypervisor.model.workloads.places import IOZONE as PLACE

KIB_LINES: Final = 16


def missed_lines(l2_kib: int, file_kib: int, record_kib: int) -> tuple[int, int]:
    """Return the lines from memory for 1 KiB read and written.

    A file that is larger than the cache is fetched from memory when it is read; when it is written,
    its lines are fetched and given back. The program's own buffer, of a record, leaves the cache as
    it grows from a quarter of it to all of it (judgement: the knee was seen from half of it on).
    """
    outgrown = min(max(record_kib * 4 - l2_kib, 0), 3 * l2_kib)
    of_buffer = KIB_LINES * outgrown // (3 * l2_kib)
    of_file = KIB_LINES if file_kib > l2_kib else 0
    return of_file + 2 * of_buffer, 2 * of_file + of_buffer


class Phase:
    """What a phase has done in all its rounds."""

    def __init__(self) -> None:
        self.bytes = 0
        self.spent_ns = 0


class Iozone:
    """One process that goes through its phases, and begins again."""

    def __init__(
        self,
        site: Site,
        file_kib: int,
        record_kib: int,
        phases: Sequence[str],
        *,
        fsync: bool,
        memory_mib: int | None = None,
    ) -> None:
        """With `fsync`, phases that write end when all is on the disk (iozone -e)."""
        self._site = site
        memory_kib = 1024 + record_kib if memory_mib is None else memory_mib * 1024
        task = site.guest.spawn(IOZONE, working_set_kib=memory_kib)[0]
        lines = missed_lines(site.guest.execution.speeds.l2_kib, file_kib, record_kib)
        self._file = FileWork(site, task, PLACE.first, file_kib * 1024, "iozone_request", *lines)
        self._record_bytes = record_kib * 1024
        self._records = file_kib // record_kib
        self._phases = tuple(phases)
        self._fsync = fsync
        self._done = {phase: Phase() for phase in phases}
        self._at = 0  # the present phase
        self._began_ns = 0
        self._started_ns = 0
        self._rounds = 0

    def start(self) -> None:
        """Start after a random delay."""
        self._started_ns = self._site.clock.now
        delay_ns = self._site.stream.uniform(10_000_000)
        self._site.clock.schedule(self._site.clock.now + delay_ns, self._begin, None)

    def _begin(self, _: object) -> None:
        phase = self._phases[self._at]
        self._began_ns = self._site.clock.now
        is_random = phase.startswith("random")
        if "read" in phase:
            self._file.read(self._record_bytes, self._records, self._ended, is_random=is_random)
        else:
            self._file.write(
                self._record_bytes,
                self._records,
                self._wrote,
                is_random=is_random,
                is_new=phase == "write",
            )

    def _wrote(self) -> None:
        if self._fsync:
            self._file.flush(self._ended)
        else:
            self._ended()

    def _ended(self) -> None:
        """Note a phase, and begin the next."""
        done = self._done[self._phases[self._at]]
        done.bytes += self._records * self._record_bytes
        done.spent_ns += self._site.clock.now - self._began_ns
        self._at += 1
        if self._at == len(self._phases):
            self._at = 0
            self._rounds += 1
        if not self._site.domain.dying:
            self._begin(None)

    def results(self) -> Mapping[str, Any]:
        """Return the bytes and seconds of each phase that has ended; `rates` has their KB/s."""
        total_bytes = sum(one.bytes for one in self._done.values()) + self._file.done_bytes
        elapsed_ns = self._site.clock.now - self._started_ns
        found: dict[str, Any] = {
            "kind": "iozone",
            "bytes": total_bytes,
            "rounds": self._rounds,
            "kib_per_second": total_bytes * 1e9 / 1024 / elapsed_ns if elapsed_ns else 0.0,
        }
        for phase, one in self._done.items():
            found[f"{phase}_bytes"] = one.bytes
            found[f"{phase}_seconds"] = one.spent_ns / 1e9
        return found
