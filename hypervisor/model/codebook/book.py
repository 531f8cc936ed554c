"""Code paths: what a piece of work executes, and what it costs.

A CodeBook holds `costs.toml` and `symbols.toml` for one cpu type and does not change after its
construction, but for the domains that run the `native` kernel. Paths are known by index. Tables
use integers only, so that they are the same on every machine.

Code that executes these paths must know:
- `netfront_*`, `netback_*`, `netloop_*`, `bridge_packet` and `nic_*` are the same for data and for
  acknowledgements; what TCP does is extra, by its own paths;
- `netfront_flip_batch` is extra per poll, and `netfront_flip_page` per received page, when pages
  are flipped, not copied;
- `*_slot` and `*_slot_*` are extra per further ring slot or page of a large packet;
- `blktap_request`, `loop_request` come on top of the blkback path;
- socket and file paths contain their system call; `syscall` is for others;
- `*_compute`, `background_*`, `*_script(s)` and `domain_build`: one unit is exactly 1000 cycles
  on every cpu.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from hypervisor.domainfile import DomainFile
from hypervisor.host import Mapped, Module
from hypervisor.model.codebook.costs import HYPERCALL_SHARES, Costs, PathRow
from hypervisor.model.codebook.events import Kind, event_kind
from hypervisor.model.codebook.images import Image, Images, Role
from hypervisor.model.codebook.native import NativeKernels
from hypervisor.model.codebook.parts import CYCLE_UNIT, Part, parts_of
from hypervisor.model.codebook.sharing import Sharing
from hypervisor.model.codebook.work import Unit
from hypervisor.telemetry import Mode

if TYPE_CHECKING:
    from hypervisor.model.codebook.sampling import Sampling

__all__ = ["CodeBook", "CodePath", "Kind"]

_MODES = len(Mode)


@dataclass(frozen=True, slots=True)
class CodePath:
    """A code path. Cycles are for one unit, on an unshared core of the book's cpu type.

    `by_mode` is indexed by telemetry.Mode (user, kernel, hypervisor) and sums to `cycles`.
    `program` is the absolute path of the program whose user-mode code runs; None: no user code.
    `is_softirq`: where an interrupt executes it, it does so in softirqs.
    """

    index: int
    name: str
    cycles: int
    by_mode: tuple[int, int, int]
    program: str | None
    is_softirq: bool


class CodeBook:
    """Costs of every path for one cpu type.

    `paths` by index; `index` by name; `cycles` is their cycles as a plain list for speed.
    Raises: ValueError for an unknown cpu type.
    """

    def __init__(self, cpu_type: str, arch: str = "x86_64", *, is_native: bool = False) -> None:
        """Build the tables for `p4`, `p4-ht`, `core_2` or `hammer`, which takes about 30 ms.

        `arch` is that of the hypervisor, `x86_64` or `i386`. `is_native`: there is none.
        """
        self._images = Images()
        self.images: Mapping[str, Image] = self._images.by_key
        self.native = NativeKernels(self.images)
        self.costs = costs = Costs(self.images, is_native=is_native)
        if cpu_type not in costs.cpus:
            raise ValueError(f"cpu type {cpu_type!r} is not one of {', '.join(costs.cpus)}")
        self.cpu_type = cpu_type
        self._cpu = costs.cpus[cpu_type]
        self._arch = arch
        self.is_native = is_native
        self._parts = [parts_of(row, costs, self._cpu, arch) for row in costs.paths.values()]
        self.paths: tuple[CodePath, ...] = tuple(
            _code_path(index, row, parts, self._weight(row.fixed_like))
            for index, (row, parts) in enumerate(
                zip(costs.paths.values(), self._parts, strict=True)
            )
        )
        self.index: Mapping[str, int] = {path.name: path.index for path in self.paths}
        self.cycles: list[int] = [path.cycles for path in self.paths]
        calling = {name: op.hypercalls for name, op in costs.ops.items() if op.hypercalls}
        # The hypercalls in one unit of each path, in HYPERCALL_SHARES.
        self.hypercalls: list[int] = [
            int(
                sum(count * calling[op] for op, count in row.ops.items() if op in calling)
                * HYPERCALL_SHARES
            )
            for row in costs.paths.values()
        ]
        self.units: dict[str, Unit] = {
            path.name: Unit(path.index, path.cycles, self.hypercalls[path.index])
            for path in self.paths
        }
        # The same for HVM guests, which execute other code under some of these names.
        self.hvm_units: dict[str, Unit] = {
            name: self.units.get(f"hvm_{name}", unit) for name, unit in self.units.items()
        }
        self._sampling: Sampling | None = None

    def _weight(self, path: str) -> int:
        """Return the weight of a path's ops; 0 if there is no such path."""
        if not path:
            return 0
        parts = parts_of(self.costs.under_xen[path], self.costs, self._cpu, self._arch)
        return sum(part.weight for part in parts)

    @property
    def sampling(self) -> "Sampling":
        """Return what counters count in the paths; it is built at the first call."""
        if self._sampling is None:
            # Here, because importing numpy takes a third of the start of a run without a profile.
            from hypervisor.model.codebook.sampling import Sampling

            self._sampling = Sampling(self.costs, self._cpu, self._parts)
        return self._sampling

    def sharing(self, mhz: int) -> Sharing:
        """Return what the paths take from each other at a clock rate."""
        return Sharing(self.costs, self._cpu, self._parts, self.cycles, mhz)

    def event_kind(self, event_number: int, unit_mask: int) -> Kind | None:
        """Return what a counter programmed so counts; None counts nothing."""
        return event_kind(self.cpu_type, event_number, unit_mask)

    def files(self, role: Role) -> tuple[DomainFile, ...]:
        """Return the image files of a domain, `dom0`, `guest` or `hvm`; built once."""
        return self._images.files(role)

    def modules(self, role: Role) -> tuple[Module, ...]:
        """Return the loaded modules of a domain."""
        return self._images.modules(role)

    def mappings(self, program: str) -> tuple[Mapped, ...]:
        """Return the files that a program's process maps. Raises: KeyError for an unknown one."""
        return self._images.mappings(program)


def _code_path(index: int, row: PathRow, parts: list[Part], like: int) -> CodePath:
    """Return a path; `like` is the weight of the one whose fixed cycles it has."""
    weights = [sum(part.weight for part in parts if part.mode == mode) for mode in range(_MODES)]
    if row.fixed_cycles is None:
        by_mode = [round(Fraction(weight, CYCLE_UNIT)) for weight in weights]
    else:
        fixed = row.fixed_cycles * sum(weights) // like if like else row.fixed_cycles
        by_mode = [weight * fixed // sum(weights) for weight in weights]
        by_mode[by_mode.index(max(by_mode))] += fixed - sum(by_mode)
    user, kernel, hypervisor = by_mode
    program = row.program.path if row.program else None
    modes = (user, kernel, hypervisor)
    return CodePath(index, row.name, sum(by_mode), modes, program, row.is_softirq)
