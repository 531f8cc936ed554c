"""Programs of oprofile that cannot work here: each says in one line what to use instead."""

import sys
from collections.abc import Sequence

_HINTS = {
    "operf": "operf profiles by perf_events, which this host has not: "
    "use `opcontrol --setup --event=...`, `--start`, `--dump`, or `xenprof profile`; "
    "then opreport",
    "ocount": "ocount counts by perf_events, which this host has not: "
    "use `xenprof profile --event NAME:COUNT --for 10s`; samples times COUNT are the events",
    "opjitconv": "opjitconv converts what virtual machines (Java) dumped, and no program of this "
    "host does: anonymous code is in opreport as anon (tgid:...)",
    "op-check-perfevents": "op-check-perfevents looks for perf_events, which this host has not: "
    "`ophelp` lists what can be counted",
    "oprof_start": "oprof_start is opcontrol with windows: use opcontrol",
}


def operf_main(argv: Sequence[str] | None = None) -> int:
    """Say what to use instead of operf; return 1."""
    return _say("operf")


def ocount_main(argv: Sequence[str] | None = None) -> int:
    """Say what to use instead of ocount; return 1."""
    return _say("ocount")


def opjitconv_main(argv: Sequence[str] | None = None) -> int:
    """Say why there is nothing to convert; return 1."""
    return _say("opjitconv")


def check_main(argv: Sequence[str] | None = None) -> int:
    """Say what to use instead of op-check-perfevents; return 1."""
    return _say("op-check-perfevents")


def start_main(argv: Sequence[str] | None = None) -> int:
    """Say what to use instead of oprof_start; return 1."""
    return _say("oprof_start")


def _say(program: str) -> int:
    print(_HINTS[program], file=sys.stderr)
    return 1
