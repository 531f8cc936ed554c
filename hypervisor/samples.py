"""Declares what a profiled host gives to daemons: samples as columns, and their call stacks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hypervisor.telemetry import Mode


@dataclass(frozen=True, slots=True)
class StackFrame:
    """A place on a call stack: `pc` in an image of a domain, and the function that holds it.

    `image` is the image's path in the domain; `offset` is counted like the keys of a sample file:
    from the start of the text in images of kernel and hypervisor, from the start of other files.
    """

    domain: int
    mode: Mode
    pc: int
    image: str
    offset: int


@dataclass(frozen=True, slots=True)
class CallStack:
    """A stack across domains, outermost caller first; samples fall into its last frame.

    `own` is the index of the first frame of the sampled domain: the frames before it led to its
    work. `is_cut`: the stack has more callers than were to be recorded, so no frames lead to it.
    """

    frames: tuple[StackFrame, ...]
    own: int
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class SampleBatch:
    """Samples as columns of equal length; each vcpu's segments are in the order of time.

    `domain` is the domain current on the pcpu; `on_behalf_of` the domain for which domain 0
    or the hypervisor was working (equal to `domain` otherwise). `event` is the counter index.
    `stack_id` is -1 where no stack was recorded (see `host.StackWalker`).
    """

    time_ns: npt.NDArray[np.int64]
    pcpu: npt.NDArray[np.int32]
    domain: npt.NDArray[np.int32]
    vcpu: npt.NDArray[np.int32]
    mode: npt.NDArray[np.uint8]
    event: npt.NDArray[np.uint8]
    pc: npt.NDArray[np.uint64]
    tgid: npt.NDArray[np.int32]
    tid: npt.NDArray[np.int32]
    stack_id: npt.NDArray[np.int32]
    on_behalf_of: npt.NDArray[np.int32]

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.pc)

    def load(self) -> "SampleRuns":
        """Return a run for each sample (see `host.Samples`)."""
        ones = np.ones(len(self), np.int64)
        return SampleRuns(
            ones, self.time_ns, ones, self.pcpu, self.domain, self.vcpu, self.mode, self.event,
            self.tgid, self.tid, self.on_behalf_of, self.pc, self.stack_id,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SampleRuns:
    """Samples in runs, which follow one another: those of a run differ in pc, stack and time only.

    `pc` and `stack_id` have a row for each sample, all other columns one for each run, which has
    `lengths` samples: the first at `first_ns`, the next ones `step_ns` after each other. The
    columns mean what those of a `SampleBatch` do.
    """

    lengths: npt.NDArray[np.int64]
    first_ns: npt.NDArray[np.int64]
    step_ns: npt.NDArray[np.int64]
    pcpu: npt.NDArray[np.int32]
    domain: npt.NDArray[np.int32]
    vcpu: npt.NDArray[np.int32]
    mode: npt.NDArray[np.uint8]
    event: npt.NDArray[np.uint8]
    tgid: npt.NDArray[np.int32]
    tid: npt.NDArray[np.int32]
    on_behalf_of: npt.NDArray[np.int32]
    pc: npt.NDArray[np.uint64]
    stack_id: npt.NDArray[np.int32]

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.pc)

    def load(self) -> "SampleRuns":
        """Return itself (see `host.Samples`)."""
        return self

    def columns(self) -> SampleBatch:
        """Return the same samples with a row for each in every column."""
        lengths = self.lengths
        run = np.repeat(np.arange(len(lengths)), lengths)
        ends = np.cumsum(lengths)
        in_run: npt.NDArray[np.int64] = np.arange(len(run)) - (ends - lengths)[run]
        return SampleBatch(
            time_ns=self.first_ns[run] + in_run * self.step_ns[run],
            pcpu=self.pcpu[run],
            domain=self.domain[run],
            vcpu=self.vcpu[run],
            mode=self.mode[run],
            event=self.event[run],
            pc=self.pc,
            tgid=self.tgid[run],
            tid=self.tid[run],
            stack_id=self.stack_id,
            on_behalf_of=self.on_behalf_of[run],
        )


def join(batches: Sequence[SampleRuns]) -> SampleRuns:
    """Join several batches, at least one, into one."""
    if len(batches) == 1:
        return batches[0]
    names = SampleRuns.__slots__
    return SampleRuns(*(np.concatenate([getattr(b, name) for b in batches]) for name in names))
