"""Reads the first line of a sample of `perf script`, whatever fields it was asked for (`-F`).

    httpd  2311/2314 [001] d..1 4711.190511:     250000 cycles:ppp: REST

Every field may be missing, as long as a time, a cpu or an event behind a pid is left.
Source: Linux tools/perf/builtin-script.c, perf_sample__fprintf_start and process_event.
"""

import re
from typing import NamedTuple

from xenprof.imports.perfframe import parse_rest
from xenprof.imports.recording import Task, clean

_GUEST = re.compile(r"\s*VM:\s*\d+\s+(?:VCPU:\s*\d+\s+)?")
_TIME = re.compile(r"(?:^|\s)(\d{1,12})\.(\d{1,9}):(?=\s|$)")
_TIME_OF_DAY = re.compile(r"(?<!\s)\s+\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\s*$")
_CPU = re.compile(r"(.*?)(?:^|\s)\[(\d{1,5})\](?:\s+(.*))?")
_FLAGS = re.compile(r"(?:[-.#A-Za-z0-9]{1,8}\s*){0,2}")  # of -F misc and of tracing
_MISC = re.compile(r"(.*\d)\s+[KUHGgMES]{1,4}\s*")
_MODE = re.compile(r"(?:\]|\d)\s+([KUHGg])[MES]{0,3}(?:\s+\S{1,5})?\s*$")
_PIDS = r"(?P<pid>-?\d{1,10})(?:/(?P<tid>-?\d{1,10}))?"
_TASK = re.compile(rf"(?:(?P<comm>\S.{{0,63}}?)\s{{1,40}})?{_PIDS}|(?P<name>\S{{1,63}})|")
_EVENT = r"(?:(?P<period>\d{1,20})\s+)?(?P<event>(?:raw )?[^\s:]\S{0,199}?):(?:\s+(?P<rest>.*))?"
_BEHIND_TIME = re.compile(rf"\s*(?:{_EVENT})")
_WITHOUT_TIME = re.compile(rf"\s*(?P<task>\S.{{0,63}}?\s{{1,40}}{_PIDS})\s{{1,40}}{_EVENT}")
_PERIOD = re.compile(r"\s*(\d{1,20})\s*")
_PERIOD_BEFORE_FRAME = re.compile(r"\s*(\d{1,20})\s+([0-9a-f]{1,16}\s+[^\s(].*)")
_DASHED = re.compile(r"(\S.{0,63}?)-(\d{1,10})")  # COMM-PID of perf 2.6 and of ftrace
_BARE = re.compile(r"\s*(?:(\S.{0,63}?)\s{1,40})?(-?\d{1,10})(?:/(-?\d{1,10}))?\s*|(\S{1,63})\s*")


class Header(NamedTuple):
    """The fields of a header; `event` is "" if it has none, `rest` what is behind it.

    `mode` is what ran, if `-F misc` tells it: K, U: kernel, user; G, g: those of a guest; H.
    """

    task: Task
    time_ns: int | None = None
    period: int | None = None
    event: str = ""
    rest: str = ""
    mode: str = ""


def parse_header(line: str) -> Header | None:
    """Return the fields, or None if the line is no header."""
    if guest := _GUEST.match(line):
        line = line[guest.end() :]
    if match := _TIME.search(line):
        before = _TIME_OF_DAY.sub("", line[: match.start()])
        task = _task_and_cpu(before)
        time_ns = int(match[1]) * 10**9 + int(match[2].ljust(9, "0"))
        header = _behind(task, time_ns, line[match.end() :])
        told = _MODE.search(before)
        return header._replace(mode=told[1]) if header and told else header
    if (match := _CPU.fullmatch(line)) is not None:
        return _behind(_task(match[1], int(match[2])), None, match[3] or "")
    if (match := _WITHOUT_TIME.fullmatch(line)) is not None:
        return _with_event(_task(match["task"], None), None, match)
    return None


def parse_bare_header(line: str) -> Header | None:
    """Return a header of a task alone, as `-F comm,pid,ip,sym` leaves it.

    Only the frames below it tell that it is one.
    """
    match = _BARE.fullmatch(line)
    if match is None:
        return None
    comm, pid, tid, name = match.groups()
    return Header(_made_task(comm or name or "", pid, tid, None))


def _behind(task: Task | None, time_ns: int | None, text: str) -> Header | None:
    """Return a header from what is behind its time or cpu."""
    if task is None:
        return None
    if match := _BEHIND_TIME.fullmatch(text):
        return _with_event(task, time_ns, match)
    if not text.strip():
        return Header(task, time_ns)
    if match := _PERIOD.fullmatch(text):
        return Header(task, time_ns, int(match[1]))
    if (match := _PERIOD_BEFORE_FRAME.fullmatch(text)) and parse_rest(match[2]):
        return Header(task, time_ns, int(match[1]), "", match[2])
    return Header(task, time_ns, rest=text.strip()) if parse_rest(text) else None


def _with_event(task: Task | None, time_ns: int | None, match: re.Match[str]) -> Header | None:
    if task is None:
        return None
    period = match["period"]
    return Header(
        task, time_ns, int(period) if period else None, match["event"], match["rest"] or ""
    )


def _task_and_cpu(text: str) -> Task | None:
    match = _CPU.fullmatch(text)
    if match is None:
        misc = _MISC.fullmatch(text)
        return _task(misc[1] if misc else text, None)
    if match[3] and not _FLAGS.fullmatch(match[3]):
        return None
    return _task(match[1], int(match[2]))


def _task(text: str, cpu: int | None) -> Task | None:
    text = text.strip()
    match = _TASK.fullmatch(text)
    if (match is None or match["name"]) and (dashed := _DASHED.fullmatch(text)):
        return _made_task(dashed[1], dashed[2], None, cpu)
    if match is None:
        return None
    return _made_task(match["comm"] or match["name"] or "", match["pid"], match["tid"], cpu)


def _made_task(comm: str, pid: str | None, tid: str | None, cpu: int | None) -> Task:
    """Return a task; ids of -1 (none) are 0, and one id stands for both."""
    if pid is None:
        return Task(clean(comm), cpu=cpu)
    first = max(int(pid), 0)
    return Task(clean(comm), first, first if tid is None else max(int(tid), 0), cpu)
