"""Records the trace of this host to a file, in the form of xentrace 4: `xenprof-agent trace FILE`.

It ends by itself or by a signal, and then leaves the hypervisor as it was.
"""

import argparse
import sys
import time
from typing import BinaryIO, Callable, NamedTuple, Optional, Sequence

from hypervisor.live.agent.errors import AgentError, HypercallFailed, Unavailable
from hypervisor.live.agent.options import Parser, seconds, whole_number
from hypervisor.live.agent.process import privileges
from hypervisor.live.agent.process.stderr import tell
from hypervisor.live.agent.recording.outputfile import output
from hypervisor.live.agent.recording.untiltold import until_told
from hypervisor.live.agent.tracing.buffers import (
    ALL_EVENTS,
    DEFAULT_PAGES,
    SCHEDULING,
    Tracing,
    why_refused,
)
from hypervisor.live.agent.tracing.records import file_form, lost_in
from hypervisor.live.agent.xen.hypercalls import Xen
from hypervisor.live.agent.xen.privcmd import PrivcmdDevice

_CLASSES = {"gen": 0x0001F000, "sched": SCHEDULING, "dom0op": 0x0004F000, "all": ALL_EVENTS}
_MOST_PAGES = 0xFFFF  # Source: xen/include/public/trace.h (t_info.tbuf_size)
_MOST_PERIOD_MS = 60000
_MOST_PCPUS = 4096


class Wanted(NamedTuple):
    """What is to be recorded."""

    events: int = ALL_EVENTS
    pcpus: Optional[Sequence[int]] = None  # all
    pages: Optional[int] = None  # of each ring, if there are none yet
    period_seconds: float = 0.1
    seconds: Optional[float] = None  # until it is told to stop


class Recorded(NamedTuple):
    """What was recorded."""

    written_bytes: int
    lost_records: int


def record(
    tracing: Tracing,
    out: BinaryIO,
    wanted: Wanted,
    wait: Callable[[float], bool],
    now: Callable[[], float] = time.monotonic,
) -> Recorded:
    """Record until the time is over, by `now`, or `wait` (for so many seconds) returns True.

    Raises:
        AgentError: The trace cannot begin, or another program has taken it over.
    """
    written = lost = 0
    tracing.start(wanted.events, wanted.pcpus, wanted.pages)
    try:
        end = None if wanted.seconds is None else now() + wanted.seconds
        is_told = False
        while not is_told and (end is None or now() < end):
            pause = wanted.period_seconds
            is_told = wait(pause if end is None else max(0.0, min(pause, end - now())))
            windows = tracing.read()
            written += out.write(file_form(windows))
            lost += lost_in(windows)
    finally:
        windows = tracing.stop()
    written += out.write(file_form(windows))
    return Recorded(written, lost + lost_in(windows))


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    asked = _parser().parse_args(list(arguments))
    try:
        privcmd = PrivcmdDevice()
        tracing = Tracing(Xen(privcmd), privcmd)
        wanted = Wanted(asked.events, asked.pcpus, asked.pages, asked.period / 1000, asked.seconds)
        with until_told() as wait, output(asked.file, keeps_parts=True) as out:
            for kept in privileges.give_up(but=privileges.OTHERS_FILES):
                _tell("kept: %s" % kept)
            done = record(tracing, out, wanted, wait)
    except HypercallFailed as error:
        return _failed(Unavailable("the trace buffers", why_refused(error), "nothing was recorded"))
    except AgentError as error:
        return _failed(error)
    except OSError as error:
        return _failed(AgentError("%s: %s" % (asked.file, error.strerror)))
    size = "%d pages" % tracing.pages
    if asked.pages not in (None, tracing.pages):
        size += " (not %d: their size stays until the host boots)" % asked.pages
    told = "%d bytes, %d records lost; rings of %s" % (done.written_bytes, done.lost_records, size)
    _tell(told)
    return 0


def _failed(error: AgentError) -> int:
    _tell(str(error))
    return error.exit_code


def _tell(text: str) -> None:
    tell("xenprof-agent: trace: %s" % text)


def _parser() -> Parser:
    parser = Parser(
        "xenprof-agent trace",
        description="Record the trace of this host to a file, in the form of xentrace 4.",
    )
    parser.add_argument("file", metavar="FILE|-")
    add = parser.add_argument
    add("-e", "--evt-mask", dest="events", type=_mask, default=ALL_EVENTS, metavar="MASK",
        help="which events: a number, or %s" % ", ".join(_CLASSES))  # fmt: skip
    add("-c", "--cpu-mask", dest="pcpus", type=_pcpus, metavar="MASK", help="which pcpus, as bits")
    add("-S", "--trace-buf-size", dest="pages", type=_pages, metavar="PAGES",
        help="of each ring, once per boot of the host (default: %d)" % DEFAULT_PAGES)  # fmt: skip
    add("-s", "--poll-sleep", dest="period", type=_milliseconds, default=100, metavar="MS",
        help="between two looks at the rings (default: 100)")  # fmt: skip
    add("-T", "--time-interval", dest="seconds", type=seconds, metavar="SECONDS",
        help="how long (default: until a signal)")  # fmt: skip
    return parser


def _mask(text: str) -> int:
    if text in _CLASSES:
        return _CLASSES[text]
    try:
        return whole_number(text, 0, ALL_EVENTS | 0xFFF)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}, nor {', '.join(_CLASSES)}") from None


def _pages(text: str) -> int:
    return whole_number(text, 1, _MOST_PAGES)


def _milliseconds(text: str) -> int:
    return whole_number(text, 1, _MOST_PERIOD_MS)


def _pcpus(text: str) -> Sequence[int]:
    bits = whole_number(text, 1, (1 << _MOST_PCPUS) - 1)
    return [pcpu for pcpu in range(bits.bit_length()) if bits >> pcpu & 1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
