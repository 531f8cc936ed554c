"""Records the call stacks of a daemon's samples: arcs, full stacks, and their losses."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from hypervisor.samples import CallStack
from xenprof.events import EventSetting
from xenprof.oprofiled.arcs import ArcCounter
from xenprof.oprofiled.attribution import Attributed, Attributor, Image
from xenprof.oprofiled.outcome import Balance
from xenprof.oprofiled.stacks import Domains, StackCounter
from xenprof.oprofiled.stackwriter import StackWriter, with_times
from xenprof.oprofiled.writer import STORE_WRITE_FAILED
from xenprof.profile.flat import SampleFile, SampleHeader, SampleKey
from xenprof.profile.stacks import StackProfile

_FLUSH_ROWS = 1 << 20


class StackRecorder:
    """Does all of a daemon's work with stacks, on the daemon's thread."""

    def __init__(
        self,
        attributor: Attributor,
        stack: Callable[[int], CallStack],
        domid: int,
        domains: Domains,
        writer: StackWriter,
        start_unix_ns: int = 0,
    ) -> None:
        """`stack` returns the stack of a number in a batch; `domains` names the frames' domains."""
        self.writer = writer
        self.start_unix_ns = start_unix_ns
        self.until_unix_ns = start_unix_ns
        self._arcs = ArcCounter(attributor, stack, domid)
        self._stacks = StackCounter(attributor, stack, domid, domains)
        self._attributor = attributor
        self._lost: Counter[str] = Counter()
        self._taken = 0

    def add(self, found: Attributed) -> None:
        """Record the stacks of attributed samples."""
        self._taken += int(found.rows.counts.sum()) + sum(found.lost.values())
        self._lost.update(found.lost)
        self._stacks.add(found)
        self._arcs.add(found)

    def is_full(self) -> bool:
        """Return whether the stacks must be written to limit memory."""
        if self._arcs.rows + self._stacks.rows < _FLUSH_ROWS:
            return False
        self._arcs.compact()
        self._stacks.compact()
        return self._arcs.rows + self._stacks.rows >= _FLUSH_ROWS // 2

    def arc_files(
        self,
        events: Mapping[int, EventSetting],
        header: Callable[[Image, int], SampleHeader],
    ) -> list[SampleFile]:
        """Return the call-graph files of all counted arcs, and remove the counts."""
        files = []
        for caller, callee, rest, keys, counts in self._arcs.drain():
            counter, tgid, tid, cpu = self._attributor.unpack_rest(rest)
            event = events[counter]
            key = SampleKey(
                caller.app, caller.image.name, event.name, event.count, event.unit_mask,
                tgid, tid, cpu, callee.image.name,
            )  # fmt: skip
            head = replace(
                header(caller.image, counter),
                callee_is_kernel=callee.image.is_kernel,
                callee_anon_start=callee.image.name.start,
            )
            files.append(SampleFile(key, head, keys, counts))
        return files

    def drain(self, events: Mapping[int, EventSetting], mhz: float) -> StackProfile | None:
        """Return the counted stacks, None if there are none, and remove the counts."""
        profile = self._stacks.drain(events, mhz)
        if profile is None:
            return None
        return with_times(profile, self.start_unix_ns, self.until_unix_ns)

    def balance(self) -> Balance:
        """Return where the samples with stacks are; exact while nothing is being written."""
        written = self.writer.outcome
        lost = self._lost + Counter({STORE_WRITE_FAILED: written.lost})
        in_memory = self._stacks.samples + written.held
        return Balance(self._taken, written.stored, in_memory, lost)
