"""Works out how paths meet at locks when vcpus of one guest run them: `sharing.toml`, `[lock]`."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hypervisor.model.codebook.costs import CostTableError
from hypervisor.model.codebook.parts import Part
from hypervisor.telemetry import Mode

ONE: Final = 1024
"""One, for factors and shares that are kept in 1/1024."""


Claims = list[int]
"""For which part of its time code holds each lock, then what `ATOMIC` and `WOKEN` say; in 1/1024.

Code that takes no lock has no numbers at all.
"""
ATOMIC: Final = -2
"""What locked instructions add to its time."""
WOKEN: Final = -1
"""What interrupts of other vcpus add to it."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock. `spin`: the path that is executed by those who wait.

    `can_be_kept`: by a vcpu that loses its pcpu; Xen is never interrupted there.
    """

    spin: int
    can_be_kept: bool


class Locking:
    """The locks, and by path what its code takes; `interrupt` is the path of those of vcpus."""

    def __init__(
        self,
        data: Mapping[str, Mapping[str, Any]],
        cpu: str,
        numbers: Mapping[str, int],
        parts: Sequence[Sequence[Part]],
        cycles: Sequence[int],
        ops: Container[str],
    ) -> None:
        """`numbers` has the paths by name; `cycles` what they cost; `ops` those that there are."""
        rows = data["lock"]
        for name, row in rows.items():
            if unknown := sorted(op for op in row["ops"] if op not in ops):
                raise CostTableError(f"sharing.toml: [lock.{name}]: unknown op {unknown[0]!r}")
        self.locks = tuple(Lock(numbers[row["spin"]], row["can_be_kept"]) for row in rows.values())
        self.interrupt = numbers["ipi"]
        locked_percent = data["cpu"][cpu]["locked_percent"]
        # Locked instructions are those of the kernel's code that takes locks.
        locked = {op: locked_percent for row in rows.values() for op in row["ops"]}
        wakes = {numbers[name]: row["wakes"] for name, row in data["path"].items()}
        self.claims: list[Claims] = []
        for path, of_path in enumerate(parts):
            kernel = [part for part in of_path if part.mode == Mode.KERNEL]
            total = sum(part.weight for part in of_path)
            held = [_share(row["ops"], of_path, total) for row in rows.values()]
            woken = int(wakes.get(path, 0) * cycles[self.interrupt] * ONE / 1000)
            claims = [*held, _share(locked, kernel, total), woken]
            self.claims.append(claims if any(held) else [])


def _share(percents: Mapping[str, int], parts: Sequence[Part], total: int) -> int:
    """Return the sum of `parts`, so many percent of each op, of `total`."""
    return sum(part.weight * percents.get(part.op, 0) for part in parts) * ONE // (100 * total)
