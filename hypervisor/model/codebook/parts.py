"""Works out what the ops of a path weigh on one cpu."""

from dataclasses import dataclass

from hypervisor.model.codebook.costs import CHECK_CTRS, Costs, Cpu, PathRow
from hypervisor.model.codebook.images import Symbol

CYCLE_UNIT = 1000
"""Weights of ops are kept in thousandths of a cycle."""


@dataclass(frozen=True, slots=True)
class Part:
    """An op inside a path on one cpu: its weight, class, and functions with their parts."""

    op: str
    image: str
    mode: int
    weight: int
    work_class: str
    symbols: tuple[tuple[Symbol, int], ...]

    @property
    def shares(self) -> int:
        """Return the sum of the functions' parts."""
        return sum(share for _, share in self.symbols)


def parts_of(row: PathRow, costs: Costs, cpu: Cpu, arch: str) -> list[Part]:
    """Return the ops of a path as parts of it."""
    parts = []
    for name, count in row.ops.items():
        op = costs.ops[name]
        percent = cpu.cycles_percent[op.work_class]
        shares: dict[str, int] = {}
        for symbol, share in op.symbols.items():
            function = cpu.check_ctrs if symbol == CHECK_CTRS else symbol
            function = cpu.functions.get(function, function)
            shares[function] = shares.get(function, 0) + share
        symbols = tuple((op.image.symbols[name], share) for name, share in shares.items())
        cycles = op.cycles_x86_64 if arch == "x86_64" else op.cycles
        weight = count.numerator * cycles * percent * CYCLE_UNIT // (count.denominator * 100)
        parts.append(Part(name, op.image.key, op.image.mode, weight, op.work_class, symbols))
    return parts
