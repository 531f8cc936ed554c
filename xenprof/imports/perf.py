"""Reads what `perf script` prints: a header line for each sample, then its call chain.

    httpd  2311/2314 [001] 4711.190511:     250000 cycles:ppp:
                ffffffff8107f2a1 try_to_wake_up+0x1f1 ([kernel.kallsyms])
                    7f1f9a0c1d30 [unknown] (/usr/lib64/libc-2.17.so)

Pid or tid alone, cpu, time, period and `+0x` may be missing; without call chains the frame is
on the header's line. Source: Linux tools/perf/builtin-script.c, util/evsel_fprintf.c.
"""

import re
from dataclasses import dataclass, field

from xenprof.imports.errors import InputError
from xenprof.imports.places import classified
from xenprof.imports.reading import lines, shown
from xenprof.imports.recording import (
    NO_ADDRESS,
    UNKNOWN,
    Recording,
    Rows,
    Step,
    Task,
    clean,
    event_names,
)
from xenprof.profile.stacks import SampleType

_LONGEST_LINE = 1 << 16  # judgement: names of C++ templates reach some 10000
_HEADER = re.compile(
    r"\s*(?P<comm>\S.{0,63}?)\s+(?P<pid>-?\d{1,10})(?:/(?P<tid>-?\d{1,10}))?\s+"
    r"(?:\[(?P<cpu>\d{1,5})\]\s+)?(?:[A-Za-z.]{4,8}\s+)?"
    r"(?:(?P<seconds>\d{1,12})\.(?P<decimals>\d{1,9}):\s+)?"
    r"(?:(?P<period>\d{1,20})\s+)?(?P<event>[^\s:]\S{0,199}?):(?:\s+(?P<rest>.*))?"
)
_RECORD = re.compile(r"(?:.*\s)?PERF_RECORD_([A-Z_0-9]+)\b(.*)")
_LOST = re.compile(r"\s*lost (\d{1,15})\s*")
_LOST_RECORDS = ("LOST", "LOST_SAMPLES")
_FRAME = re.compile(r"\s*([0-9a-f]{1,16})\s+(\S.*)")
_TASK_BEHIND = re.compile(r"\d+(/\d+)?\s+(\[\d+\]\s|\d+\.\d+:)")
_OFFSET = re.compile(r"\+0x([0-9a-f]{1,16})$")
_DSO_OFFSET = re.compile(r"(.*\S)\+0x[0-9a-f]{1,16}")
_INLINED = "inlined"


@dataclass(slots=True)
class _Event:
    """The samples and periods seen of an event."""

    column: int
    samples: int = 0
    lost: int = 0
    sum_of_periods: int = 0
    with_period: int = 0
    periods: set[int] = field(default_factory=set)

    def note_period(self, text: str | None) -> None:
        if text is not None:
            self.sum_of_periods += int(text)
            self.with_period += 1
            if len(self.periods) < 2:
                self.periods.add(int(text))

    @property
    def period(self) -> int:
        """Return the mean period; 0 if none was given."""
        seen = self.with_period
        return (self.sum_of_periods + seen // 2) // seen if seen else 0


class _Reader:
    """Parses lines, one by one."""

    def __init__(self, path: str, domain: str) -> None:
        self._path = path
        self._domain = domain
        self.rows = Rows()
        self.events: dict[str, _Event] = {}
        self.lost_before = 0
        self.first_ns: int | None = None
        self.last_ns = 0
        self._event: _Event | None = None  # those of the sample being read
        self._task = Task()
        self._steps: list[int] = []  # innermost first
        self._inlined: list[str] = []
        self._known: dict[str, tuple[int, ...] | str] = {}

    def take(self, number: int, line: str) -> None:
        """Parse a line. Raises: InputError: it is not a line of perf."""
        if not line.strip():
            self.finish()
        elif line.startswith("#") or (self._event is not None and self._frame(line)):
            pass
        elif (match := _RECORD.fullmatch(line)) is not None:
            self.finish()
            lost = _LOST.fullmatch(match[2])
            if match[1] in _LOST_RECORDS and lost:
                self.lost_before += int(lost[1])
        elif (match := _HEADER.fullmatch(line)) is not None:
            self.finish()
            self._begin(match)
        else:
            raise InputError(
                self._path,
                f"line {number}: neither a sample nor a frame of perf script: {shown(line)}",
            )

    def finish(self) -> None:
        """End the sample that is being read, if there is one."""
        event = self._event
        if event is None:
            return
        for symbol in self._inlined:  # into a function that is missing
            self._steps.append(self.rows.number(self._step(symbol, UNKNOWN, -1, -1)))
        event.samples += 1
        if self._steps:
            self.rows.add(tuple(reversed(self._steps)), self._task, event.column, 1)
        else:
            event.lost += 1
        self._event, self._steps, self._inlined = None, [], []

    def _begin(self, match: re.Match[str]) -> None:
        comm, pid, tid, cpu, seconds, decimals, period, name, rest = match.groups()
        event = self.events.setdefault(name, _Event(len(self.events)))
        event.note_period(period)
        self._event = event
        first = int(pid) if not pid.startswith("-") else 0
        second = first if tid is None else max(int(tid), 0)
        self._task = Task(clean(comm), first, second, None if cpu is None else int(cpu))
        if seconds is not None:
            time = int(seconds) * 10**9 + int(decimals.ljust(9, "0"))
            self.first_ns = time if self.first_ns is None else min(self.first_ns, time)
            self.last_ns = max(self.last_ns, time)
        if rest and self._frame(rest):
            self.finish()

    def _frame(self, line: str) -> bool:
        """Take a line as a frame; return whether it is one."""
        found = self._known.get(line)
        if found is None:
            found = self._parsed(line)
            if found is None:
                return False
        if isinstance(found, str):  # inlined: its image is that of the next frame that is not
            self._inlined.append(found)
            return True
        if self._inlined:
            outer = self._outer(line)
            for symbol in self._inlined:
                step = outer._replace(symbol=symbol, offset=-1)
                self._steps.append(self.rows.number(step))
            self._inlined = []
        self._known[line] = found
        self._steps.extend(found)
        return True

    def _outer(self, line: str) -> Step:
        step = self._as_step(line)
        assert isinstance(step, Step)
        return step

    def _parsed(self, line: str) -> tuple[int, ...] | str | None:
        step = self._as_step(line)
        return (self.rows.number(step),) if isinstance(step, Step) else step

    def _as_step(self, line: str) -> Step | str | None:
        """Return a frame, the name of an inlined one, or None."""
        match = _FRAME.fullmatch(line.rstrip())
        if match is None or _TASK_BEHIND.match(match[2]):
            return None
        parts = _split_image(match[2])
        if parts is None:
            return None
        symbol, dso = parts
        offset = -1
        if found := _OFFSET.search(symbol):
            symbol, offset = symbol[: found.start()], int(found[1], 16)
        symbol = clean(symbol)
        if dso == _INLINED:
            return symbol or UNKNOWN
        if found := _DSO_OFFSET.fullmatch(dso):
            dso = found[1]
        return self._step(symbol, dso, int(match[1], 16), offset)

    def _step(self, symbol: str, dso: str, address: int, offset: int) -> Step:
        image, layer, domain, memory = classified(dso, address, self._domain)
        known = "" if symbol == UNKNOWN else symbol
        return Step(known, image, layer, domain, address, offset, memory="" if known else memory)


def _split_image(text: str) -> tuple[str, str] | None:
    """Return symbol and dso of `SYMBOL (DSO)`; both may hold brackets. None if there is no dso."""
    if not text.endswith(")"):
        return None
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        if text[at] == ")":
            depth += 1
        elif text[at] == "(":
            depth -= 1
            if not depth:
                before = text[:at]
                if before and not before[-1].isspace():
                    return None
                return before.strip(), text[at + 1 : -1]
    return None


def read(data: bytes, path: str, *, domain: str) -> Recording:
    """Return the samples; they belong to `domain`, except those of guests.

    Raises: InputError.
    """
    reader = _Reader(path, domain)
    for number, line in lines(data, path, _LONGEST_LINE):
        reader.take(number, line)
    reader.finish()
    if not reader.events:
        raise InputError(path, "no samples")
    names = list(reader.events)
    events = list(reader.events.values())
    types = tuple(
        SampleType(name, event.period)
        for name, event in zip(event_names(names), events, strict=True)
    )
    notes = tuple(
        f"{name}: its period varied; {event.period} is the mean"
        for name, event in zip(names, events, strict=True)
        if len(event.periods) > 1
    )
    lost = tuple(event.lost for event in events)
    return Recording(
        types,
        tuple(names),
        reader.rows.steps,
        reader.rows.stacks,
        reader.rows.tasks,
        reader.rows.values(len(types)),
        {NO_ADDRESS: lost} if any(lost) else {},
        reader.lost_before,
        duration_ns=None if reader.first_ns is None else reader.last_ns - reader.first_ns,
        notes=notes,
    )
