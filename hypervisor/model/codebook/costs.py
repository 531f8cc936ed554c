"""Reads and checks `costs.toml`: processors, classes of work, ops and paths.

Nothing is computed here beyond checking; `book.py` makes a CodeBook of it. Numbers with a
point in the file are exact fractions, so that no result depends on floating point.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import tomli

from hypervisor.errors import TableError
from hypervisor.model.codebook.events import Kind
from hypervisor.model.codebook.images import Image

_BY_INSTRUCTION: tuple[Kind, ...] = tuple(
    kind for kind in Kind if kind not in (Kind.CYCLES, Kind.INSTRUCTIONS, Kind.TLB_WALKS)
)
CHECK_CTRS = "{check_ctrs}"
HYPERVISOR: Final = "xen"
"""The key of the hypervisor's image."""
HYPERCALL_SHARES: Final = 512
"""Hypercalls are counted in such parts of one, because so many pages share one (balloon driver)."""


class CostTableError(TableError):
    """Says that costs.toml cannot be used; the message names the row."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """A processor: its cycles by class and events per instruction, in percent of the P4's.

    `functions`: those of Xen that take the place of others on it.
    """

    name: str
    check_ctrs: str
    functions: Mapping[str, str]
    cycles_percent: Mapping[str, int]
    events_percent: Mapping[Kind, int]


@dataclass(frozen=True, slots=True)
class WorkClass:
    """A class of work on the P4: instructions per 1000 cycles, events per 1000 instructions."""

    name: str
    instructions: Fraction
    events: Mapping[Kind, Fraction]


@dataclass(frozen=True, slots=True)
class Op:
    """A piece of work in one image, with the hypercalls in it.

    `symbols`: parts by function. `why`: source or judgement. `cycles_x86_64`: on a 64-bit Xen.
    """

    name: str
    image: Image
    work_class: str
    cycles: int
    cycles_x86_64: int
    symbols: Mapping[str, int]
    hypercalls: Fraction
    why: str


@dataclass(frozen=True, slots=True)
class PathRow:
    """A path: how often each op is done for one unit.

    `fixed_cycles`: the cycles of one unit on every cpu. `program`: the image whose user code runs.
    `is_softirq`: where an interrupt executes it, it does so in a softirq. `like`: the path of which
    this is what an HVM guest does instead. `fixed_like`: the one, as it is under Xen, whose
    `fixed_cycles` it has in proportion to its ops; "": they are its own.
    """

    name: str
    unit: str
    ops: Mapping[str, Fraction]
    fixed_cycles: int | None
    program: Image | None
    is_softirq: bool = False
    like: str = ""
    fixed_like: str = ""


class Costs:
    """Holds the checked tables. Raises: CostTableError."""

    def __init__(
        self, images: Mapping[str, Image], text: str | None = None, *, is_native: bool = False
    ) -> None:
        """Read `text`, by default the packaged costs.toml; `images` by key.

        `is_native`: the paths are those of a host without Xen. `under_xen` has them with it.
        """
        if text is None:
            text = Path(__file__).with_name("costs.toml").read_text("utf-8")
        data = tomli.loads(text, parse_float=Fraction)
        self.classes = {n: _work_class(n, row) for n, row in data["class"].items()}
        self.cpus = {n: _cpu(n, row, self.classes) for n, row in data["cpu"].items()}
        names = {cpu.check_ctrs for cpu in self.cpus.values()}
        self.ops = {n: _op(n, row, images, self.classes, names) for n, row in data["op"].items()}
        self.paths = {n: _path(n, row, images, self.ops) for n, row in data["path"].items()}
        if "hvm" in data:
            self.paths |= twins(data["hvm"], self.paths, self.ops)
        self.under_xen: Mapping[str, PathRow] = self.paths
        instead = _natives(data["native"], self.ops) if "native" in data else {}
        used = {op for path in self.paths.values() for op in path.ops}
        used |= {other for op in used for other in instead.get(op, ())}
        if unused := sorted(self.ops.keys() - used):
            raise CostTableError(f"costs.toml: no path uses op {', '.join(unused)}")
        if is_native:
            self.paths = _without_xen(instead, self.paths, self.ops)


def twins(
    table: Mapping[str, Any], paths: Mapping[str, PathRow], ops: Mapping[str, Op]
) -> dict[str, PathRow]:
    """Return the paths that HVM guests execute instead of those of `table`, by name.

    Raises: CostTableError.
    """
    _take("[hvm]", table, {"paths", "instead", "path"}, set())
    instead: Mapping[str, Mapping[str, Any]] = table["instead"]
    given: dict[str, Mapping[str, Fraction]] = {n: row["ops"] for n, row in table["path"].items()}
    for name in table["paths"].split():
        found: dict[str, Fraction] = {}
        for op, count in paths[name].ops.items() if name in paths else ():
            for other, each in instead.get(op, {op: 1}).items():
                found[other] = found.get(other, Fraction(0)) + count * each
        given[name] = found
    rows: dict[str, PathRow] = {}
    for name, counts in given.items():
        if name not in paths:
            raise CostTableError(f"costs.toml: [hvm]: unknown path {name!r}")
        if unknown := sorted(counts.keys() - ops.keys()):
            raise CostTableError(f"costs.toml: [hvm] {name}: unknown op {unknown[0]!r}")
        base = paths[name]
        exact = {op: Fraction(count) for op, count in counts.items()}
        twin = f"hvm_{name}"
        rows[twin] = PathRow(
            twin, base.unit, exact, base.fixed_cycles, base.program, like=name, fixed_like=name
        )
    return rows


def _natives(
    table: Mapping[str, Any], ops: Mapping[str, Op]
) -> Mapping[str, Mapping[str, Fraction]]:
    """Return what a host without Xen does instead of ops. Raises: CostTableError."""
    _take("[native]", table, {"instead"}, set())
    instead: Mapping[str, Mapping[str, Fraction]] = table["instead"]
    if unknown := sorted({*instead, *(op for row in instead.values() for op in row)} - ops.keys()):
        raise CostTableError(f"costs.toml: [native]: unknown op {unknown[0]!r}")
    return instead


def _without_xen(
    instead: Mapping[str, Mapping[str, Fraction]],
    paths: Mapping[str, PathRow],
    ops: Mapping[str, Op],
) -> dict[str, PathRow]:
    """Return the paths as a host without Xen executes them; `instead`: see `_natives`."""
    rows: dict[str, PathRow] = {}
    for name, row in paths.items():
        found: dict[str, Fraction] = {}
        for op, count in row.ops.items():
            usual = {} if ops[op].image.key == HYPERVISOR else {op: Fraction(1)}
            for other, each in instead.get(op, usual).items():
                found[other] = found.get(other, Fraction(0)) + count * Fraction(each)
        same = row.fixed_like or name
        rows[name] = replace(row, ops=found, fixed_like=same) if found else row
    return rows


def _why(where: str, row: Mapping[str, Any]) -> str:
    given = [row[key] for key in ("source", "judgement") if row.get(key)]
    if len(given) != 1:
        raise CostTableError(f"costs.toml: {where} needs either a source or a judgement")
    return str(given[0])


def _take(where: str, row: Mapping[str, Any], keys: set[str], optional: set[str]) -> None:
    if missing := sorted(keys - row.keys()):
        raise CostTableError(f"costs.toml: {where} lacks {', '.join(missing)}")
    if unknown := sorted(row.keys() - keys - optional):
        raise CostTableError(f"costs.toml: {where}: unknown key {', '.join(unknown)}")


def _cpu(name: str, row: Mapping[str, Any], classes: Mapping[str, WorkClass]) -> Cpu:
    where = f"[cpu.{name}]"
    _take(where, row, {"check_ctrs", "cycles", "events"}, {"functions", "source", "judgement"})
    _why(where, row)
    if row["cycles"].keys() != classes.keys():
        raise CostTableError(f"costs.toml: {where} cycles must name each class once")
    if unknown := sorted(row["events"].keys() - {kind.name.lower() for kind in _BY_INSTRUCTION}):
        raise CostTableError(f"costs.toml: {where} events: unknown kind {', '.join(unknown)}")
    events = {kind: row["events"].get(kind.name.lower(), 100) for kind in _BY_INSTRUCTION}
    return Cpu(name, row["check_ctrs"], row.get("functions", {}), row["cycles"], events)


def _work_class(name: str, row: Mapping[str, Any]) -> WorkClass:
    where = f"[class.{name}]"
    keys = {kind.name.lower(): kind for kind in _BY_INSTRUCTION}
    _take(where, row, {*keys, "instructions"}, {"source", "judgement"})
    _why(where, row)
    events = {kind: Fraction(row[key]) for key, kind in keys.items()}
    if min(row["instructions"], *events.values()) < 0:
        raise CostTableError(f"costs.toml: {where} has a negative rate")
    return WorkClass(name, Fraction(row["instructions"]), events)


def _op(
    name: str,
    row: Mapping[str, Any],
    images: Mapping[str, Image],
    classes: Mapping[str, WorkClass],
    check_ctrs: set[str],
) -> Op:
    where = f"[op.{name}]"
    optional = {"cycles_x86_64", "hypercalls", "source", "judgement"}
    _take(where, row, {"image", "class", "cycles", "symbols"}, optional)
    why = _why(where, row)
    if row["image"] not in images:
        raise CostTableError(f"costs.toml: {where}: unknown image {row['image']!r}")
    if row["class"] not in classes:
        raise CostTableError(
            f"costs.toml: {where}: class {row['class']!r} is not one of {', '.join(classes)}"
        )
    image = images[row["image"]]
    for symbol, part in row["symbols"].items():
        for function in check_ctrs if symbol == CHECK_CTRS else {symbol}:
            if function not in image.symbols:
                raise CostTableError(f"costs.toml: {where}: no function {function} in {image.path}")
        if not isinstance(part, int) or part <= 0:
            raise CostTableError(f"costs.toml: {where}: part of {symbol} must be 1 or more")
    if not row["symbols"] or not isinstance(row["cycles"], int) or row["cycles"] <= 0:
        raise CostTableError(f"costs.toml: {where} needs symbols, and 1 or more cycles")
    calls = Fraction(row.get("hypercalls", 0))
    if calls < 0 or HYPERCALL_SHARES % calls.denominator:
        raise CostTableError(f"costs.toml: {where}: hypercalls come in parts of {HYPERCALL_SHARES}")
    wide = row.get("cycles_x86_64", row["cycles"])
    return Op(name, image, row["class"], row["cycles"], wide, row["symbols"], calls, why)


def _path(
    name: str, row: Mapping[str, Any], images: Mapping[str, Image], ops: Mapping[str, Op]
) -> PathRow:
    where = f"[path.{name}]"
    _take(where, row, {"unit", "ops"}, {"cycles", "program", "softirq"})
    if not row["ops"]:
        raise CostTableError(f"costs.toml: {where} needs ops")
    for op, count in row["ops"].items():
        if op not in ops:
            raise CostTableError(f"costs.toml: {where}: unknown op {op!r}")
        if count <= 0:
            raise CostTableError(f"costs.toml: {where}: count of {op} must be positive")
    program = None
    if "program" in row:
        program = images.get(row["program"])
        if program is None or program.kind != "program":
            raise CostTableError(f"costs.toml: {where}: no program {row['program']!r}")
    mapped = {program.key, "libc", *program.libraries} if program else set()
    for op in row["ops"]:
        image = ops[op].image
        if image.kind in ("program", "library") and image.key not in mapped:
            raise CostTableError(f"costs.toml: {where}: {image.path} is not mapped by its program")
    counts = {op: Fraction(count) for op, count in row["ops"].items()}
    return PathRow(name, row["unit"], counts, row.get("cycles"), program, row.get("softirq", False))
