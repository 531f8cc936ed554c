"""Finds real programs to test against, and free ports for them, and waits for them."""

import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

Found = TypeVar("Found")

WAIT_SECONDS = 30.0
ASK_EVERY_SECONDS = 0.1


def peer(program: str | Path | None, what: str) -> str:
    """Return the program, or skip the test; in CI a missing peer is a failure."""
    if program is not None and Path(program).exists():
        return str(program)
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is not installed")
    pytest.skip(f"{what} is not installed")


def free_port() -> int:
    """Return a loopback port that was free just now, for programs that cannot choose one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(ask: Callable[[], Found]) -> Found:
    """Ask until the answer is true, or for WAIT_SECONDS; return the last answer."""
    deadline = time.monotonic() + WAIT_SECONDS
    pause = threading.Event()
    while not (answer := ask()) and time.monotonic() < deadline:
        pause.wait(ASK_EVERY_SECONDS)
    return answer


def answers(port: int) -> bool:
    """Return whether something listens on a loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
