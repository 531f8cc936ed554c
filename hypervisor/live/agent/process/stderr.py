"""Tells people who run the agent something, each time in one line on stderr."""

import contextlib
import sys

from hypervisor.live.agent.oneline import one_line


def tell(line: str) -> None:
    """Write a line, if there is somebody to read it."""
    if sys.stderr is None:  # it was closed before the start
        return
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{one_line(line)}\n")
        sys.stderr.flush()
