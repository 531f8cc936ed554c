"""Reads experiments: files of people, and those that come with the product."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from hypervisor.nearest import hint
from hypervisor.wholetext import read_whole
from xenprof.experiment.checking import check_variants
from xenprof.experiment.errors import ExperimentError
from xenprof.experiment.findings import findings
from xenprof.experiment.grammar import FileTable, Plain, ResultTable
from xenprof.experiment.measures import Measure
from xenprof.experiment.model import base_tables, message
from xenprof.experiment.plan import Comparison, Experiment, Result, Texts
from xenprof.experiment.variants import axis_name, axis_values, text_of, variants
from xenprof.experiment.words import headline

BUILT_IN: Final = Path(__file__).parent / "builtin"


def names() -> tuple[str, ...]:
    """Return the names of the built-in experiments."""
    return tuple(sorted(path.stem for path in BUILT_IN.glob("*.toml")))


def texts(name: str) -> Texts:
    """Return what a built-in experiment says of itself."""
    return _texts(_file(BUILT_IN / f"{name}.toml"), name)


def load(name_or_path: str, *, is_quick: bool = False, seeds: int | None = None) -> Experiment:
    """Return an experiment, of which all is checked. Raises: ExperimentError, HostError.

    A quick one has one seed and a part of the time.
    """
    if "/" in name_or_path or name_or_path.endswith(".toml"):
        path, source = Path(name_or_path), name_or_path
    elif name_or_path in names():
        path = BUILT_IN / f"{name_or_path}.toml"
        source = name_or_path
    else:
        raise ExperimentError(
            f"no experiment '{name_or_path}'{hint(name_or_path, names())}; built in: "
            f"{', '.join(names())}; or give the path of a .toml file"
        )
    file = _file(path)
    base = file.scenario or base_tables(file.base or "", path.parent)
    measures = list(dict.fromkeys(_measure(one) for one in file.results))
    share = file.quick if is_quick else 1.0
    made = tuple(variants(file, base, measures, source, share))
    axes = tuple(map(axis_name, file.axes))
    for axis in axes:
        if axes.count(axis) > 1:
            raise ExperimentError(f"{source}: two axes are called '{axis}'; give them names")
    results = tuple(_result(one, file, measures, source) for one in file.results)
    check_variants(made, results, measures, source)
    experiment = Experiment(
        name=path.stem,
        texts=_texts(file, path.stem),
        axes=axes,
        variants=made,
        results=results,
        seeds=seeds or (1 if is_quick else file.seeds),
        chart=file.chart,
    )
    try:
        headline(findings(experiment, {}))  # of what there will be
    except ExperimentError as error:
        raise ExperimentError(f"{source}: {error}") from None
    return experiment


def _file(path: Path) -> FileTable:
    try:
        data = tomllib.loads(read_whole(path).decode())
    except OSError as error:
        raise ExperimentError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ExperimentError(f"{path}: not a TOML file (not UTF-8 text)") from None
    except ValueError as error:
        raise ExperimentError(f"{path}: not TOML: {error}") from None
    except RecursionError:
        raise ExperimentError(f"{path}: not TOML: nested too deep") from None
    try:
        return FileTable.model_validate(data)
    except ValidationError as error:
        raise ExperimentError(message(str(path), error, data)) from None


def _texts(file: FileTable, name: str) -> Texts:
    return Texts(
        file.title or name,
        file.slide or "",
        file.shows or "",
        file.talk or "",
        file.headline or "",
    )


def _measure(table: ResultTable) -> Measure:
    of = _paths(table.of)
    usual = "share" if all(path.endswith("_ns") for path in of) else "per_second"
    how = table.how or ("growth" if table.per else usual)
    return Measure(of, how, _paths(table.per or ()), table.times)


def _paths(given: str | tuple[str, ...]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else given


def _result(
    table: ResultTable, file: FileTable, measures: Sequence[Measure], source: str
) -> Result:
    where = f"{source}: result[{table.name}]"
    against = None
    if table.against is not None and table.shown is not None:
        one = table.against
        given = one if isinstance(one, dict) else {None: one}
        values = _values(given, file, f"{where}.against")
        against = Comparison({axis: names[0] for axis, names in values.items()}, table.shown)
    only = _values(table.only or {}, file, f"{where}.only")
    number = measures.index(_measure(table))
    return Result(table.name, table.unit, number, against, table.low, table.high, only)


def _values(
    given: Mapping[str, Plain | tuple[Plain, ...]] | Mapping[None, Plain],
    file: FileTable,
    where: str,
) -> dict[int, tuple[str, ...]]:
    """Return values of axes by the number of the axis; None is the only one.

    Raises: ExperimentError.
    """
    axes = [axis_name(axis) for axis in file.axes]
    there = ", ".join(axes) or "none"
    found: dict[int, tuple[str, ...]] = {}
    for axis, value in given.items():
        if axis is None and len(axes) != 1:
            raise ExperimentError(
                f"{where}: name the axis, as there are {there}: {{ AXIS = {value!r} }}"
            )
        name = axes[0] if axis is None else axis
        if name not in axes:
            raise ExperimentError(f"{where}: no axis '{name}'{hint(name, axes)}; there are {there}")
        number = axes.index(name)
        known = [one.name for one in axis_values(file.axes[number])]
        texts = [text_of(one) for one in (value if isinstance(value, tuple) else (value,))]
        for text in texts:
            if text not in known:
                raise ExperimentError(
                    f"{where}: axis '{name}' has no '{text}'{hint(text, known)}; "
                    f"it has {', '.join(known)}"
                )
        found[number] = tuple(texts)
    return found
