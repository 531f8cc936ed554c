"""Reads what `perf script` prints: a header line for each sample, then its call chain.

    httpd  2311/2314 [001] 4711.190511:     250000 cycles:ppp:
                ffffffff8107f2a1 try_to_wake_up+0x1f1 ([kernel.kallsyms])
                    7f1f9a0c1d30 [unknown] (/usr/lib64/libc-2.17.so)

Without call chains the frame is on the header's line. Source lines may be below frames, and
what perf says on stderr between samples: such lines are left out, and told.
Source: Linux tools/perf/builtin-script.c, util/evsel_fprintf.c.
"""

import re
from dataclasses import dataclass, field

from xenprof.imports.errors import InputError
from xenprof.imports.perfframe import (
    INLINED,
    Frame,
    is_beside,
    parse_frame,
    parse_rest,
    with_source,
)
from xenprof.imports.perfheader import Header, parse_bare_header, parse_header
from xenprof.imports.places import GUEST, NO_KERNEL_IMAGE, XEN_IMAGE, classified, is_code
from xenprof.imports.reading import lines, shown
from xenprof.imports.recording import (
    NO_ADDRESS,
    UNKNOWN,
    Recording,
    Rows,
    Step,
    Task,
    event_names,
)
from xenprof.imports.symbolnames import Found, SymbolNames
from xenprof.imports.xenoprof.symbols import SymbolTable
from xenprof.profile.stacks import Layer, SampleType

_LONGEST_LINE = 1 << 16  # judgement: names of C++ templates reach some 10000
_RECORD = re.compile(r"(?:.*\s)?PERF_RECORD_([A-Z_0-9]+)\b(.*)")
_LOST = re.compile(r"\blost:? (\d{1,15})\b")
_LOST_RECORDS = ("LOST", "LOST_SAMPLES")
_PERF_DATA = (b"PERFILE2", b"2ELIFREP", b"PERFFILE")
_GUEST_MODES, _HYPERVISOR_MODE = ("G", "g"), "H"
_NO_EVENT = "samples"
"""The event of samples whose lines name none."""


@dataclass(slots=True)
class _Event:
    """The samples and periods seen of an event."""

    column: int
    samples: int = 0
    lost: int = 0
    sum_of_periods: int = 0
    with_period: int = 0
    periods: set[int] = field(default_factory=set)

    def note_period(self, period: int | None) -> None:
        if period is not None:
            self.sum_of_periods += period
            self.with_period += 1
            if len(self.periods) < 2:
                self.periods.add(period)

    @property
    def period(self) -> int:
        """Return the mean period; 0 if none was given."""
        seen = self.with_period
        return (self.sum_of_periods + seen // 2) // seen if seen else 0


class _Reader:
    """Parses lines, one by one."""

    def __init__(self, path: str, domain: str, xen: SymbolNames | None) -> None:
        self._path = path
        self._xen = xen
        self._domain = domain
        self.rows = Rows()
        self.events: dict[str, _Event] = {}
        self.lost_before = 0
        self.first_ns: int | None = None
        self.last_ns = 0
        self.strange = 0
        self.first_strange = ""
        self._header: Header | None = None  # of the sample being read
        self._bare: tuple[int, str] | None = None  # the line before, which may be a header
        self._has_headers = False
        self._frames: list[Frame] = []  # of the sample being read, innermost first
        self._known: dict[str, Frame] = {}
        self._steps: dict[tuple[Frame, str], Step] = {}

    def take(self, number: int, line: str) -> None:
        """Parse a line."""
        bare, self._bare = self._bare, None
        if line.startswith("\t") and self._is_frame(line, bare):
            return
        if bare is not None:
            self._note_strange(*bare)
        if not line.strip():
            self.finish()
        elif line.startswith("#"):
            return
        elif (match := _RECORD.fullmatch(line)) is not None:
            self.finish()
            lost = _LOST.search(match[2])
            if match[1] in _LOST_RECORDS and lost:
                self.lost_before += int(lost[1])
        elif (header := parse_header(line)) is not None:
            self.finish()
            self._has_headers = True
            self._header = header
        elif self._header is None:
            if parse_bare_header(line) is not None:
                self._bare = number, line
            else:
                self._note_strange(number, line)
        elif not self._is_frame(line, None) and not self._is_below(line):
            self._note_strange(number, line)

    def finish(self) -> None:
        """End the sample that is being read, if there is one."""
        if self._header is None:
            return
        header, frames = self._header, self._frames
        event = self.events.setdefault(header.event or _NO_EVENT, _Event(len(self.events)))
        event.note_period(header.period)
        if (time := header.time_ns) is not None:
            self.first_ns = time if self.first_ns is None else min(self.first_ns, time)
            self.last_ns = max(self.last_ns, time)
        if not frames and (frame := parse_rest(header.rest)) is not None:
            frames = [frame]
        event.samples += 1
        if frames:
            self.rows.add(self._stack(frames, header.mode), header.task, event.column, 1)
        else:
            event.lost += 1
        self._header, self._frames = None, []

    def end(self) -> None:
        """End the file. Raises: InputError: it is not the text of perf script."""
        if self._bare is not None:
            self._note_strange(*self._bare)
        self.finish()
        samples = sum(event.samples for event in self.events.values())
        if self.strange > samples:
            raise InputError(self._path, self.first_strange)
        if not samples:
            raise InputError(self._path, "no samples")

    def _note_strange(self, number: int, line: str) -> None:
        self.strange += 1
        if not self.first_strange:
            self.first_strange = (
                f"line {number}: neither a sample nor a frame of perf script: {shown(line)}"
            )

    def _is_frame(self, line: str, bare: tuple[int, str] | None) -> bool:
        """Take a line as a frame; return whether it is one. `bare` may be its header."""
        frame = self._known.get(line)
        if frame is None:
            frame = parse_frame(line)
            if frame is None:
                return False
            self._known[line] = frame
        if self._header is None:
            if bare is not None:
                self._header = parse_bare_header(bare[1])
            elif not self._has_headers:  # -F ip,sym,dso
                self._header = Header(Task())
            if self._header is None:
                return False
        self._frames.append(frame)
        return True

    def _is_below(self, line: str) -> bool:
        """Take a line as what else is below a header; return whether it is."""
        header = self._header
        if not self._frames and header and (frame := parse_rest(header.rest)) is not None:
            self._frames = [frame]
        if self._frames and (found := with_source(self._frames[-1], line)) is not None:
            self._frames[-1] = found
            return True
        return is_beside(line)

    def _stack(self, frames: list[Frame], mode: str) -> tuple[int, ...]:
        """Return the steps of a stack, the outermost caller first."""
        stack = []
        outer = None
        for frame in reversed(frames):
            if frame.dso != INLINED:
                outer = step = self._step(frame, mode)
            elif outer is None:  # into a function that is missing
                step = self._step(frame._replace(dso=UNKNOWN, address=-1), mode)
            else:
                step = outer._replace(
                    symbol=frame.symbol or UNKNOWN, offset=-1, file=frame.file, line=frame.line
                )
            stack.append(self.rows.number(step))
        return tuple(stack)

    def _step(self, frame: Frame, mode: str) -> Step:
        if (step := self._steps.get((frame, mode))) is None:
            symbol, dso, address, offset, file, line = frame
            if not is_code(address):
                address = -1
            image, layer, domain, memory = classified(dso, address, self._domain)
            memory = "" if symbol else memory
            if domain == self._domain and mode in _GUEST_MODES:
                domain = GUEST
            step = Step(symbol, image, layer, domain, address, offset, file, line, memory)
            step = self._steps[frame, mode] = self._in_xen(step, mode)
        return step

    def _in_xen(self, step: Step, mode: str) -> Step:
        """Return a step as one of the hypervisor, if it is in its code."""
        found = None if self._xen is None or step.address < 0 else self._xen.at(step.address)
        if found is None:
            if mode != _HYPERVISOR_MODE or step.image not in (UNKNOWN, NO_KERNEL_IMAGE):
                return step
            found = Found("", "", 0)
        return Step(
            found.symbol, XEN_IMAGE, Layer.HYPERVISOR, self._domain, step.address,
            found.offset if found.symbol else -1,
        )  # fmt: skip


def read(data: bytes, path: str, *, domain: str, xen: SymbolTable | None = None) -> Recording:
    """Return the samples; they belong to `domain`, except those of guests.

    `xen` has the symbols of the hypervisor below, whose code perf does not know.

    Raises: InputError.
    """
    if data.startswith(_PERF_DATA):
        raise InputError(path, "perf's own file: give the text that `perf script` prints of it")
    reader = _Reader(path, domain, None if xen is None else SymbolNames(xen))
    number, line = 0, ""
    for number, line in lines(data, path, _LONGEST_LINE):
        reader.take(number, line)
    if line and not data.endswith((b"\n", b"\n\0")) and not line.endswith((")", ":")):
        raise InputError(path, f"line {number}: truncated: the last line has no end")
    reader.end()
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
    if reader.strange:
        notes = (*notes, f"left out {reader.strange} lines, first {reader.first_strange}")
    lost = tuple(event.lost for event in events)
    return Recording(
        types,
        tuple(names),
        reader.rows.steps,
        reader.rows.stacks,
        reader.rows.tasks,
        reader.rows.values(len(types)),
        {NO_ADDRESS: lost} if any(lost) else {},
        {"event_buffer_overflow": reader.lost_before} if reader.lost_before else {},
        duration_ns=None if reader.first_ns is None else reader.last_ns - reader.first_ns,
        notes=notes,
    )
