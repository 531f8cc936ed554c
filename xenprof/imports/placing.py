"""Places the steps of one domain: images, offsets in them, and the keys of sample files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xenprof.imports.images import Placed, made, real
from xenprof.imports.naming import ImageNames, program
from xenprof.imports.recording import Recording, Step, Task
from xenprof.profile.flat import ImageName, SampleKey
from xenprof.profile.stacks import Layer

_PAGE = 0x1000
_COMM_BYTES = 15


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a step of a task."""

    image: ImageName
    key: int
    spare: int


class Domain:
    """The names and places of one domain's steps."""

    def __init__(self, recording: Recording, name: str, root: Path | None) -> None:
        """`root` has the images of the machine, if it exists."""
        self.placed: dict[tuple[Layer, str], Placed] = {}
        self.names = ImageNames()
        self._memory: dict[tuple[int, str], tuple[int, int]] = {}
        self._programs: dict[int, ImageName] = {}
        totals = _totals(recording, name)
        images: dict[tuple[Layer, str], dict[Step, int]] = {}
        for step, total in totals.items():
            images.setdefault((step.layer, step.image), {})[step] = total
        for (layer, image), steps in sorted(images.items()):
            given = self.names.name(layer, image)
            found = None
            if root is not None and layer is Layer.USER and given.path == image:
                found = real(root / image.lstrip("/"), steps)
            if found is None:
                found = made(steps, is_kernel=layer is not Layer.USER)
            self.placed[layer, image] = found
        self._look_at_tasks(recording, name)

    def _look_at_tasks(self, recording: Recording, name: str) -> None:
        """Find the programs of tasks, and the ranges of their anonymous memory."""
        for stack, task in zip(recording.stacks, recording.tasks, strict=True):
            for step in (recording.steps[number] for number in stack):
                if step.domain != name or task.tgid is None:
                    continue
                if step.memory and step.address >= 0:
                    low, high = self._memory.get((task.tgid, step.memory), (step.address,) * 2)
                    self._memory[task.tgid, step.memory] = (
                        min(low, step.address), max(high, step.address),
                    )  # fmt: skip
                elif step.layer is Layer.USER and step.image.startswith("/"):
                    base = step.image.rpartition("/")[2].encode()[:_COMM_BYTES]
                    if base == task.comm.encode()[:_COMM_BYTES]:
                        self._programs[task.tgid] = self.names.name(step.layer, step.image)

    def place(self, step: Step, task: Task) -> Place:
        """Return the place of a step."""
        if step.memory and step.address >= 0 and task.tgid is not None:
            low, high = self._memory[task.tgid, step.memory]
            start, end = low // _PAGE * _PAGE, (high // _PAGE + 1) * _PAGE
            name = ImageName("anon", step.memory, task.tgid, start, min(end, (1 << 64) - 1))
            return Place(name, step.address - start, step.address - start)
        placed = self.placed[step.layer, step.image]
        name = self.names.name(step.layer, step.image)
        return Place(name, placed.keys[step], placed.spare[step])

    def app(self, step: Step, image: ImageName, task: Task, separate: frozenset[str]) -> ImageName:
        """Return the application that a sample belongs to."""
        own = step.layer is Layer.USER and bool(separate & {"lib", "kernel"})
        if image.kind == "anon" or (
            task.tgid is not None and (own or (task.tgid and "kernel" in separate))
        ):
            return self._programs.get(task.tgid or 0) or program(task.comm)
        return image


def _totals(recording: Recording, domain: str) -> dict[Step, int]:
    """Return the steps of a domain, and the largest count of samples of a type that end in each."""
    most: dict[Step, int] = {}
    ends = np.zeros((len(recording.steps), len(recording.types)), np.int64)
    for stack, values in zip(recording.stacks, recording.values, strict=True):
        ends[stack[-1]] += values
        for number in stack:
            most[recording.steps[number]] = 0
    largest = ends.max(axis=1, initial=0).tolist()
    for number, step in enumerate(recording.steps):
        if step in most:
            most[step] = int(largest[number])
    return {step: total for step, total in most.items() if step.domain == domain}


def sample_key(
    recording: Recording,
    column: int,
    app: ImageName,
    image: ImageName,
    task: Task,
    separate: frozenset[str],
    callee: ImageName | None = None,
) -> SampleKey:
    """Return the key of the file for a type's samples of a task in an image."""
    kind = recording.types[column]
    by_thread = "thread" in separate
    return SampleKey(
        app, image, kind.event, kind.period, kind.unit_mask,
        task.tgid if by_thread else None,
        task.tid if by_thread else None,
        task.cpu if "cpu" in separate else None,
        callee,
    )  # fmt: skip
