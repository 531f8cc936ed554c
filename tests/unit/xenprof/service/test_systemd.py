"""What systemd is told."""

import asyncio
import contextlib
import os
import socket
from itertools import count

import pytest

from xenprof.service.systemd import Supervisor


@pytest.fixture(params=["path", "abstract"])
def listening(request, tmp_path):
    address = str(tmp_path / "notify")
    if request.param == "abstract":
        address = f"@{tmp_path}/abstract"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address.replace("@", "\0"))
        listener.settimeout(10)
        yield address, listener


def environment(address: str, **others: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": address, **others}


def test_messages_of_one_moment_are_one_datagram(listening):
    address, listener = listening
    Supervisor(environment(address), 1).tell("READY=1", "STATUS=serving")

    assert b"READY=1\nSTATUS=serving" == listener.recv(100)


@pytest.mark.parametrize("address", ["", "/nonexistent/notify"])
def test_without_a_listener_nothing_happens(address):
    Supervisor(environment(address), 1).tell("READY=1")


@pytest.mark.parametrize(
    ("others", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "20000000"}, 20.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "7"}, 20.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "9" * 400}, None),
        ({"WATCHDOG_USEC": "9" * 5000}, None),
    ],
)
def test_the_watchdog_is_that_of_this_process(others, seconds):
    assert seconds == Supervisor(environment("/x", **others), 7).watchdog_seconds


def test_children_do_not_find_it(monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", "/nonexistent")
    Supervisor.found()

    assert "NOTIFY_SOCKET" not in os.environ


def received(listener: socket.socket, progress, *, turns: int) -> int:
    """Return how often life was shown while the loop slept `turns` times."""

    async def watch() -> None:
        supervisor = Supervisor(environment(address(listener), WATCHDOG_USEC="2"), 7)
        async with supervisor.watching(progress):
            for _ in range(turns):
                await asyncio.sleep(0.001)

    asyncio.run(watch())
    listener.setblocking(False)
    shown = 0
    with contextlib.suppress(BlockingIOError):
        while listener.recv(100) == b"WATCHDOG=1":
            shown += 1
    return shown


def address(listener: socket.socket) -> str:
    name = listener.getsockname()
    return name if isinstance(name, str) else name.decode().replace("\0", "@")


def test_life_is_shown_while_there_is_progress(listening):
    numbers = count()

    assert received(listening[1], lambda: next(numbers), turns=5) >= 3


def test_no_life_is_shown_when_the_host_stands_still(listening):
    assert received(listening[1], lambda: 3, turns=5) == 1
