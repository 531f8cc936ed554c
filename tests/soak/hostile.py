"""Throws hostile inputs at every route and at every program; what they are depends on the seed."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from tests.support.hostile.trial import attack_programs, attack_service

COUNT = 10_000
"""Of each kind; 20 000 in all."""
SEED = 1
_MOST_BYTES = 8 << 30
"""Of address space, so that an input that fills the memory fails instead."""


def requests(folder: Path) -> str:
    """Send requests to a service in this process."""
    with _inside(folder):
        return _told(attack_service(folder / "home", SEED, COUNT), "requests")


def programs(folder: Path) -> str:
    """Run command lines in this process, beside a service."""
    with _inside(folder):
        return _told(attack_programs(folder, SEED, COUNT), "command lines")


def _told(faults: list[str], what: str) -> str:
    assert not faults, "\n".join([f"{len(faults)} of {COUNT} {what}", *faults])
    return f"{COUNT} hostile {what}, none with a traceback, an internal error or without an end"


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Run the body in the folder, with little memory."""
    limits, before = resource.getrlimit(resource.RLIMIT_AS), Path.cwd()
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, limits[1]))
    os.chdir(folder)
    try:
        with patch.dict(os.environ, XENPROF_HOME=str(folder / "home")):
            yield
    finally:
        os.chdir(before)
        resource.setrlimit(resource.RLIMIT_AS, limits)
