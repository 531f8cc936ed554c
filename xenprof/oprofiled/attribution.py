"""Attributes samples to image, application, task and cpu, for whole batches at once.

The rules are those of oprofile's daemon and, for passive domains, of its Xen patch.
Source: oprofile daemon/opd_kernel.c, opd_mapping.c, opd_sfile.c; Linux drivers/oprofile.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hypervisor.host import Module, Task
from hypervisor.samples import SampleRuns
from hypervisor.telemetry import Mode
from xenprof.events import EventSetting
from xenprof.oprofiled.distinct import Distinct, distinct
from xenprof.oprofiled.ranges import U64, Ints, RangeTable
from xenprof.profile.flat import ImageName
from xenprof.profile.passive import PassiveText, passive_text

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
_UNKNOWN = -(2**63)  # neither a place nor a loss


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
    """The samples with a place, as rows of group and offset, and the others by reason.

    Each row stands for `rows.counts` of the `samples`.
    """

    groups: U64
    places: Ints
    offsets: U64
    rows: Distinct
    lost: Mapping[str, int]
    samples: SampleRuns


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
        self._told_by: tuple[str, ...] = ("domain", "mode", "event", "tgid")
        if "thread" in config.separate:
            self._told_by += ("tid",)
        if "cpu" in config.separate:
            self._told_by += ("vcpu", "pcpu")
        self._kernel = _KernelMap(config, ())
        self._users = _UserMap({})
        self._known_modules: tuple[Module, ...] = ()
        self._known_tasks: dict[int, Task] = {}
        self._follow_maps()

    def attribute(self, samples: SampleRuns, *, with_stacks: bool) -> Attributed:
        """Find a group and an offset for all samples, or the reason why they have none.

        `with_stacks`: samples of different stacks are kept apart.
        """
        self._refresh()
        rows = distinct(samples, self._told_by, with_stacks=with_stacks)
        place, offset = self.locate(samples, rows.run, rows.pc)
        is_known = self._known_event[samples.event]
        if not is_known.all():
            place[~is_known[rows.run]] = _lost(UNKNOWN_EVENT)
        if self._config.image_filter:
            place[(place >= 0) & ~self.is_kept(place)] = _lost(FILTERED)
        lost: dict[str, int] = {}
        missing = np.flatnonzero(place < 0)
        if len(missing):
            misses = np.bincount(-1 - place[missing], rows.counts[missing], len(LOSS_REASONS))
            lost = {reason: int(n) for reason, n in zip(LOSS_REASONS, misses, strict=True) if n}
            placed = np.flatnonzero(place >= 0)
            place, offset, rows = place[placed], offset[placed], rows.only(placed)
        groups = (place << PLACE_SHIFT | self._rest(samples)[rows.run]).astype(np.uint64)
        return Attributed(groups, place, offset, rows, lost, samples)

    def locate(self, samples: SampleRuns, run: Ints, pc: U64) -> tuple[Ints, U64]:
        """Return a place and an offset for each pc in a run of `samples`.

        A negative place is the reason of a loss.
        """
        place = np.empty(len(pc), np.int64)
        offset = np.zeros(len(pc), np.uint64)
        own = samples.domain == self._config.domid
        in_user = samples.mode == Mode.USER
        for selected, find in (
            (own & ~in_user, self._find_kernel),
            (own & in_user, self._find_user),
            (~own, self._find_passive),
        ):
            rows = np.flatnonzero(selected[run])
            if len(rows):
                place[rows], offset[rows] = find(samples, run[rows], pc[rows])
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
        if modules == self._known_modules and tasks == self._known_tasks:
            return
        if modules != self._known_modules:
            self._known_modules = modules
            self._kernel = _KernelMap(self._config, modules)
        if tasks != self._known_tasks:
            self._known_tasks = tasks
            self._users = _UserMap(tasks)
        self._follow_maps()

    def _follow_maps(self) -> None:
        """Forget the places of what was in the maps before."""
        self._kernel_places = _Translation(self._kernel_place)
        self._user_places = _Translation(self._user_place)

    def _find_kernel(self, samples: SampleRuns, run: Ints, pc: U64) -> tuple[Ints, U64]:
        kernel = self._kernel
        index = kernel.table.find(pc)
        codes = index
        if "kernel" in self._config.separate:
            task = self._users.index(samples.tgid) + 1  # 0: a kernel thread, without a program
            codes = np.where(index < 0, -1, task[run] * len(kernel.images) + index)
        place = self._kernel_places.of(codes, _lost(NO_KERNEL_IMAGE))
        return place, pc - kernel.starts[index]

    def _kernel_place(self, code: int) -> int:
        """Return the place of a kernel-side image, separated by the program of a task or not."""
        task, image = divmod(code, len(self._kernel.images))
        app = self._users.programs[task - 1] if task else None
        return self._place(app, self._kernel.images[image])

    def _find_user(self, samples: SampleRuns, run: Ints, pc: U64) -> tuple[Ints, U64]:
        users = self._users
        task = users.index(samples.tgid)[run]
        mapping = users.find(task, pc)
        place = self._user_places.of(mapping, _lost(NO_MAPPING))
        place[task < 0] = _lost(NO_MM)
        return place, pc + users.shifts[mapping]

    def _user_place(self, mapping: int) -> int:
        """Return the place of a mapping, separated by its task's program or not."""
        image, program = self._users.images[mapping], self._users.programs_mapped[mapping]
        is_apart = self._separates_libraries or image.name.kind == "anon"
        return self._place(program if is_apart else None, image)

    def _find_passive(self, samples: SampleRuns, run: Ints, pc: U64) -> tuple[Ints, U64]:
        context = (samples.domain.astype(np.int64) * len(Mode) + samples.mode)[run]
        used = np.flatnonzero(np.bincount(context))
        texts = [self._passive_places(*divmod(each, len(Mode))) for each in used.tolist()]
        starts, lasts, inside, outside = zip(*texts, strict=True)
        at = np.searchsorted(used, context)
        start = np.array(starts, np.uint64)[at]
        is_inside = (pc >= start) & (pc <= np.array(lasts, np.uint64)[at])
        place = np.where(is_inside, np.array(inside)[at], np.array(outside)[at])
        return place, pc - np.where(is_inside, start, np.uint64(0))

    def passive_text(self, domid: int, mode: int) -> PassiveText:
        """Return the images of a passive domain's code in a mode."""
        xen = self._config.xen
        kernel = self._config.passive.get(domid)
        folder = xen.path.rpartition("/")[0] if xen else ""
        return passive_text(domid, mode, kernel, (xen.start, xen.end) if xen else None, folder)

    def passive_file(self, part: str) -> str:
        """Return the path of the image with the symbols of a passive domain's part; "": none."""
        text = {"kernel": self._config.vmlinux, "xen": self._config.xen}.get(part)
        return text.path if text else ""

    def _passive_places(self, domid: int, mode: int) -> tuple[int, int, int, int]:
        """Return the first and last pc of a passive domain's text, and the places for pcs."""
        text = self.passive_text(domid, mode)
        inside, outside = (
            self._place(None, _kernel_image(image)) for image in (text.inside, text.outside)
        )
        return text.first, text.last, inside, outside

    def _rest(self, samples: SampleRuns) -> Ints:
        """Return the lower bits of each run's groups: 24 bits of thread, 8 of event, 12 of cpu.

        Thread and cpu are 0 where they are not separated, the cpu is a number plus one. A passive
        domain's tasks are unknown, and its cpu is the processor it ran on.
        """
        own = samples.domain == self._config.domid
        rest = samples.event.astype(np.int64) << 12
        if "thread" in self._config.separate:
            pairs = samples.tgid.astype(np.int64) << 32 | samples.tid.astype(np.int64)
            values, inverse = np.unique(pairs, return_inverse=True)
            thread = np.array([self._thread(pair) for pair in values.tolist()], np.int64)[inverse]
            rest |= np.where(own, thread, 0) << 20
        if "cpu" in self._config.separate:
            rest |= np.where(own, samples.vcpu, samples.pcpu).astype(np.int64) + 1
        return rest

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
        self.programs_mapped: list[ImageName | None] = []  # the program of each mapping's task
        ranges: list[tuple[int, int]] = []
        shifts: list[int] = []
        limit = 1 << int(_USER_BITS)
        for index, tgid in enumerate(sorted(tasks)):
            task = tasks[tgid]
            program = ImageName("root", task.program) if task.program else None
            self.programs.append(program)
            base = index << int(_USER_BITS)
            for mapped in task.mappings:
                ranges.append((base + mapped.start, base + min(mapped.end, limit)))
                self.programs_mapped.append(program)
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


class _Translation:
    """Translates codes to places, each found once."""

    def __init__(self, find: Callable[[int], int]) -> None:
        """`find` returns the place of a code."""
        self._find = find
        self._table = np.full(1, _UNKNOWN, np.int64)  # the last entry stands for the code -1

    def of(self, codes: Ints, lost: int) -> Ints:
        """Return the place of each code, `lost` for -1."""
        missing = int(codes.max()) + 2 - len(self._table)
        if missing > 0:
            self._table = np.append(self._table[:-1], np.full(missing + 1, _UNKNOWN, np.int64))
        self._table[-1] = lost
        places = self._table[codes]
        if (unknown := places == _UNKNOWN).any():
            for code in np.unique(codes[unknown]).tolist():
                self._table[code] = self._find(code)
            places = self._table[codes]
        return places
