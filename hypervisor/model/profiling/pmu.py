"""Performance counters: counts the events of executed segments, and their overflows.

A counter belongs to a logical processor and goes on across domains. Clock events follow the
elapsed time; all others follow the work done, so that a slower segment shows a lower IPC.
Segments are only noted when they are settled; `counting` counts many together in closed form.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.work import AnyWork, Parts
from hypervisor.model.domain.domain import Pcpu, Vcpu
from hypervisor.model.profiling.counterconfig import CounterConfig
from hypervisor.model.profiling.noted import Noted

if TYPE_CHECKING:
    from hypervisor.model.profiling.chunks import SampleChunk
    from hypervisor.model.profiling.counting import Counting
    from hypervisor.samples import CallStack


class SampleSink(Protocol):
    """Takes the samples of counted segments."""

    def take(self, chunk: "SampleChunk", vcpus: Sequence[Vcpu]) -> None:
        """Take a chunk; `vcpus` has the vcpu of each row."""
        ...


class Pmu:
    """The counters of all pcpus, programmed alike (Xenoprof programs every processor)."""

    def __init__(self, code: CodeBook, mhz: int, pcpus: int, seed: int, sink: SampleSink) -> None:
        self._code = code
        self._mhz = mhz
        self._pcpus = pcpus
        self._seed = seed
        self._sink = sink
        self.depths: dict[int, int] = {}  # by domid: how many callers are recorded, if any
        self._counting: Counting | None = None  # None until the counters are programmed
        self._noted = Noted()

    def set_depth(self, domid: int, depth: int) -> None:
        """Record up to `depth` callers of each sample of a domain; 0: none."""
        self.depths.pop(domid, None)
        if depth:
            self.depths[domid] = depth

    def program(self, configs: Mapping[int, CounterConfig]) -> None:
        """Load the counters; events that the model does not have never occur."""
        if self._counting is None:
            # Here, because importing numpy takes a third of the start of a run without a profile.
            from hypervisor.model.profiling.counting import Counting

            self._counting = Counting(self._code, self._mhz, self._pcpus, self._seed, self.depths)
        self._counting.program(configs)

    def note(
        self,
        vcpu: Vcpu,
        pcpu: Pcpu,
        parts: Parts,
        executed_q: int,
        start_ns: int,
        elapsed_ns: int,
        work: AnyWork | None,
    ) -> None:
        """Note a settled segment (see `accounting.SegmentCounter`)."""
        self._noted.add(vcpu, pcpu, parts, executed_q, start_ns, elapsed_ns, work)

    def count(self) -> None:
        """Count all noted segments and pass their samples to the sink."""
        noted, self._noted = self._noted, Noted()
        if self._counting is not None:
            counted = self._counting.count(noted)
            if counted is not None:
                self._sink.take(*counted)

    def stack(self, number: int) -> "CallStack":
        """Return the call stack of a number that samples have."""
        assert self._counting is not None
        return self._counting.stacks.stack(number)
