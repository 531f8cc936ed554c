"""Reads what an agent has sampled of guests' registers.

The form of the file is that of hypervisor/live/agent/recording/contexts.py.
A sample stands for a span of running time.
"""

from collections.abc import Mapping
from typing import Final

from hypervisor.live.agent.recording.contexts import HEAD
from xenprof.imports.agentlines import AgentLines, Symbols, body, strange
from xenprof.imports.errors import InputError
from xenprof.imports.recording import Recording
from xenprof.imports.xenoprof.symbols import SymbolTable
from xenprof.profile.stacks import SampleType

EVENT: Final = "CPU_TIME"
UNPLACED: Final = "asleep_when_sampled"

_NUMBERS = ("period_ns", "unix_ns", "duration_ns", "unplaced")
_MODES = ("kernel", "user")


def read(data: bytes, path: str, kernels: Mapping[int | None, SymbolTable]) -> Recording:
    """Return the samples. `kernels` are symbols by domain id, those of None are for all others.

    Raises: InputError.
    """
    reader = AgentLines(path, Symbols(kernels), _NUMBERS, _MODES)
    for number, line in body(data, path, HEAD):
        if not reader.take(number, line):
            raise strange(path, number, line)
    if not reader.total:
        raise InputError(path, "no samples: no guest has computed")
    numbers = reader.numbers
    return Recording(
        (SampleType(EVENT, numbers["period_ns"]),),
        (EVENT,),
        reader.rows.steps,
        reader.rows.stacks,
        reader.rows.tasks,
        reader.rows.values(1),
        lost={UNPLACED: (numbers["unplaced"],)} if numbers["unplaced"] else {},
        start_unix_ns=numbers["unix_ns"] or None,
        duration_ns=numbers["duration_ns"] or None,
        notes=tuple(reader.notes),
    )
