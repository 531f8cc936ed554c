"""Programs of oprofile that cannot work here: each prints in one line what to use instead."""

import sys
from collections.abc import Sequence

_HINTS = {
    "operf": "operf profiles by perf_events, which this host has not: "
    "use `opcontrol --setup --event=...`, `--start`, `--dump`, or `xenprof profile`; "
    "then opreport",
    "ocount": "ocount counts by perf_events, which this host has not: "
    "use `xenprof profile --event NAME:COUNT --for 10s`; samples times COUNT are the events",
}


def operf_main(argv: Sequence[str] | None = None) -> int:
    """Print what to use instead of operf; return 1."""
    return _say("operf")


def ocount_main(argv: Sequence[str] | None = None) -> int:
    """Print what to use instead of ocount; return 1."""
    return _say("ocount")


def _say(program: str) -> int:
    print(_HINTS[program], file=sys.stderr)
    return 1
