"""Looks at the service's host for a while, and has the model run a scenario captured from it."""

import sys
from typing import TYPE_CHECKING, Final

from hypervisor.telemetry import HostSnapshot
from xenprof.client import Service
from xenprof.wire.host_requests import Wait
from xenprof.wire.paths import SNAPSHOT

if TYPE_CHECKING:
    from xenprof.capture.fitting import Captured
    from xenprof.capture.window import Window

SOURCE: Final = "the captured scenario"
"""What errors call it."""
_SERVICE_LOOKS_NS = 10**9
_MOST_WAITS = 30  # judgement: a real host may be read that much less often
_WARM_UP_NS = 2_000_000_000  # programs start within a period of theirs
_TRIAL_NS = 20_000_000_000  # judgement: some hundred bursts of most programs


def looked(client: Service, duration_ns: int, host: str | None = None) -> "Window":
    """Return what the service tells of so much host time, and at least of two looks.

    `host` is the name of one of several; None: the first.
    """
    from xenprof.capture.window import Window
    from xenprof.xentop.fetch import newest

    first = last = newest(client, host)
    for _ in range(_MOST_WAITS):
        client.do(Wait(duration_ns / 1e9))
        last = newest(client, host)
        if last.time_ns != first.time_ns:
            break
        duration_ns = max(duration_ns, _SERVICE_LOOKS_NS)
    return Window(first, last)


def is_first(client: Service, host: str) -> bool:
    """Return whether a name is that of the service's first host, the only one that is asked."""
    return client.get(SNAPSHOT, HostSnapshot).host == host


def trial(text: str) -> "Window":
    """Run a scenario in the model for a while, after a short warm-up; return what it did."""
    from xenprof.advise.model import parsed_tables, watched

    window, _ = watched(parsed_tables(text, SOURCE), _WARM_UP_NS, _TRIAL_NS)
    return window


def capture_noted(window: "Window") -> "Captured":
    """Return a scenario of the host; say on standard error what it does not have."""
    from xenprof.capture.fitting import capture

    captured = capture(window, trial)
    for note in captured.notes:
        print(f"xenprof: {note}", file=sys.stderr)
    return captured
