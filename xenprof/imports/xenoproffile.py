"""Reads what an agent has sampled by Xenoprof: see hypervisor/live/agent/recording/xenoprof.py.

A sample stands for the period of an event, as a rule cycles in which a pcpu did not halt. What
the hypervisor does for a domain is that domain's.
"""

import gzip
import re
import zlib
from pathlib import Path
from typing import Final, NamedTuple

from hypervisor.live.agent.recording.xenoprof import HEAD
from xenprof.errors import EventError
from xenprof.events import cpu_number
from xenprof.imports.agentlines import AgentLines, Symbols, body, strange
from xenprof.imports.errors import InputError
from xenprof.imports.reading import GZIP_MAGIC
from xenprof.imports.recording import NO_ADDRESS, Recording
from xenprof.profile.stacks import SampleType

_RING_FULL: Final = "ring_full"
_UNASKED: Final = "unknown_event"

_TIMER: Final = "timer"
_NUMBERS = ("unix_ns", "duration_ns", "unasked", "unplaced")
_MODES = ("user", "kernel", "xen")
_CPU_TYPE = re.compile(r"cpu_type ([A-Za-z0-9_+/-]{1,63})")
_EVENT = re.compile(r"event ([A-Za-z0-9_]{1,64}) (\d{1,10}) (\d{1,5})")
_LOST = re.compile(r"lost (\d{1,5}) ([0-9a-f-]{1,36}) (\d{1,15})")


class Profile(NamedTuple):
    """Samples, and the type of the processor, as ophelp knows it."""

    recording: Recording
    cpu_type: str


def is_profile(path: str) -> bool:
    """Return whether a file is what an agent has sampled; `-` can be nothing else."""
    if path == "-":
        return True
    try:
        with Path(path).open("rb") as file:
            start = file.read(len(HEAD))
            if start[:2] == GZIP_MAGIC:
                file.seek(0)
                start = gzip.GzipFile(fileobj=file).read(len(HEAD))
    except (OSError, EOFError, zlib.error, ValueError):
        return False
    return start == HEAD.encode()


def read(data: bytes, path: str, symbols: Symbols) -> Profile:
    """Return the samples in a file. Raises: InputError."""
    reader = AgentLines(path, symbols, _NUMBERS, _MODES)
    kind: SampleType | None = None
    cpu_type = _TIMER
    lost: dict[str, dict[str, int]] = {}
    for number, line in body(data, path, HEAD):
        if reader.take(number, line):
            continue
        if match := _LOST.fullmatch(line):
            of = lost.setdefault(reader.name((int(match[1]), match[2]), number), {_RING_FULL: 0})
            of[_RING_FULL] += int(match[3])
        elif match := _EVENT.fullmatch(line):
            kind = SampleType(match[1], int(match[2]), int(match[3]))
        elif match := _CPU_TYPE.fullmatch(line):
            cpu_type = _known(match[1])
        else:
            raise strange(path, number, line)
    if kind is None:
        raise InputError(path, "it does not tell the event")
    if not reader.total:
        raise InputError(path, "no samples: nothing that is profiled has computed")
    numbers = reader.numbers
    recording = Recording(
        (kind,),
        (kind.event,),
        reader.rows.steps,
        reader.rows.stacks,
        reader.rows.tasks,
        reader.rows.values(1),
        lost={
            reason: (numbers[name],)
            for reason, name in ((_UNASKED, "unasked"), (NO_ADDRESS, "unplaced"))
            if numbers[name]
        },
        lost_of=lost,
        start_unix_ns=numbers["unix_ns"] or None,
        duration_ns=numbers["duration_ns"] or None,
        notes=tuple(reader.notes),
    )
    return Profile(recording, cpu_type)


def _known(cpu_type: str) -> str:
    """Return a type of processors, or the one of which nothing is known."""
    try:
        cpu_number(cpu_type)
    except EventError:
        return _TIMER
    return cpu_type
