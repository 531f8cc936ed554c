"""Defines the classes of a report: its columns, one for each event, task or cpu kept apart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from xenprof.errors import UsageError
from xenprof.opreport.commalist import split_list
from xenprof.opreport.errors import ReportError
from xenprof.profile.flat import SampleKey


class Axis(StrEnum):
    """The property by which the columns of a report differ."""

    EVENT = "event"
    TGID = "tgid"
    TID = "tid"
    CPU = "cpu"


_NAMES_SHOWN = 5

SUGGESTIONS = {
    Axis.EVENT: "specify event:, count: or unitmask: (see also --merge=unitmask)",
    Axis.TGID: "specify tgid: or --merge tgid",
    Axis.TID: "specify tid: or --merge tid",
    Axis.CPU: "specify cpu: or --merge cpu",
}


@dataclass(frozen=True, slots=True)
class Merge:
    """The properties that are added up instead of kept apart."""

    cpu: bool = False
    lib: bool = False
    tid: bool = False
    tgid: bool = False
    unit_mask: bool = False


MERGE_WORDS = {
    "cpu": ("cpu",),
    "lib": ("lib",),
    "library": ("lib",),
    "tid": ("tid",),
    "tgid": ("tgid", "tid"),
    "unitmask": ("unit_mask",),
    "all": ("cpu", "lib", "tid", "tgid", "unit_mask"),
}


def parse_merge(text: str) -> Merge:
    """Return the properties that the comma list of --merge names.

    Raises:
        UsageError: a word that is not a merge option.
    """
    merge = Merge()
    for word in split_list(text):
        if word not in MERGE_WORDS:
            raise UsageError(f"unknown merge option: {word}")
        merge = replace(merge, **dict.fromkeys(MERGE_WORDS[word], True))
    return merge


@dataclass(frozen=True, slots=True)
class ProfileClass:
    """One column. A field is None if it was merged or the files are not separated by it."""

    event: str
    count: int
    unit_mask: int | None
    tgid: int | None
    tid: int | None
    cpu: int | None

    def value(self, axis: Axis) -> str:
        """Return this column's place on an axis as text."""
        if axis is Axis.EVENT:
            return f"{self.event}:{self.count}"
        number = {Axis.TGID: self.tgid, Axis.TID: self.tid, Axis.CPU: self.cpu}[axis]
        return "all" if number is None else str(number)

    def name(self, axis: Axis) -> str:
        """Return the name of this column, e.g. `cpu:1` or `CPU_CLK_UNHALTED:100000`."""
        return self.value(axis) if axis is Axis.EVENT else f"{axis}:{self.value(axis)}"


@dataclass(frozen=True, slots=True)
class Classes:
    """The columns of a report in order, and the one axis along which they differ."""

    axis: Axis
    columns: tuple[ProfileClass, ...]

    def column_name(self, index: int) -> str:
        """Return the head of a column, e.g. `cpu:1` or `CPU_CLK_UNHALTED:100000`."""
        return self.columns[index].name(self.axis)

    def matches(self, other: "Classes") -> bool:
        """Return whether a profile with these columns can be compared with another.

        Columns of events must have the same events, unit masks apart; columns of processors or
        of tasks need only be as many.
        """
        if len(self.columns) != len(other.columns):
            return False
        if self.axis is Axis.CPU:
            return other.axis is Axis.CPU
        if self.axis is not Axis.EVENT:
            return other.axis in (Axis.TGID, Axis.TID)
        return all(
            (one.event, one.count) == (two.event, two.count)
            for one, two in zip(self.columns, other.columns, strict=True)
        )


def class_of(key: SampleKey, merge: Merge) -> ProfileClass:
    """Return the column to which a sample file belongs."""
    return ProfileClass(
        key.event,
        key.count,
        None if merge.unit_mask else key.unit_mask,
        None if merge.tgid else key.tgid,
        None if merge.tid else key.tid,
        None if merge.cpu else key.cpu,
    )


def classify(keys: Iterable[SampleKey], merge: Merge, *, one_axis: bool = True) -> Classes:
    """Return the columns that the files of `keys`, at least one, make.

    Raises:
        ReportError: the files differ along more than one axis, where only one can be shown.
    """
    columns = sorted({class_of(key, merge) for key in keys}, key=_order)
    return Classes(_axis(columns) if one_axis else Axis.EVENT, tuple(columns))


def _order(column: ProfileClass) -> tuple[object, ...]:
    numbers = (column.cpu, column.tgid, column.tid, column.unit_mask)
    last = [(number is None, number or 0) for number in numbers]
    return (*last, column.event, str(column.count))


def changed_axes(columns: Sequence[ProfileClass]) -> tuple[Axis, ...]:
    """Return the axes along which the columns differ."""

    def place(column: ProfileClass, axis: Axis) -> tuple[object, ...]:
        if axis is Axis.EVENT:
            return column.event, column.count, column.unit_mask
        return (column.value(axis),)

    return tuple(axis for axis in Axis if len({place(c, axis) for c in columns}) > 1)


def _axis(columns: Sequence[ProfileClass]) -> Axis:
    """Return the axis along which the columns differ. Raises: ReportError if there are several."""
    chosen: Axis | None = None
    for axis in changed_axes(columns):
        tasks = (Axis.TGID, Axis.TID)
        same_tasks = axis in tasks and all(c.tgid == c.tid for c in columns)
        if chosen is not None and not (chosen in tasks and same_tasks):
            raise ReportError(_conflict(columns, chosen, axis))
        chosen = axis
    return chosen or Axis.EVENT


def _conflict(columns: Sequence[ProfileClass], chosen: Axis, other: Axis) -> str:
    names = list(dict.fromkeys(column.name(chosen) for column in columns))
    shown = "".join(f"{name}," for name in names[:_NAMES_SHOWN])
    if len(names) >= _NAMES_SHOWN:
        shown += f" and {len(columns) - _NAMES_SHOWN} more,"
    return (
        f"Already displaying results for parameter {chosen} with values:\n"
        f"{shown}\n"
        f"which conflicts with parameter {other}.\n"
        f"Suggestion: {SUGGESTIONS[chosen]}"
    )
