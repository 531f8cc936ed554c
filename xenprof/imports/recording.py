"""Defines a profile of another tool: the value between its readers and the archive's writer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xenprof.profile.stacks import Frame, Layer, SampleType

LARGEST_TOTAL = 1 << 47
"""Samples of an event at most (judgement): a sample file counts 2^32 - 1 in each byte of code."""
NO_ADDRESS = "no_address"
UNKNOWN = "[unknown]"

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_IN_EVENTS = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_EVENT = 100


class Step(NamedTuple):
    """A frame as the input gives it.

    `address` and `offset` (within the function) are -1 where unknown. `memory` is the kind of
    anonymous memory that the code lies in, "" if it is in an image.
    """

    symbol: str
    image: str
    layer: Layer
    domain: str
    address: int = -1
    offset: int = -1
    file: str = ""
    line: int = 0
    memory: str = ""

    @property
    def frame(self) -> Frame:
        """Return the step as a frame of reports."""
        return Frame(self.symbol, self.image, self.layer, self.domain, self.file, self.line)


class Task(NamedTuple):
    """The task that ran; fields are None where the input does not give them."""

    comm: str = ""
    tgid: int | None = None
    tid: int | None = None
    cpu: int | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """Samples by stack and task.

    `stacks[i]` are indices into `steps`, the outermost caller first; `values[i, j]` are samples
    of `types[j]`, which the input calls `names[j]`. `lost` are samples of the input, by reason
    and type, that have no place; `lost_before` those that the tool itself reports as lost, by
    reason; `lost_of` the same of domains by name. `notes` are lines for the user. `is_first_main`:
    the input says that `types[0]` is to be shown first.
    """

    types: tuple[SampleType, ...]
    names: tuple[str, ...]
    steps: tuple[Step, ...]
    stacks: tuple[tuple[int, ...], ...]
    tasks: tuple[Task, ...]
    values: npt.NDArray[np.int64]
    lost: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    lost_before: Mapping[str, int] = field(default_factory=dict)
    lost_of: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    start_unix_ns: int | None = None
    duration_ns: int | None = None
    notes: tuple[str, ...] = ()
    is_first_main: bool = False


def clean(text: str) -> str:
    """Return a name without control characters."""
    return _CONTROLS.sub("?", text)


def event_names(names: list[str]) -> list[str]:
    """Return distinct event names for sample files: without dots, slashes and colons."""
    found: dict[str, None] = {}
    tried: dict[str, int] = {}  # the last number after a name
    for name in names:
        base = _NOT_IN_EVENTS.sub("_", name)[:_LONGEST_EVENT].strip("_") or "event"
        new = base
        while new in found:
            tried[base] = tried.get(base, 1) + 1
            new = f"{base}_{tried[base]}"
        found[new] = None
    return list(found)


class Rows:
    """Adds samples up by stack and task, and gives each step a number."""

    def __init__(self) -> None:
        self._steps: dict[Step, int] = {}
        self._rows: dict[tuple[tuple[int, ...], Task], dict[int, int]] = {}

    def number(self, step: Step) -> int:
        """Return the number of a step."""
        return self._steps.setdefault(step, len(self._steps))

    def add(self, stack: tuple[int, ...], task: Task, column: int, count: int) -> None:
        """Add samples of a type. Their sum per type must stay within LARGEST_TOTAL."""
        row = self._rows.setdefault((stack, task), {})
        row[column] = row.get(column, 0) + count

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return the steps by number."""
        return tuple(self._steps)

    @property
    def stacks(self) -> tuple[tuple[int, ...], ...]:
        """Return the stack of each row."""
        return tuple(stack for stack, _ in self._rows)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Return the task of each row."""
        return tuple(task for _, task in self._rows)

    def values(self, columns: int) -> npt.NDArray[np.int64]:
        """Return the counts of each row."""
        values = np.zeros((len(self._rows), columns), np.int64)
        for index, row in enumerate(self._rows.values()):
            for column, count in row.items():
                values[index, column] = count
        return values
