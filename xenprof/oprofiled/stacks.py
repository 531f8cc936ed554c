"""Counts the full call stacks of a daemon's samples by number, and names them when written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hypervisor.samples import CallStack, StackFrame
from hypervisor.telemetry import Mode
from xenprof.errors import ImageError
from xenprof.events import EventSetting
from xenprof.images import ImageSymbols, load_symbols
from xenprof.oprofiled.attribution import Attributed, Attributor
from xenprof.oprofiled.histogram import Histogram
from xenprof.oprofiled.ranges import U64, Ints
from xenprof.profile.flat import ImageName
from xenprof.profile.passive import LAYERS, passive_part
from xenprof.profile.stacks import Frame, Layer, SampleType, StackProfile

_LAYERS = {Mode.USER: Layer.USER, Mode.KERNEL: Layer.KERNEL, Mode.HYPERVISOR: Layer.HYPERVISOR}
CUT = "[cut]"
"""The symbol of the first frame of a stack with more callers than were recorded."""


@dataclass(frozen=True, slots=True)
class Known:
    """The name and the root of a domain. The images of a passive one are not known by daemons."""

    name: str
    root: Path
    is_passive: bool = False


Domains = Callable[[], Mapping[int, Known]]
"""A function that returns the domains by id."""


class StackCounter:
    """Counts attributed samples by stack; samples without a stack get one of a single frame."""

    def __init__(
        self,
        attributor: Attributor,
        stack: Callable[[int], CallStack],
        domid: int,
        domains: Domains,
    ) -> None:
        """`stack` returns the stack of a number in a batch."""
        self._attributor = attributor
        self._stack = stack
        self._domid = domid
        self._domains = domains
        self._stacks = Histogram()  # (event, stack)
        self._single = Histogram()  # (group, offset), as in sample files
        self._symbols: dict[Path, ImageSymbols | None] = {}

    @property
    def samples(self) -> int:
        """Return the number of samples that are counted and not drained."""
        return self._stacks.samples + self._single.samples

    @property
    def rows(self) -> int:
        """Return the number of rows of counts in memory."""
        return len(self._stacks) + len(self._single)

    def compact(self) -> None:
        """Merge rows to as few as possible."""
        self._stacks.compact()
        self._single.compact()

    def add(self, found: Attributed) -> None:
        """Count attributed samples."""
        numbers, counts = found.rows.stack_id, found.rows.counts
        has_stack = numbers >= 0
        events = found.samples.event.astype(np.uint64)[found.rows.run]
        if has_stack.all():
            self._stacks.add(events, numbers.astype(np.uint64), counts)
            return
        rows, rest = np.flatnonzero(has_stack), np.flatnonzero(~has_stack)
        self._stacks.add(events[rows], numbers[rows].astype(np.uint64), counts[rows])
        self._single.add(found.groups[rest], found.offsets[rest], counts[rest])

    def drain(self, events: Mapping[int, EventSetting], mhz: float) -> StackProfile | None:
        """Return the counted stacks, None if there are none, and remove the counts."""
        counts: dict[tuple[tuple[Frame, ...], int], int] = {}
        domains = self._domains()
        names: dict[StackFrame, Frame] = {}
        for event, numbers, samples in self._stacks.drain():
            for number, count in zip(numbers.tolist(), samples.tolist(), strict=True):
                key = self._named(self._stack(number), domains, names), event
                counts[key] = counts.get(key, 0) + count
        for group, offsets, samples in self._single.drain():
            event = self._attributor.unpack_rest(group)[0]
            frames = self._single_frames(group, offsets, domains)
            for frame, count in zip(frames, samples.tolist(), strict=True):
                counts[(frame,), event] = counts.get(((frame,), event), 0) + count
        if not counts:
            return None
        return _profile(counts, events, mhz)

    def _named(
        self, stack: CallStack, domains: Mapping[int, Known], names: dict[StackFrame, Frame]
    ) -> tuple[Frame, ...]:
        found: list[Frame] = []
        for frame in stack.frames:
            named = names.get(frame)
            if named is None:
                named = names[frame] = self._frame(frame, domains)
            known = domains.get(frame.domain)
            # Callers in a part of a passive domain that has no symbols are one frame.
            if known is None or not known.is_passive or found[-1:] != [named] or named.symbol:
                found.append(named)
        if stack.is_cut:
            first = found[0]
            found.insert(0, Frame(CUT, first.image, first.layer, first.domain))
        return tuple(found)

    def _frame(self, frame: StackFrame, domains: Mapping[int, Known]) -> Frame:
        known = domains.get(frame.domain)
        layer, image = _LAYERS[frame.mode], _shown(frame.image)
        if known is None:
            return Frame("", image, layer, f"domain{frame.domain}")
        if known.is_passive:
            text = self._attributor.passive_text(frame.domain, frame.mode)
            has_symbols = text.has(frame.pc) and image == frame.image  # a module's are not known
            image = text.inside if text.has(frame.pc) else text.outside
            if not has_symbols:
                return Frame("", image, layer, known.name)
        offset = np.array([frame.offset], np.uint64)
        symbol = self._lookup(known.root, frame.image, offset, frame.mode != Mode.USER)[0]
        return Frame(symbol, image, layer, known.name)

    def _lookup(self, root: Path | None, image: str, offsets: U64, is_kernel: bool) -> list[str]:
        """Return the symbols at offsets, "" where there is none."""
        symbols = self._load(root / image.lstrip("/")) if root and image else None
        if symbols is None:
            return [""] * len(offsets)
        rows: Ints = symbols.lookup(offsets, is_kernel)
        return [symbols.names[row] if row >= 0 else "" for row in rows.tolist()]

    def _load(self, path: Path) -> ImageSymbols | None:
        if path not in self._symbols:
            try:
                self._symbols[path] = load_symbols(path)
            except ImageError:
                self._symbols[path] = None
        return self._symbols[path]

    def _single_frames(self, group: int, offsets: U64, domains: Mapping[int, Known]) -> list[Frame]:
        """Return one frame for each offset of a sample file."""
        image = self._attributor.unpack(group)[0].image
        part = passive_part(image.name.path)
        domid = part[0] if part else self._domid
        known = domains.get(domid)
        name = known.name if known else f"domain{domid}"
        root = known.root if known else None
        file = image.file
        layer = Layer.KERNEL if image.is_kernel else Layer.USER
        if part:
            layer, file = LAYERS[part[1]], self._attributor.passive_file(part[1])
        elif image.is_kernel and image.name.path.rpartition("/")[2].startswith("xen"):
            layer = Layer.HYPERVISOR
        symbols = self._lookup(root, file, offsets, image.is_kernel)
        return [Frame(symbol, _image_text(image.name), layer, name) for symbol in symbols]


def _image_text(image: ImageName) -> str:
    return image.path if image.kind != "anon" else f"[{image.path.strip('[]')}]"


def _shown(path: str) -> str:
    """Return the name of an image; that of a module is bare, as in sample files."""
    base = path.rpartition("/")[2]
    return base.removesuffix(".ko").replace("-", "_") if base.endswith(".ko") else path


def _profile(
    counts: Mapping[tuple[tuple[Frame, ...], int], int],
    events: Mapping[int, EventSetting],
    mhz: float,
) -> StackProfile:
    stacks = sorted({stack for stack, _ in counts})
    frames = sorted({frame for stack in stacks for frame in stack})
    number = {frame: index for index, frame in enumerate(frames)}
    rows = {stack: index for index, stack in enumerate(stacks)}
    counters = sorted({event for _, event in counts})
    columns = {event: index for index, event in enumerate(counters)}
    values = np.zeros((len(stacks), len(counters)), np.int64)
    for (stack, event), count in counts.items():
        values[rows[stack], columns[event]] = count
    types = tuple(
        SampleType(events[event].name, events[event].count, events[event].unit_mask)
        for event in counters
    )
    return StackProfile(
        tuple(frames), tuple(tuple(number[frame] for frame in stack) for stack in stacks),
        values, types, cpu_mhz=mhz,
    )  # fmt: skip
