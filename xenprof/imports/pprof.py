"""Reads pprof's profile.proto, gzipped or not.

The project's own files (see `xenprof.report.formats.pprof`) come back unchanged: mappings called
`DOMAIN:LAYER:IMAGE`, events as opcontrol writes them. In others each value type is an event,
but for one that is another times the period: `cpu` of Go's `samples`, `cpu`.

Source: github.com/google/pprof proto/profile.proto.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from xenprof.imports.errors import InputError
from xenprof.imports.places import classified
from xenprof.imports.protowire import BadMessage, Fields, fields, signed
from xenprof.imports.recording import (
    LARGEST_TOTAL,
    NO_ADDRESS,
    UNKNOWN,
    Recording,
    Rows,
    Step,
    Task,
    clean,
    event_names,
)
from xenprof.profile.losses import lost_in
from xenprof.profile.stacks import Layer, SampleType

LARGEST_BYTES = 1 << 26  # judgement: unpacked profiles of an hour are some MiB
_OWN = re.compile(r"([^:]+):(user|kernel|hypervisor):(.+)", re.DOTALL)
_SETTING = re.compile(r"(.+):(\d{1,18}):(\d{1,9})")
_MOST_TYPES = 64
_Columns = tuple[tuple[str, SampleType, int], ...]
"""Name in the input, type, column of the input."""


@dataclass(frozen=True, slots=True)
class _Tables:
    """The parts of a profile that samples refer to. Steps of a location: innermost first."""

    strings: list[str]
    locations: Mapping[int, tuple[Step, ...]]


def read(data: bytes, path: str, *, domain: str) -> Recording:
    """Return the samples of an unpacked file; they belong to `domain` if it names no domain.

    Raises: InputError.
    """
    try:
        return _read(data, path, domain)
    except BadMessage as error:
        raise InputError(path, f"not a pprof profile, or damaged: {error}") from None


def _read(data: bytes, path: str, domain: str) -> Recording:
    top = fields(data)
    strings = _strings(top)
    types = [_value_type(message, strings) for message in top.messages(1)]
    if not types:
        raise BadMessage("it has no value types")
    if len(types) > _MOST_TYPES:
        raise BadMessage(f"it has {len(types)} value types; {_MOST_TYPES} are allowed")
    tables = _Tables(strings, _locations(top, strings, domain))
    rows = Rows()
    totals, lost = [0] * len(types), [0] * len(types)
    pairs: list[tuple[tuple[int, ...], list[int]]] = []
    for index, message in enumerate(top.messages(2), 1):
        stack, counts = _sample(message, index, len(types), tables, rows, path)
        pairs.append((stack, counts))
        for column, count in enumerate(counts):
            totals[column] += count
            lost[column] += 0 if stack else count
    if not any(totals):
        raise InputError(path, "no samples")
    columns, notes = _columns(top, types, strings, [counts for _, counts in pairs])
    default = _text(strings, top.number(14))
    columns = tuple(sorted(columns, key=lambda column: types[column[2]][0] != default))
    if _text(strings, top.number(7)):
        notes = (*notes, "it asks readers to drop frames (drop_frames): all are kept")
    for name, _, column in columns:
        if totals[column] > LARGEST_TOTAL:
            raise InputError(
                path, f"{clean(name)} is {totals[column]} in all, more than {LARGEST_TOTAL}"
            )
    for stack, counts in pairs:
        for new, (_, _, column) in enumerate(columns):
            if stack and counts[column]:
                rows.add(stack, Task(), new, counts[column])
    told = (lost_in(_text(strings, index)) for index in top.packed(13))
    before = next((each for each in told if each), {})
    gone = tuple(lost[column] for _, _, column in columns)
    start, duration = signed(top.number(9)), signed(top.number(10))
    return Recording(
        tuple(kind for _, kind, _ in columns),
        tuple(clean(name) for name, _, _ in columns),
        rows.steps,
        rows.stacks,
        rows.tasks,
        rows.values(len(columns)),
        {NO_ADDRESS: gone} if any(gone) else {},
        before,
        start_unix_ns=start if start > 0 else None,
        duration_ns=duration if duration > 0 else None,
        notes=notes,
        is_first_main=types[columns[0][2]][0] == default,
    )


def _strings(top: Fields) -> list[str]:
    try:
        return [clean(text.decode()) for text in top.texts(6)]
    except UnicodeDecodeError:
        raise BadMessage("a name is not UTF-8") from None


def _text(strings: list[str], index: int) -> str:
    if index >= len(strings) and index:
        raise BadMessage(f"string {index} is not there")
    return strings[index] if index else ""


def _value_type(message: Fields, strings: list[str]) -> tuple[str, str]:
    return _text(strings, message.number(1)), _text(strings, message.number(2))


def _locations(top: Fields, strings: list[str], domain: str) -> dict[int, tuple[Step, ...]]:
    mappings = {m.number(1): _text(strings, m.number(5)) for m in top.messages(3)}
    functions = {
        f.number(1): tuple(_text(strings, f.number(field)) for field in (2, 3, 4))
        for f in top.messages(5)
    }
    found: dict[int, tuple[Step, ...]] = {}
    for location in top.messages(4):
        mapping, address = location.number(2), location.number(3)
        if mapping and mapping not in mappings:
            raise BadMessage(f"mapping {mapping} is not there")
        at = address or -1
        name = mappings.get(mapping, "")
        own = _OWN.fullmatch(name)
        if own is not None:
            owner = own[1].replace("%3A", ":").replace("%25", "%")
            place = (own[3], Layer(own[2]), owner, "")
        else:
            place = classified(name or UNKNOWN, at, domain)
        steps = []
        for line in location.messages(4):
            number = line.number(1)
            if number and number not in functions:
                raise BadMessage(f"function {number} is not there")
            symbol, system, file = functions.get(number, ("", "", ""))
            is_image = own and not system and symbol in (f"[{place[0]}]", place[0])
            if is_image or symbol == UNKNOWN:
                symbol = ""
            if own and file == place[0]:
                file = ""
            steps.append(_step(symbol, place, at, file, line.number(2)))
        found[location.number(1)] = tuple(steps) or (_step("", place, at, "", 0),)
    return found


def _step(
    symbol: str, place: tuple[str, Layer, str, str], address: int, file: str, line: int
) -> Step:
    image, layer, domain, memory = place
    memory = "" if symbol else memory
    line = line if line < 1 << 31 else 0
    return Step(symbol, image, layer, domain, address, -1, file, line, memory)


def _sample(
    message: Fields, index: int, columns: int, tables: _Tables, rows: Rows, path: str
) -> tuple[tuple[int, ...], list[int]]:
    counts = [signed(value) for value in message.packed(2)]
    if len(counts) != columns:
        raise BadMessage(f"sample {index} has {len(counts)} values, not {columns}")
    if min(counts) < 0:
        raise InputError(
            path, f"sample {index} has a negative value: a difference of profiles, not a profile"
        )
    stack: list[int] = []
    for number in message.packed(1):
        steps = tables.locations.get(number)
        if steps is None:
            raise BadMessage(f"location {number} is not there")
        stack.extend(rows.number(step) for step in steps)
    stack.reverse()
    return tuple(stack), counts


def _columns(
    top: Fields, types: list[tuple[str, str]], strings: list[str], counts: list[list[int]]
) -> tuple[_Columns, tuple[str, ...]]:
    """Return the columns to keep, and notes on the others."""
    comments = [_text(strings, index) for index in top.packed(13)]
    settings = [match for comment in comments if (match := _SETTING.fullmatch(comment))]
    names = [name for name, _ in types]
    own = [name for match in settings for name in (f"{match[1]}_sample", match[1])]
    if own == names:
        kept = [(match, 2 * index) for index, match in enumerate(settings)]
        if all(_is_multiple(counts, at, at + 1, max(int(match[2]), 1)) for match, at in kept):
            new = event_names([match[1] for match, _ in kept])
            # One event with two periods or unit masks keeps its name: these tell the columns apart.
            plain = [
                match[1] if match[1] == event_names([match[1]])[0] else "" for match, _ in kept
            ]
            return tuple(
                (match[1], SampleType(same or other, int(match[2]), int(match[3])), at)
                for (match, at), same, other in zip(kept, plain, new, strict=True)
            ), ()
    period_type = [_value_type(message, strings) for message in top.messages(11)][-1:]
    period = max(signed(top.number(12)), 0)
    titles = [name if unit in ("", "count") else f"{name}_{unit}" for name, unit in types]
    is_pair = period and len(types) == 2 and period_type == types[1:] and types[0][1] == "count"
    if is_pair and _is_multiple(counts, 0, 1, period):
        (name,) = event_names([names[1]])
        note = f"{titles[1]} is {names[0]} times {period}: kept as the period"
        return ((names[1], SampleType(name, period), 0),), (note,)
    return tuple(
        (title, SampleType(name, 1), column)
        for column, (title, name) in enumerate(zip(titles, event_names(titles), strict=True))
    ), ()


def _is_multiple(counts: list[list[int]], first: int, second: int, factor: int) -> bool:
    return all(row[second] == row[first] * factor for row in counts)
