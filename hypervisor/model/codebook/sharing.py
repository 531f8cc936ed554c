"""Works out how each path suffers from neighbours: `sharing.toml` for one cpu, path by path.

Tables use integers only, so that they are the same on every machine.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt, lcm
from pathlib import Path
from typing import Any, Final

import tomli

from hypervisor.model.codebook.costs import Costs, CostTableError, Cpu
from hypervisor.model.codebook.events import Kind
from hypervisor.model.codebook.locking import ONE, Locking
from hypervisor.model.codebook.parts import Part

LINE_BYTES: Final = 64
_COUNTED: Final = Fraction(3, 4)
"""Of the lines that STREAM's triad moves (see `sharing.toml`)."""
STALLED_MOST: Final = ONE * 9 // 10
"""No code does nothing but wait for memory (judgement)."""


@dataclass(frozen=True, slots=True)
class CacheRow:
    """The second-level cache and the memory of a processor."""

    l2_kib: int
    l2_cores: int
    line_ns: int
    remote_percent: int
    bus_mb_per_second: int
    bus_per_socket: bool


class Sharing:
    """How the paths of a code book share a processor, by index.

    `cache`: of the cpu. `gain`: what a second thread adds, in percent. `stall`: the share of time
    that is spent waiting for memory on an unshared core with the whole cache. `fetched`: lines from
    memory in a millisecond. `moved`: the lines in a millisecond that count against what the memory
    sustains. `kept`: lines that are touched again and again, as far as the cache
    holds them; `refill_ns`: what fetching one of them again takes, in 1/1024 ns, by the code of
    `refill_path`. `full`: the lines of a cache. `locking`: what vcpus of a guest share besides.
    """

    def __init__(
        self,
        costs: Costs,
        cpu: Cpu,
        parts: Sequence[Sequence[Part]],
        cycles: Sequence[int],
        mhz: int,
    ) -> None:
        """`parts` and `cycles` has those of each path."""
        text = Path(__file__).with_name("sharing.toml").read_text("utf-8")
        data = tomli.loads(text, parse_float=Fraction)
        _check(data, costs)
        row = dict(data["cpu"][cpu.name])
        self.cache = CacheRow(**{key: row[key] for key in CacheRow.__slots__})
        line_cycles = Fraction(self.cache.line_ns * mhz, 1000)
        misses = {name: _misses(costs, cpu, name) for name in data["class"]}
        miss = _Rate(misses)
        gain = _Rate({name: Fraction(one["thread_gain"]) for name, one in data["class"].items()})
        stall = _Rate(
            {
                name: misses[name] * line_cycles / one["overlap"]
                for name, one in data["class"].items()
            }
        )
        moved = _Rate({**misses, **_moves(data["copy"], costs, cpu)})
        mixes = [_mix(of_path) for of_path in parts]
        self.gain = [gain.mean(mix, 1) for mix in mixes]
        self.stall = [min(stall.mean(mix, ONE), STALLED_MOST) for mix in mixes]
        self.fetched = [miss.mean(mix, mhz * 1000) for mix in mixes]
        copying = [_mix(of_path, data["copy"]) for of_path in parts]
        self.moved = [moved.mean(mix, mhz * 1000) for mix in copying]
        self.full = full = self.cache.l2_kib * 1024 // LINE_BYTES
        rows = [data["path"].get(row.like or name, {}) for name, row in costs.paths.items()]
        wanted = [row.get("cache_kib", 0) for row in rows]
        self.kept: list[int] = [min(kib * 1024 // LINE_BYTES, full) for kib in wanted]
        numbers = {name: number for number, name in enumerate(costs.paths)}
        self.refill_path = [numbers[row["refill"]] if row else -1 for row in rows]
        self.locking = Locking(data, cpu.name, numbers, parts, cycles, costs.ops)
        self.refill_ns = [stall.ratio(miss, mix, 1000 * ONE, mhz) for mix in mixes]

    def crowded(self, sharers: int) -> list[int]:
        """Return, by path, the misses for each usual one where `sharers` divide the cache.

        Source: misses grow with the root of what a cache lacks (Hartstein et al., Cache miss
        behavior: is it the square root of 2?, Computing Frontiers 2006).
        """
        share = self.full // sharers
        return [isqrt(ONE * ONE * max(kept, share) // share) for kept in self.kept]


class _Rate:
    """Something that happens so often in a cycle, by class of work or op.

    It is kept over one denominator: sums of fractions took longer than all else here.
    """

    def __init__(self, in_a_cycle: Mapping[str, Fraction]) -> None:
        self._one = lcm(*(rate.denominator for rate in in_a_cycle.values()))
        self._rates = {name: int(rate * self._one) for name, rate in in_a_cycle.items()}

    def mean(self, mix: Mapping[str, int], cycles: int) -> int:
        """Return how often it happens in so many cycles of a mix, rounded down."""
        return self._sum(mix) * cycles // (self._one * sum(mix.values()))

    def ratio(self, other: "_Rate", mix: Mapping[str, int], times: int, divisor: int) -> int:
        """Return `times` / `divisor` of this for each of another in a mix; 0: there are none."""
        for_each = other._sum(mix) * self._one * divisor
        return self._sum(mix) * other._one * times // for_each if for_each else 0

    def _sum(self, mix: Mapping[str, int]) -> int:
        return sum(self._rates[name] * weight for name, weight in mix.items())


def _misses(costs: Costs, cpu: Cpu, name: str) -> Fraction:
    """Return the lines that a class of work fetches from memory in a cycle."""
    row = costs.classes[name]
    instructions = row.instructions / 1000 * 100 / cpu.cycles_percent[name]
    of_thousand = row.events[Kind.L2_MISSES] * cpu.events_percent[Kind.L2_MISSES] / 100
    return instructions * of_thousand / 1000


def _moves(
    copies: Mapping[str, Mapping[str, Any]], costs: Costs, cpu: Cpu
) -> Mapping[str, Fraction]:
    """Return the lines that copies move in a cycle, counted as the triad's are: three of four."""
    percent = cpu.cycles_percent
    return {
        name: row["lines"]
        * _COUNTED
        * 100
        / (costs.ops[name].cycles * percent[costs.ops[name].work_class])
        for name, row in copies.items()
    }


def _mix(parts: Sequence[Part], apart: Container[str] = ()) -> Mapping[str, int]:
    """Return the cycles of a path by class of work, those of ops that stand `apart` by op."""
    mix: dict[str, int] = {}
    for part in parts:
        name = part.op if part.op in apart else part.work_class
        mix[name] = mix.get(name, 0) + part.weight
    return mix


def _check(data: Mapping[str, Mapping[str, Mapping[str, Any]]], costs: Costs) -> None:
    if both := sorted(costs.classes.keys() & costs.ops.keys()):
        raise CostTableError(f"costs.toml: {both[0]!r} is a class and an op; sharing.toml has both")
    known: dict[str, set[str]] = {"cpu": {*costs.cpus}, "class": {*costs.classes}}
    for table, rows in known.items():
        if missing := sorted(rows - data[table].keys()):
            raise CostTableError(f"sharing.toml: no [{table}.{missing[0]}]")
    for name, row in data["lock"].items():
        if row["spin"] not in costs.paths:
            raise CostTableError(f"sharing.toml: [lock.{name}]: unknown path {row['spin']!r}")
    for table, names in {
        **known,
        "copy": {*costs.ops},
        "lock": {*data["lock"]},
        "path": {*costs.paths},
    }.items():
        for name, row in data[table].items():
            if name not in names:
                raise CostTableError(f"sharing.toml: [{table}.{name}] is not in costs.toml")
            if bool(row.get("source")) == bool(row.get("judgement")):
                raise CostTableError(
                    f"sharing.toml: [{table}.{name}] needs either a source or a judgement"
                )
