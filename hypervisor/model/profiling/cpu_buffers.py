"""The cpu buffers of a guest's oprofile driver: what fits between two syncs, and what is lost.

Source: Linux 2.6.18 drivers/oprofile/cpu_buffer.c. A sample takes an entry, a change of context
another (judgement: one for each row); with call stacks a mark and each caller take entries too.
"""

from collections.abc import Sequence

from hypervisor.model.cpu.execution import COUNT_NS
from hypervisor.model.profiling.samplerow import SampleRow, samples_of

SYNC_NS = 100_000_000  # DEFAULT_TIMER_EXPIRE, HZ / 10
ENTRIES_PER_SAMPLE = 2  # pc and counter, in the event buffer
ENTRIES_PER_RECORD = 5  # escapes at a change of task, mode or domain (judgement: one change)


def cpu_entries(row: SampleRow) -> int:
    """Return the number of entries that each sample of a row takes in a cpu buffer."""
    callers = row.callers
    return callers + 2 if callers else 1


def event_entries(row: SampleRow) -> int:
    """Return the number of entries that each sample of a row takes in the event buffer."""
    return ENTRIES_PER_SAMPLE * cpu_entries(row)


class CpuBuffers:
    """The buffers of a guest, one for each vcpu. `received` and `lost` count their samples."""

    def __init__(self, vcpus: int) -> None:
        self.may_walk = False  # samples may have stacks, so each row is looked at
        self.rows: list[list[SampleRow]] = [[] for _ in range(vcpus)]
        self.received = [0] * vcpus
        self.lost = [0] * vcpus
        self._fill = [0] * vcpus
        self._filled_ns = [0] * vcpus  # when samples were last added
        self._moved_ns = [0] * vcpus  # samples taken before have left the cpu buffer

    @property
    def samples(self) -> int:
        """Return the number of samples in all buffers."""
        return sum(samples_of(rows) for rows in self.rows)

    def frames_of(self, rows: Sequence[SampleRow]) -> int:
        """Return the number of samples and callers of some rows, each of which costs work."""
        if not self.may_walk:
            return samples_of(rows)
        return sum(row.samples * (1 + row.callers) for row in rows)

    def event_entries_of(self, rows: Sequence[SampleRow]) -> int:
        """Return the number of entries that some rows take in the event buffer."""
        if not self.may_walk:
            return samples_of(rows) * ENTRIES_PER_SAMPLE + ENTRIES_PER_RECORD * len(rows)
        entries = sum(row.samples * event_entries(row) for row in rows)
        return entries + ENTRIES_PER_RECORD * len(rows)

    def opened(self, now_ns: int) -> None:
        """Start the time of all buffers anew, as a daemon begins to read."""
        self._filled_ns = [now_ns] * len(self._filled_ns)
        self._moved_ns = list(self._filled_ns)

    def room(self, vcpu_id: int, size: int, now_ns: int) -> int:
        """Return the free slots of a cpu buffer of `size` slots.

        Here samples arrive in lots of up to COUNT_NS, in several calls at the same instant. The
        real driver gets them one by one and empties its buffer at every sync since `_moved_ns`, so
        the room of all these syncs is available.
        """
        since_ns = now_ns - self._moved_ns[vcpu_id]
        syncs = max(1, -(-min(since_ns, COUNT_NS + SYNC_NS) // SYNC_NS))
        return (size - 1) * syncs - self._fill[vcpu_id]

    def add(self, vcpu_id: int, rows: list[SampleRow], size: int, now_ns: int) -> bool:
        """Add those of `rows` that fit; return whether the buffer holds anything then."""
        mine = self.rows[vcpu_id]
        samples = samples_of(rows)
        self.received[vcpu_id] += samples
        wanted = samples + len(rows)
        if self.may_walk:
            wanted = sum(row.samples * cpu_entries(row) for row in rows) + len(rows)
        if wanted <= self.room(vcpu_id, size, now_ns):
            mine += rows
            self._fill[vcpu_id] += wanted
        else:
            for row in rows:
                each = cpu_entries(row)
                kept = row.first((self.room(vcpu_id, size, now_ns) - 1) // each)
                self.lost[vcpu_id] += row.samples - kept.samples
                if kept.samples:
                    mine.append(kept)
                    self._fill[vcpu_id] += kept.samples * each + 1
        self._filled_ns[vcpu_id] = now_ns
        return bool(mine)

    def take(self) -> list[SampleRow]:
        """Take all rows out of the buffers, as a sync does."""
        rows = [row for mine in self.rows for row in mine]
        self.rows = [[] for _ in self.rows]
        self._fill = [0] * len(self._fill)
        self._moved_ns = list(self._filled_ns)
        return rows
