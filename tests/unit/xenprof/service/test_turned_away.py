"""Those for whom there is no place, over pairs of sockets."""

import asyncio
import socket

import pytest

from xenprof.service import turned_away as module
from xenprof.service.turned_away import FULL, TurnedAway


def told(trial, most=1):
    """Run `trial` with the client's end of a connection that is turned away."""

    async def run():
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        turned_away = TurnedAway(most)
        turned_away.tell(ours)
        try:
            return await asyncio.wait_for(trial(theirs, turned_away), 30)
        finally:
            turned_away.close()
            theirs.close()

    return asyncio.run(run())


async def read(theirs):
    data, loop = b"", asyncio.get_running_loop()
    while part := await loop.sock_recv(theirs, 1000):
        data += part
    return data


async def refused(theirs):
    """Return whether sending comes to an error, while the other end may read for a while."""
    while True:
        try:
            theirs.send(bytes(1000))
        except BlockingIOError:
            pass
        except OSError:
            return True
        await asyncio.sleep(0)


def test_what_is_told_is_followed_by_the_end_of_the_connection():
    async def trial(theirs, _):
        return await read(theirs)

    assert told(trial) == FULL


def test_a_request_that_comes_late_is_taken():
    async def trial(theirs, _):
        await read(theirs)
        return theirs.send(b"GET / HTTP/1.1")

    assert told(trial) == len(b"GET / HTTP/1.1")


def test_who_does_not_go_is_left_after_a_while(monkeypatch):
    async def trial(theirs, _):
        return await refused(theirs)

    monkeypatch.setattr(module, "_SECONDS", 0.02)
    monkeypatch.setattr(module, "_MOST_BYTES", 1 << 60)
    assert told(trial)


def test_who_sends_without_end_is_left(monkeypatch):
    async def trial(theirs, _):
        return await refused(theirs)

    monkeypatch.setattr(module, "_SECONDS", 1000)
    assert told(trial)


@pytest.mark.parametrize("ending", ["without a place", "at the end"])
def test_nobody_is_waited_for(monkeypatch, ending):
    async def trial(theirs, turned_away):
        if ending == "at the end":
            turned_away.close()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        return await refused(theirs)

    monkeypatch.setattr(module, "_SECONDS", 1000)
    monkeypatch.setattr(module, "_MOST_BYTES", 1 << 60)
    assert told(trial, most=0 if ending == "without a place" else 1)
