"""Defines StackProfile: samples by call stack, over domains and layers, for today's formats.

A flat profile is one whose stacks have one frame. A joined stack goes from a guest's program
through its kernel and the hypervisor into the domain that worked for it, so its frames may be of
several domains.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt


class Layer(StrEnum):
    """The layer that code runs in: `hypervisor.telemetry.Mode` in words."""

    USER = "user"
    KERNEL = "kernel"
    HYPERVISOR = "hypervisor"


@dataclass(frozen=True, slots=True, order=True)
class Frame:
    """A function, as far as it is known. `line` 0: unknown."""

    symbol: str
    image: str  # a path in the domain, or a bare name (a module, `no-vmlinux`, `domain1-kernel`)
    layer: Layer
    domain: str
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class SampleType:
    """An event that was counted: one sample stands for `period` of them."""

    event: str
    period: int
    unit_mask: int = 0

    @property
    def text(self) -> str:
        """Return the event as opcontrol writes it."""
        return f"{self.event}:{self.period}:{self.unit_mask}"


@dataclass(frozen=True, slots=True)
class StackProfile:
    """Samples by stack and event.

    `stacks[i]` are indices into `frames`, the outermost caller first, the function that was
    executing last; `values[i, j]` are samples of `types[j]`. Stacks need not be distinct. `lost`
    counts samples that were lost, by reason.
    """

    frames: tuple[Frame, ...]
    stacks: tuple[tuple[int, ...], ...]
    values: npt.NDArray[np.int64]  # shape (len(stacks), len(types))
    types: tuple[SampleType, ...]
    host: str = ""
    cpu_mhz: float = 0.0
    start_unix_ns: int | None = None
    duration_ns: int | None = None
    lost: Mapping[str, int] = field(default_factory=dict)

    @property
    def totals(self) -> tuple[int, ...]:
        """Return the samples of each type."""
        return tuple(int(total) for total in self.values.sum(axis=0))
