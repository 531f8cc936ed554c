"""The daemon of a domain: takes sample batches, attributes them, passes files to the store."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hypervisor.host import Module, Samples, Task
from hypervisor.samples import join
from hypervisor.telemetry import Mode
from xenprof.events import EventSetting, events
from xenprof.home import inside
from xenprof.oprofiled.attribution import Attributor, DaemonConfig, Image
from xenprof.oprofiled.histogram import Histogram
from xenprof.oprofiled.outcome import Balance
from xenprof.oprofiled.recorder import StackRecorder
from xenprof.oprofiled.tallies import Tallies, Told
from xenprof.oprofiled.writer import COUNT_OVERFLOW, STORE_WRITE_FAILED, SampleWriter
from xenprof.profile.flat import SampleFile, SampleHeader, SampleKey

_CHUNK_SAMPLES = 1 << 13
"""Batches are collected to this size: a call takes as long for 1 row as for 1000, and the longer
a batch, the more of its samples are equal."""
_FLUSH_ROWS = 1 << 20


class Oprofiled:
    """Turns batches into the sample files of a domain's current session.

    All methods run on one thread, which also writes the files.
    """

    def __init__(
        self,
        config: DaemonConfig,
        root: Path,
        writer: SampleWriter,
        modules: Callable[[], Sequence[Module]],
        tasks: Callable[[], Mapping[int, Task]],
    ) -> None:
        """`root` is the domain's root, from which the mtimes of images are read."""
        self._config = config
        self._root = root
        self._writer = writer
        self._attributor = Attributor(config, modules, tasks)
        self._batches: list[Samples] = []
        self._waiting = 0
        self._histogram = Histogram()
        self._headers: dict[tuple[Image, int], SampleHeader] = {}
        self._mtimes: dict[str, int] = {}
        self._lost: Counter[str] = Counter()
        self._reported: Counter[str] = Counter()
        self.taken = 0
        self.kernel_samples = 0
        """The number of samples with a kernel or hypervisor pc, for the daemon's statistics."""
        self.dumps = 0
        self.recorder: StackRecorder | None = None
        """The recorder of call stacks and arcs, if there is one."""
        self._tallies: Tallies | None = None

    def record_stacks(self, make: Callable[[Attributor], StackRecorder] | None) -> None:
        """Start recording call stacks, or stop (None)."""
        self._attribute()
        self.recorder = make(self._attributor) if make is not None else None

    def count_places(self, *, with_symbols: bool) -> None:
        """Count samples by image, and by function, from now on (see `told`)."""
        self._tallies = Tallies(
            self._attributor, self._config.domid, self._config.events, self._root,
            with_symbols=with_symbols,
        )  # fmt: skip

    def told(self) -> Told | None:
        """Return the samples counted since the last call; None if there are none."""
        if self._tallies is None:
            return None
        self._attribute()
        told = self._tallies.drain()
        return told if told.images else None

    def moved(self, root: Path) -> None:
        """Find the domain's files elsewhere from now on."""
        self._root = root
        if self._tallies is not None:
            self._tallies.moved(root)

    def take(self, samples: Samples) -> None:
        """Take samples, which are in the files after the next flush."""
        if not len(samples):
            return
        self.taken += len(samples)
        self.dumps += 1
        self._batches.append(samples)
        self._waiting += len(samples)
        if self._waiting >= _CHUNK_SAMPLES:
            self._attribute()
            if len(self._histogram) >= _FLUSH_ROWS:
                self._histogram.compact()
                if len(self._histogram) >= _FLUSH_ROWS // 2:
                    self.flush()
            elif self.recorder is not None and self.recorder.is_full():
                self.flush()

    def flush(self) -> None:
        """Write all samples taken so far."""
        self._attribute()
        files = []
        for group, offsets, counts in self._histogram.drain():
            place, counter, tgid, tid, cpu = self._attributor.unpack(group)
            event = self._config.events[counter]
            key = SampleKey(
                place.app, place.image.name, event.name, event.count, event.unit_mask,
                tgid, tid, cpu,
            )  # fmt: skip
            files.append(SampleFile(key, self._header(place.image, counter), offsets, counts))
        recorder = self.recorder
        if recorder is not None:
            files += recorder.arc_files(self._config.events, self._header)
            recorder.writer.write(recorder.drain(self._config.events, self._config.cpu_mhz))
        self._writer.write(files)

    def discard(self) -> None:
        """Give up samples that could not be written, after the session was reset or saved."""
        self._writer.discard()
        if self.recorder is not None:
            self.recorder.writer.discard()

    def balance(self) -> Balance:
        """Return the balance of the samples."""
        self._attribute()
        written = self._writer.outcome
        in_memory = self._histogram.samples + written.held
        return Balance(self.taken, written.stored, in_memory, self._all_lost())

    def new_losses(self) -> Mapping[str, int]:
        """Return the losses by reason that became known since the last call."""
        lost = self._all_lost()
        fresh = lost - self._reported
        self._reported = lost
        return fresh

    def _all_lost(self) -> Counter[str]:
        written = self._writer.outcome
        below = {STORE_WRITE_FAILED: written.lost, COUNT_OVERFLOW: written.excess}
        return self._lost + Counter(below)

    def _attribute(self) -> None:
        if not self._batches:
            return
        batch = join([samples.load() for samples in self._batches])
        self._batches, self._waiting = [], 0
        self.kernel_samples += int(batch.lengths[batch.mode != Mode.USER].sum())
        attributed = self._attributor.attribute(batch, with_stacks=self.recorder is not None)
        self._lost.update(attributed.lost)
        self._histogram.add(attributed.groups, attributed.offsets, attributed.rows.counts)
        if self._tallies is not None:
            self._tallies.add(attributed)
        if self.recorder is not None:
            self.recorder.add(attributed)

    def _header(self, image: Image, counter: int) -> SampleHeader:
        header = self._headers.get((image, counter))
        if header is None:
            config, event = self._config, self._config.events[counter]
            header = self._headers[image, counter] = SampleHeader(
                config.cpu_type, _number(config.cpu_type, event), event.unit_mask, event.count,
                image.is_kernel, config.cpu_mhz, self._mtime(image.file), image.name.start,
            )  # fmt: skip
        return header

    def _mtime(self, file: str) -> int:
        """Return the mtime of a file of the domain in whole seconds, 0 = unknown."""
        if not file:
            return 0
        mtime = self._mtimes.get(file)
        if mtime is None:
            try:
                mtime = int(inside(self._root, file).stat().st_mtime)
            except OSError:
                mtime = 0
            self._mtimes[file] = mtime
        return mtime


def _number(cpu_type: str, event: EventSetting) -> int:
    """Return the number of an event; the timer interrupt is event 0."""
    known = events(cpu_type).get(event.name)
    return known.number if known else 0
