"""Declares what a profiled host gives to daemons: samples as columns, and their call stacks."""

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

    def load(self) -> "SampleBatch":
        """Return itself (see `host.Samples`)."""
        return self
