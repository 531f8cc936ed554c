"""Processes that programs under test have started."""

import os
import select
from pathlib import Path

from tests.support.e2e.host import PATIENCE_SECONDS


def left_of_group(group: int) -> list[int]:
    """Return the processes of a group that do not end."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                found.append(os.pidfd_open(int(path.parent.name)))
        except OSError:
            continue  # it has ended
    ended = [select.select([one], [], [], PATIENCE_SECONDS)[0] for one in found]
    for one in found:
        os.close(one)
    return [one for one, read in zip(found, ended, strict=True) if not read]
