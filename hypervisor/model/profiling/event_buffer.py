"""The event buffer of a guest's kernel: it is filled from the cpu buffers and read by the daemon.

Samples go cpu buffer -> event buffer (every 100 ms, or at a dump) -> daemon (at the watershed, or
at a dump). Each step costs cycles in this domain and can overflow; dropped samples are counted
where the real driver counts them.
Source: Linux 2.6.18 drivers/oprofile (buffer_sync.c, cpu_buffer.c, event_buffer.c).
"""

from collections.abc import Mapping, Sequence

from hypervisor.host import Samples
from hypervisor.model.codebook.work import Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.cpu.processtable import EVENTS
from hypervisor.model.profiling.cpu_buffers import (
    ENTRIES_PER_RECORD,
    SYNC_NS,
    CpuBuffers,
    event_entries,
)
from hypervisor.model.profiling.oprofilefs import OprofileFiles
from hypervisor.model.profiling.pending import Expander, pending_samples
from hypervisor.model.profiling.samplerow import SampleRow, samples_of

DAEMON = "/usr/bin/oprofiled"


class EventBuffer:
    """Fills and empties the buffers of one domain, and runs its daemon while they are open."""

    def __init__(self, guest: Guest, files: OprofileFiles, expander: Expander) -> None:
        self.is_open = False
        self._guest = guest
        self._clock = guest.execution.clock
        self._files = files
        self._expander = expander
        self._cpu = CpuBuffers(len(guest.domain.vcpus))
        self._kernel_thread = guest.table.kernel_thread(EVENTS)
        self._daemon = guest.spawn(DAEMON)[0]
        guest.table.end(self._daemon.tgid)  # until it is started
        self._daemon_is_busy = False
        self._dump_is_wanted = False
        self._sync_is_due = False
        self._syncing = 0  # samples that a running sync is moving
        self._reading = 0  # samples that the daemon is working on
        self._rows: list[SampleRow] = []
        self._fill = 0
        self._samples = 0
        self._lost = 0
        self._lost_entries = 0  # the lost samples in entries of the buffer
        self._read_samples: list[Samples] = []
        self._stats_base: dict[str, int] = {}  # the sums when profiling was last enabled

    # The daemon

    def open(self) -> None:
        """Open the buffer: the daemon is woken from now on."""
        self._cpu.opened(self._clock.now)
        self._guest.table.restart(self._daemon.tgid)
        self.is_open = True

    def close(self) -> None:
        """Close the buffer: the daemon is not woken any more; samples in the buffers stay there."""
        self._guest.table.end(self._daemon.tgid)
        self.is_open = False

    def expect_stacks(self) -> None:
        """Expect samples with callers from now on."""
        self._cpu.may_walk = True

    def read(self) -> Sequence[Samples]:
        """Return the samples that the daemon has processed since the last call."""
        samples, self._read_samples = self._read_samples, []
        return samples

    def dump(self) -> None:
        """Move all samples on to the daemon."""
        self._dump_is_wanted = True
        self._sync()

    # What became of the samples

    def pending(self) -> int:
        """Return the number of samples that the kernel or the daemon has not processed yet."""
        return self._cpu.samples + self._syncing + self._samples + self._reading

    def losses(self) -> Mapping[str, int]:
        """Return the number of samples lost since the start, by reason."""
        return {
            "cpu_buffer_overflow": sum(self._cpu.lost),
            "event_buffer_overflow": self._lost,
        }

    def stats(self) -> Mapping[str, int]:
        """Return the files below stats/: the counts since `restart_stats`."""
        return {name: count - self._stats_base.get(name, 0) for name, count in self._sums().items()}

    def restart_stats(self) -> None:
        """Restart the counts (oprofile_reset_stats at every start)."""
        self._stats_base = self._sums()

    def _sums(self) -> dict[str, int]:
        sums = {
            "sample_lost_no_mm": 0,
            "sample_lost_no_mapping": 0,
            "event_lost_overflow": self._lost_entries,
            "bt_lost_no_mapping": 0,
        }
        for vcpu, received in enumerate(self._cpu.received):
            sums[f"cpu{vcpu}/sample_received"] = received
            sums[f"cpu{vcpu}/sample_lost_overflow"] = self._cpu.lost[vcpu]
            sums[f"cpu{vcpu}/backtrace_aborted"] = 0
        return sums

    # The way of a sample

    def room(self, vcpu_id: int) -> int:
        """Return the number of free slots of a cpu buffer."""
        return self._cpu.room(vcpu_id, self._files.cpu_buffer_size, self._clock.now)

    def add(self, vcpu_id: int, rows: list[SampleRow]) -> None:
        """Add samples to a cpu buffer, and have them moved on by a sync."""
        now = self._clock.now
        is_filled = self._cpu.add(vcpu_id, rows, self._files.cpu_buffer_size, now)
        if is_filled and not self._sync_is_due:
            self._sync_is_due = True
            self._clock.schedule(now + SYNC_NS, self._sync_timer)

    def _sync_timer(self, _: object) -> None:
        self._sync_is_due = False
        self._sync()

    def _sync(self) -> None:
        """Move the cpu buffers into the event buffer, as work of a kernel thread."""
        if self._guest.domain.dying:
            return
        rows = self._cpu.take()
        self._syncing += samples_of(rows)
        parts = self._guest.parts(("oprofile_sync_sample", max(self._cpu.frames_of(rows), 1)))
        self._guest.run(Work(parts, self._synced, rows, task=self._kernel_thread))

    def _synced(self, work: Work[list[SampleRow]]) -> None:
        rows = work.arg
        samples = samples_of(rows)
        entries = self._cpu.event_entries_of(rows)
        if self._fill + entries <= self._files.buffer_size:
            self._rows += rows
            self._fill += entries
            self._samples += samples
        else:
            for row in rows:
                self._store(row)
        self._syncing -= samples
        self._wake_daemon()

    def _store(self, row: SampleRow) -> None:
        """Store the samples of a row that fit."""
        each = event_entries(row)
        kept = row.first((self._files.buffer_size - self._fill - ENTRIES_PER_RECORD) // each)
        lost = row.samples - kept.samples
        self._lost += lost
        self._lost_entries += each * lost
        if kept.samples:
            self._rows.append(kept)
            self._fill += each * kept.samples + ENTRIES_PER_RECORD
            self._samples += kept.samples
            self._wake_daemon()  # at the watershed, not after all rows

    def _wake_daemon(self) -> None:
        """Wake the daemon if the watershed is reached or a dump is wanted."""
        if self._daemon_is_busy or not self.is_open:
            return
        watershed = self._files.buffer_size - self._files.buffer_watershed
        is_due = self._fill >= watershed or self._dump_is_wanted
        if not self._syncing:  # otherwise the dump needs samples that are still being moved
            self._dump_is_wanted = False
        if not is_due or not self._rows:
            return
        self._daemon_is_busy = True
        rows, self._rows = self._rows, []
        self._reading, self._samples, self._fill = self._samples, 0, 0
        frames = self._cpu.frames_of(rows)
        parts = self._guest.parts(("oprofiled_wakeup", 1), ("oprofiled_sample", frames))
        self._guest.run(Work(parts, self._worked_off, rows, task=self._daemon))

    def _worked_off(self, work: Work[list[SampleRow]]) -> None:
        self._daemon_is_busy = False
        self._reading = 0
        self._read_samples += pending_samples(self._expander, work.arg)
        self._wake_daemon()
