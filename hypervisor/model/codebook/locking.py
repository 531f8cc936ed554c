"""Works out how paths meet at locks when vcpus of one guest run them: `sharing.toml`, `[lock]`."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from hypervisor.model.codebook.costs import CostTableError
from hypervisor.model.codebook.parts import Part
from hypervisor.telemetry import Mode

ONE: Final = 1024
"""One, for factors and shares that are kept in 1/1024."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock. `held`: by path, for which part of its time it is held, in 1/1024.

    `spin`: the path that is executed by those who wait. `can_be_kept`: by a vcpu that loses its
    pcpu; Xen is never interrupted there.
    """

    held: Sequence[int]
    spin: int
    can_be_kept: bool


class Locking:
    """The locks, by path, and what SMP kernels pay besides.

    `atomic`: what locked instructions add to a program's path, in 1/1024 of its time; `woken`: the
    same for interrupts of other vcpus, by `interrupt`.
    """

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
        for name, row in data["lock"].items():
            if unknown := sorted(op for op in row["ops"] if op not in ops):
                raise CostTableError(f"sharing.toml: [lock.{name}]: unknown op {unknown[0]!r}")
        self.locks = tuple(
            Lock(_held(row["ops"], parts), numbers[row["spin"]], row["can_be_kept"])
            for name, row in data["lock"].items()
        )
        self.interrupt = numbers["ipi"]
        atomic = data["cpu"][cpu]["locked_percent"]
        self.atomic = [0] * len(parts)
        self.woken = [0] * len(parts)
        for name, row in data["path"].items():
            path = numbers[name]
            self.atomic[path] = int(_kernel_share(parts[path]) * atomic * ONE / 100)
            self.woken[path] = int(row["wakes"] * cycles[self.interrupt] * ONE / 1000)


def _held(ops: Mapping[str, int], parts: Sequence[Sequence[Part]]) -> list[int]:
    return [
        sum(part.weight * ops.get(part.op, 0) for part in of_path)
        * ONE
        // (100 * sum(part.weight for part in of_path))
        for of_path in parts
    ]


def _kernel_share(parts: Sequence[Part]) -> Fraction:
    kernel = sum(part.weight for part in parts if part.mode == Mode.KERNEL)
    return Fraction(kernel, sum(part.weight for part in parts))
