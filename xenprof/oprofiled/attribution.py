"""Attributes samples to image, application, task and cpu, for whole batches at once.

The rules are those of oprofile's daemon and, for passive domains, of its Xen patch.
Source: oprofile daemon/opd_kernel.c, opd_mapping.c, opd_sfile.c; Linux drivers/oprofile.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hypervisor.host import Module, Task
from hypervisor.samples import SampleBatch
from hypervisor.telemetry import Mode
from xenprof.events import EventSetting
from xenprof.oprofiled.distinct import distinct, part_of
from xenprof.oprofiled.ranges import U64, Ints, RangeTable
from xenprof.profile.flat import ImageName

UNKNOWN_EVENT, NO_MM, NO_MAPPING, NO_KERNEL_IMAGE, FILTERED = LOSS_REASONS = (
    "unknown_event",  # a counter that is not in the daemon's event list
    "no_mm",  # user mode, task unknown
    "no_mapping",  # user mode, pc outside the mappings of its task
    "no_kernel_image",  # kernel or hypervisor mode, pc outside vmlinux, modules and Xen
    "filtered",  # the image is not on the --image list
)
PLACE_SHIFT = 44  # of the place's bits in a group
_USER_BITS = np.uint64(48)  # user addresses are below 1 << 48 on x86-64
_EVERYWHERE = (0, 2**64)


@dataclass(frozen=True, slots=True)
class TextRange:
    """The text of a kernel-side image: `path` in the domain, pcs in [start, end)."""

    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class DaemonConfig:
    """The configuration of a daemon, which does not change while it runs.

    `events` names counters by index. `vmlinux` None: all kernel and hypervisor samples go to
    `no-vmlinux`. `passive` has the kernel text of passive domains by id; if it is None, all their
    kernel samples go to `domainN-kernel`, by absolute pc. `separate` holds words of library,
    kernel, thread, cpu; kernel implies library. An empty `image_filter` keeps all images.
    """

    domid: int
    cpu_type: str
    cpu_mhz: float
    events: Mapping[int, EventSetting]
    vmlinux: TextRange | None = None
    xen: TextRange | None = None
    passive: Mapping[int, tuple[int, int] | None] = field(default_factory=dict)
    separate: frozenset[str] = frozenset()
    image_filter: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """An image for sample files; `file` is the file whose mtime is read, "" = unknown."""

    name: ImageName
    is_kernel: bool
    file: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """An image in an application: the parts of a sample path before and after `{dep}`."""

    app: ImageName
    image: Image


@dataclass(frozen=True, slots=True)
class Attributed:
    """The samples of a batch with a place, as groups and offsets, and the others by reason.

    Each row stands for `counts` samples, of which `batch` holds one.
    """

    groups: U64
    offsets: U64
    counts: U64
    lost: Mapping[str, int]
    batch: SampleBatch


class Attributor:
    """Attributes batches. A group is a sample file: place, thread, event and cpu."""

    def __init__(
        self,
        config: DaemonConfig,
        modules: Callable[[], Sequence[Module]],
        tasks: Callable[[], Mapping[int, Task]],
    ) -> None:
        """`modules` and `tasks` are called for each batch; only changes cost time."""
        self._config = config
        self._modules = modules
        self._tasks = tasks
        self._places: list[Place] = []
        self._place_index: dict[Place, int] = {}
        self._is_kept: list[bool] = []
        self._threads: list[tuple[int | None, int | None]] = [(None, None)]
        self._thread_index: dict[int, int] = {}
        self._known_event = np.zeros(256, np.bool_)
        self._known_event[list(config.events)] = True
        self._separates_libraries = bool(config.separate & {"library", "kernel"})
        self._told_by: tuple[str, ...] = ("domain", "mode", "event", "tgid", "pc")
        if "thread" in config.separate:
            self._told_by += ("tid",)
        if "cpu" in config.separate:
            self._told_by += ("vcpu", "pcpu")
        self._kernel = _KernelMap(config, ())
        self._users = _UserMap({})
        self._known_modules: tuple[Module, ...] = ()
        self._known_tasks: dict[int, Task] = {}
        self._passive_kernels = {
            domid: RangeTable([text or _EVERYWHERE]) for domid, text in config.passive.items()
        }
        self._xen_table = RangeTable([(config.xen.start, config.xen.end)] if config.xen else [])

    def attribute(self, batch: SampleBatch, *, with_stacks: bool) -> Attributed:
        """Find a group and an offset for each sample, or the reason why it has none.

        `with_stacks`: samples of different stacks are kept apart.
        """
        self._refresh()
        more = ("stack_id",) if with_stacks else ()
        batch, counts = distinct(batch, (*self._told_by, *more))
        place, offset = self.locate(batch)
        own = batch.domain == self._config.domid
        place[~self._known_event[batch.event]] = _lost(UNKNOWN_EVENT)
        if self._config.image_filter:
            placed = np.flatnonzero(place >= 0)
            is_kept = np.array(self._is_kept, np.bool_)[place[placed]]
            place[placed[~is_kept]] = _lost(FILTERED)

        rows = np.flatnonzero(place >= 0)
        groups = _pack(place[rows], *self._task_and_cpu(batch, rows, own[rows]), batch.event[rows])
        missing = np.flatnonzero(place < 0)
        misses = np.bincount(-1 - place[missing], counts[missing], len(LOSS_REASONS))
        lost = {reason: int(n) for reason, n in zip(LOSS_REASONS, misses, strict=True) if n}
        placed_batch = part_of(batch, rows) if with_stacks else batch
        return Attributed(groups, offset[rows], counts[rows].astype(np.uint64), lost, placed_batch)

    def locate(self, batch: SampleBatch) -> tuple[Ints, U64]:
        """Return a place and an offset for each pc; a negative place is the reason of a loss."""
        place = np.empty(len(batch), np.int64)
        offset = np.zeros(len(batch), np.uint64)
        own = batch.domain == self._config.domid
        in_user = batch.mode == Mode.USER
        for selected, find in (
            (own & ~in_user, self._find_kernel),
            (own & in_user, self._find_user),
            (~own, self._find_passive),
        ):
            rows = np.flatnonzero(selected)
            if len(rows):
                place[rows], offset[rows] = find(batch, rows)
        return place, offset

    def place(self, index: int) -> Place:
        """Return the place of a number, which is in the upper bits of a group."""
        return self._places[index]

    def is_kept(self, place: Ints) -> npt.NDArray[np.bool_]:
        """Return which places exist and pass the image filter."""
        if not self._config.image_filter:
            return place >= 0
        kept = np.array([*self._is_kept, False], np.bool_)
        return kept[np.where(place < 0, len(self._is_kept), place)]

    def unpack(self, group: int) -> tuple[Place, int, int | None, int | None, int | None]:
        """Return place, counter index, tgid, tid and cpu of a group; None = not separated."""
        return self._places[group >> PLACE_SHIFT], *self.unpack_rest(group)

    def unpack_rest(self, group: int) -> tuple[int, int | None, int | None, int | None]:
        """Return the values of `unpack` without the place."""
        cpu = (group & 0xFFF) - 1
        tgid, tid = self._threads[group >> 20 & 0xFFFFFF]
        return group >> 12 & 0xFF, tgid, tid, cpu if cpu >= 0 else None

    def _refresh(self) -> None:
        modules, tasks = tuple(self._modules()), dict(self._tasks())
        if modules != self._known_modules:
            self._known_modules = modules
            self._kernel = _KernelMap(self._config, modules)
        if tasks != self._known_tasks:
            self._known_tasks = tasks
            self._users = _UserMap(tasks)

    def _find_kernel(self, batch: SampleBatch, rows: Ints) -> tuple[Ints, U64]:
        pc = batch.pc[rows]
        kernel, users = self._kernel, self._users
        index = kernel.table.find(pc)
        if "kernel" not in self._config.separate:
            return self._kernel_place(index, lambda i: self._place(None, kernel.images[i])), (
                pc - kernel.starts[index]
            )
        task = users.index(batch.tgid[rows]) + 1  # 0: a kernel thread, which has no program
        width = len(kernel.images)

        def separated(code: int) -> int:
            app = users.programs[code // width - 1] if code >= width else None
            return self._place(app, kernel.images[code % width])

        codes = np.where(index < 0, -1, task * width + index)
        return self._kernel_place(codes, separated), pc - kernel.starts[index]

    @staticmethod
    def _kernel_place(codes: Ints, intern: Callable[[int], int]) -> Ints:
        return np.where(codes < 0, _lost(NO_KERNEL_IMAGE), _translate(codes, intern))

    def _find_user(self, batch: SampleBatch, rows: Ints) -> tuple[Ints, U64]:
        pc, users = batch.pc[rows], self._users
        task = users.index(batch.tgid[rows])
        mapping = users.find(task, pc)

        def intern(code: int) -> int:
            image, program = users.images[code], users.programs[users.owners[code]]
            is_apart = self._separates_libraries or image.name.kind == "anon"
            return self._place(program if is_apart else None, image)

        place = np.where(mapping < 0, _lost(NO_MAPPING), _translate(mapping, intern))
        place[task < 0] = _lost(NO_MM)
        return place, pc + users.shifts[mapping]

    def _find_passive(self, batch: SampleBatch, rows: Ints) -> tuple[Ints, U64]:
        place = np.empty(len(rows), np.int64)
        offset = batch.pc[rows].copy()
        mode, domain = batch.mode[rows], batch.domain[rows]
        for domid in np.unique(domain).tolist():
            kernel = self._passive_kernels.get(domid) or RangeTable([_EVERYWHERE])
            text, xen = self._config.passive.get(domid), self._config.xen
            folder = xen.path.rpartition("/")[0] if xen else ""
            for which, table, start, inside, outside in (
                (Mode.USER, None, 0, "", f"domain{domid}-apps"),
                (
                    Mode.KERNEL, kernel, text[0] if text else 0,
                    f"domain{domid}-kernel", f"domain{domid}-modules",
                ),
                (
                    Mode.HYPERVISOR, self._xen_table, xen.start if xen else 0,
                    f"{folder}/domain{domid}-xen", f"domain{domid}-xen-unknown",
                ),
            ):  # fmt: skip
                at = np.flatnonzero((domain == domid) & (mode == which))
                if not len(at):
                    continue
                hit = np.zeros(len(at), np.bool_)
                if table is not None:
                    hit = table.find(offset[at]) >= 0
                if hit.any():
                    place[at[hit]] = self._place(None, _kernel_image(inside))
                    offset[at[hit]] -= np.uint64(start)
                if not hit.all():
                    place[at[~hit]] = self._place(None, _kernel_image(outside))
        return place, offset

    def _task_and_cpu(
        self, batch: SampleBatch, rows: Ints, own: npt.NDArray[np.bool_]
    ) -> tuple[Ints, Ints]:
        """Return thread indices and cpu numbers plus one; 0 = all.

        A passive domain's tasks are unknown, and its cpu is the processor it ran on.
        """
        thread = np.zeros(len(rows), np.int64)
        cpu = np.zeros(len(rows), np.int64)
        if "thread" in self._config.separate:
            pairs = batch.tgid[rows].astype(np.int64) << 32 | batch.tid[rows].astype(np.int64)
            values, inverse = np.unique(pairs, return_inverse=True)
            thread = np.array([self._thread(pair) for pair in values.tolist()], np.int64)[inverse]
            thread[~own] = 0
        if "cpu" in self._config.separate:
            cpu = np.where(own, batch.vcpu[rows], batch.pcpu[rows]).astype(np.int64) + 1
        return thread, cpu

    def _thread(self, pair: int) -> int:
        index = self._thread_index.get(pair)
        if index is None:
            index = self._thread_index[pair] = len(self._threads)
            self._threads.append((pair >> 32, pair & 0xFFFFFFFF))
        return index

    def _place(self, app: ImageName | None, image: Image) -> int:
        place = Place(app or image.name, image)
        index = self._place_index.get(place)
        if index is None:
            index = self._place_index[place] = len(self._places)
            self._places.append(place)
            wanted = self._config.image_filter
            self._is_kept.append(place.app.path in wanted or image.name.path in wanted)
        return index


class _KernelMap:
    """The kernel-side images by address: vmlinux first, then the modules in order, then Xen."""

    def __init__(self, config: DaemonConfig, modules: Sequence[Module]) -> None:
        ranges: list[tuple[int, int]]
        if config.vmlinux is None:
            self.images = [_kernel_image("no-vmlinux")]
            ranges = [_EVERYWHERE]
        else:
            texts = [config.vmlinux, *([config.xen] if config.xen else [])]
            self.images = [_kernel_image(text.path) for text in texts]
            ranges = [(text.start, text.end) for text in texts]
            self.images[1:1] = [
                Image(ImageName("kern", module.name), True, module.path) for module in modules
            ]
            ranges[1:1] = [(module.start, module.start + module.size) for module in modules]
        self.table = RangeTable(ranges)
        self.starts = np.array([start for start, _ in ranges], np.uint64)


class _UserMap:
    """The mappings of all tasks in one table over (task, address)."""

    def __init__(self, tasks: Mapping[int, Task]) -> None:
        self._tgids = np.array(sorted(tasks), np.int64)
        self.programs: list[ImageName | None] = []
        self.images: list[Image] = []
        self.owners: list[int] = []
        ranges: list[tuple[int, int]] = []
        shifts: list[int] = []
        limit = 1 << int(_USER_BITS)
        for index, tgid in enumerate(sorted(tasks)):
            task = tasks[tgid]
            self.programs.append(ImageName("root", task.program) if task.program else None)
            base = index << int(_USER_BITS)
            for mapped in task.mappings:
                ranges.append((base + mapped.start, base + min(mapped.end, limit)))
                self.owners.append(index)
                if mapped.path.startswith("/"):
                    name = ImageName("root", mapped.path)
                    shifts.append(mapped.offset - mapped.start)
                else:
                    kind = mapped.path or "anon"
                    name = ImageName("anon", kind, tgid, mapped.start, mapped.end)
                    shifts.append(-mapped.start)
                self.images.append(Image(name, False, mapped.path if name.kind == "root" else ""))
        self._table = RangeTable(ranges)
        self.shifts = np.array([shift % 2**64 for shift in (*shifts, 0)], np.uint64)

    def index(self, tgid: npt.NDArray[np.int32]) -> Ints:
        """Return for each tgid the index of its task, or -1."""
        if not len(self._tgids):
            return np.full(len(tgid), -1, np.int64)
        at = np.minimum(np.searchsorted(self._tgids, tgid), len(self._tgids) - 1)
        return np.where(self._tgids[at] == tgid, at, -1)

    def find(self, task: Ints, pc: U64) -> Ints:
        """Return for each pc the index of the mapping in its task, or -1."""
        is_user = (task >= 0) & (pc >> _USER_BITS == 0)
        address = np.where(is_user, task, 0).astype(np.uint64) << _USER_BITS | pc
        return np.where(is_user, self._table.find(address), -1)


def _kernel_image(path: str) -> Image:
    """Return a kernel-side image by its path or, without one, by its bare name."""
    if "/" in path:
        return Image(ImageName("root", path), True, path)
    return Image(ImageName("kern", path), True)


def _lost(reason: str) -> int:
    """Return the number that stands for a loss in place of a place's number."""
    return -1 - LOSS_REASONS.index(reason)


def _translate(codes: Ints, intern: Callable[[int], int]) -> Ints:
    """Return `intern(code)` for each code, called once for each distinct code; -1 stays."""
    used = np.flatnonzero(np.bincount(codes[codes >= 0]))
    table = np.full(int(used[-1]) + 2 if len(used) else 1, -1, np.int64)
    table[used] = [intern(code) for code in used.tolist()]
    return table[codes]


def _pack(place: Ints, thread: Ints, cpu: Ints, event: npt.NDArray[np.uint8]) -> U64:
    """Return groups: 20 bits of place, 24 of thread, 8 of event, 12 of cpu."""
    counter = event.astype(np.int64)
    return (place << PLACE_SHIFT | thread << 20 | counter << 12 | cpu).astype(np.uint64)
