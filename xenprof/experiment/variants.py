"""Makes the variants of an experiment: every combination of the values of its axes."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import product

from xenprof.experiment.errors import ExperimentError
from xenprof.experiment.events import Event, NoSuchCommand, check_domain, parsed
from xenprof.experiment.grammar import AxisTable, EventTable, FileTable, Plain
from xenprof.experiment.job import Job
from xenprof.experiment.limits import MAXIMUM_VARIANTS
from xenprof.experiment.measures import Measure
from xenprof.experiment.model import Tables, check, domain_names
from xenprof.experiment.places import NoSuchPlace, set_value, steps, take_value
from xenprof.experiment.plan import Variant


@dataclass(frozen=True, slots=True)
class Value:
    """A value of an axis."""

    name: str
    settings: Mapping[str, object]
    ideal: float = 1.0
    events: tuple[EventTable, ...] = ()
    moved: Mapping[str, str] = field(default_factory=dict)
    copies: int = 1
    then: Mapping[str, object] = field(default_factory=dict)


def axis_name(axis: AxisTable) -> str:
    """Return the name of an axis: its own, else the last word of its key."""
    return axis.name or (axis.key or "").rpartition(".")[2]


def text_of(value: Plain) -> str:
    """Return a value of an axis as it is shown, and named elsewhere in the file."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def axis_values(axis: AxisTable) -> tuple[Value, ...]:
    """Return the values of an axis."""
    if axis.key is None:
        return tuple(
            Value(one.name, one.set, one.ideal, one.events, one.move, one.copies, one.then)
            for one in axis.named
        )
    return tuple(
        Value(text_of(one), {axis.key: one}, float(one) if axis.ideal else 1.0)
        for one in axis.values
    )


def variants(
    file: FileTable, base: Tables, measures: Sequence[Measure], source: str, share: float
) -> Iterator[Variant]:
    """Yield all variants, the first axis turning slowest; times are `share` of the file's.

    Raises: ExperimentError, ScenarioError.
    """
    count = 1
    for axis in file.axes:
        count *= len(axis.values or axis.named)
    if count > MAXIMUM_VARIANTS:
        raise ExperimentError(f"{source}: {count} variants; {MAXIMUM_VARIANTS} at most")
    plain = _job(file, share, measures)
    for chosen in product(*map(axis_values, file.axes)):
        names = tuple(value.name for value in chosen)
        shown = f"{source}: {', '.join(names)}" if names else source
        tables = deepcopy(base)
        for settings in (file.set, *(value.settings for value in chosen)):
            _set(tables, settings, source)
        for value in chosen:
            _move(tables, value, source)
            _set(tables, value.then, source)
        check(tables, shown)
        tabled = [*file.events, *(event for value in chosen for event in value.events)]
        events = tuple(_event(one, file, tables, source, share) for one in tabled)
        ideal = 1.0
        for value in chosen:
            ideal *= value.ideal
        job = replace(plain, tables=tables, events=events)
        yield Variant(names, job, job.digest(), ideal)


def _job(file: FileTable, share: float, measures: Sequence[Measure]) -> Job:
    pieces = round(file.duration_s / file.every_s) if file.every_s else 1
    return Job(
        tables={},
        warm_up_ns=round(file.warm_up_s * share * 1e9),
        piece_ns=max(1, round(file.duration_s * share * 1e9 / pieces)),
        pieces=pieces,
        events=(),
        measures=tuple(measures),
    )


def _set(tables: Tables, settings: Mapping[str, object], source: str) -> None:
    for path, value in settings.items():
        try:
            if steps(path) == ("host", "seed"):
                raise NoSuchPlace("is what runs are repeated with; use seeds")
            set_value(tables, path, value)
        except NoSuchPlace as error:
            raise ExperimentError(f"{source}: '{path}': {error}") from None


def _move(tables: Tables, value: Value, source: str) -> None:
    for path, there in value.moved.items():
        try:
            taken = take_value(tables, path)
            if isinstance(taken, list):
                taken = [deepcopy(one) for _ in range(value.copies) for one in taken]
            set_value(tables, there, taken)
        except NoSuchPlace as error:
            raise ExperimentError(f"{source}: move '{path}' to '{there}': {error}") from None


def _event(one: EventTable, file: FileTable, tables: Tables, source: str, share: float) -> Event:
    try:
        if one.at_s >= file.duration_s:
            raise NoSuchCommand(f"at_s is {one.at_s:g}, and the run ends at {file.duration_s:g}")
        check_domain(parsed(one.do), domain_names(tables))
    except NoSuchCommand as error:
        raise ExperimentError(f"{source}: event '{one.do}': {error}") from None
    return Event(round(one.at_s * share * 1e9), one.do)
