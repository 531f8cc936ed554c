"""A door with clients of all kinds, over real sockets."""

import asyncio
import contextlib
import os
import socket
import ssl

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.support.doors import LARGE, LONG, SHORT, Shown, opened
from xenprof.service import door as module
from xenprof.service.door import Door
from xenprof.service.limits import Limits
from xenprof.service.server import _server

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"


def tried(trial, limits, certificates=None):
    """Run `trial` with the address of a door."""

    async def run():
        async with opened(socket.create_server(("127.0.0.1", 0)), limits, certificates) as address:
            return await asyncio.wait_for(trial(*address), 30)

    return asyncio.run(run())


async def said(host, port, *parts):
    """Say something, and return what is heard until the connection ends."""
    reader, writer = await asyncio.open_connection(host, port)
    for part in parts:
        writer.write(part)
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    "parts",
    [[], [HEAD], [b"GET"], [b"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n12"]],
    ids=["silent", "half a head", "half a line", "half a body"],
)
def test_who_does_not_complete_a_request_is_left(parts):
    assert tried(lambda *at: said(*at, *parts), Limits(9, 9, SHORT)) == b""


@pytest.mark.parametrize("parts", [[], [b"\x16\x03"], [HEAD]], ids=["silent", "half", "no TLS"])
def test_who_does_not_set_up_tls_is_left(parts):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    assert b"hello" not in tried(lambda *at: said(*at, *parts), Limits(9, 9, SHORT), Shown(tls))


def test_bytes_that_come_one_by_one_win_no_time():
    async def trickle(host, port):
        reader, writer = await asyncio.open_connection(host, port)
        with contextlib.suppress(OSError):
            while not reader.at_eof() and not writer.is_closing():
                writer.write(b"a")
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(1), 0.02)
        writer.close()
        return True

    assert tried(trickle, Limits(9, 9, SHORT))


def test_a_connection_without_a_next_request_is_left_too():
    async def once(host, port):
        return (await said(host, port, HEAD + b"\r\n")).count(b"hello")

    assert tried(once, Limits(9, 9, SHORT)) == 1


def test_a_request_that_takes_long_to_be_answered_is_waited_for():
    async def both(host, port):
        patient = asyncio.create_task(said(host, port, b"GET /never HTTP/1.1\r\nHost: a\r\n\r\n"))
        await said(host, port)  # comes later, and is left first
        return patient.done()

    assert not tried(both, Limits(9, 9, SHORT))


def test_who_does_not_take_an_answer_is_left():
    async def lazy(host, port):
        client = socket.create_connection((host, port))
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(client, b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        before = await said(host, port, HEAD + b"\r\n")  # until it is left itself
        await said(host, port)
        got = 0
        with contextlib.suppress(ConnectionResetError):
            while part := await loop.sock_recv(client, 1 << 20):
                got += len(part)
        client.close()
        return b"hello" in before and got < len(LARGE)

    assert tried(lazy, Limits(9, 9, SHORT))


def test_half_open_connections_do_not_shut_out_who_asks():
    async def crowd(host, port):
        silent = [await asyncio.open_connection(host, port) for _ in range(50)]
        for _, writer in silent:
            writer.write(HEAD)
        answer = await said(host, port, HEAD + b"Connection: close\r\n\r\n")
        for _, writer in silent:
            writer.close()
        return answer

    assert tried(crowd, Limits(8, 4, LONG)).endswith(b"hello")


async def busy(host, port, *parts):
    """Return what is heard by one who finds all of two places busy."""
    asking = []
    for _ in range(2):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"POST /read HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                     b"Content-Length: 9\r\n\r\n")  # fmt: skip
        await reader.readline()  # it is being worked on
        asking.append(writer)
    client = socket.create_connection((host, port))
    for part in parts:
        client.sendall(part)  # before it is accepted
    reader, writer = await asyncio.open_connection(sock=client)
    answer = await reader.read()
    for each in [*asking, writer]:
        each.close()
    return answer


@pytest.mark.parametrize(
    "parts",
    [[], [HEAD + b"\r\n"], [b"POST / HTTP/1.1\r\nContent-Length: 9999\r\n\r\n", bytes(9999)]],
    ids=["nothing", "a request", "a body"],
)
def test_who_finds_all_places_busy_is_told_to_come_again(parts):
    answer = tried(lambda *at: busy(*at, *parts), Limits(2, 2, LONG))
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"Retry-After: 5" in answer


@pytest.mark.parametrize("length", [b"-1", b"9" * 5000, b"1, 2", b"0x5"])
def test_an_impossible_length_is_a_bad_request(length):
    head = b"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: " + length + b"\r\n\r\n"

    assert tried(lambda *at: said(*at, head), Limits(9, 9, LONG)).startswith(b"HTTP/1.1 400")


def test_without_files_accepting_goes_on_later_and_says_so_at_leisure(monkeypatch, caplog):
    async def trial(host, port):
        loop = asyncio.get_running_loop()
        accept, failures = loop.sock_accept, iter([OSError(24, "Too many open files")] * 3)

        async def failing(listener):
            if (error := next(failures, None)) is not None:
                raise error
            return await accept(listener)

        monkeypatch.setattr(loop, "sock_accept", failing)
        for _ in range(2):  # the first is accepted by the call that was under way
            answer = await said(host, port, HEAD + b"Connection: close\r\n\r\n")
        return answer

    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.01)
    assert tried(trial, Limits(9, 9, LONG)).endswith(b"hello")
    assert caplog.messages == ["TCP: no connection can be accepted: Too many open files"] * 3


@pytest.mark.parametrize(("uid", "status"), [(0, b"200"), (os.geteuid(), b"200"), (54321, b"403")])
def test_the_control_socket_answers_its_user_and_root_alone(tmp_path, monkeypatch, uid, status):
    peer = module._PEER.pack(1, uid, uid)
    monkeypatch.setattr(module, "_peer", lambda connected: module._PEER.unpack(peer))

    async def run():
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "s"))
        async with opened(listener, Limits(9, 9, LONG)) as path:
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(HEAD + b"Connection: close\r\n\r\n")
            line = await reader.readline()
            writer.close()
            return line

    assert asyncio.run(run()).split()[1] == status


def test_local_programs_wait_for_a_place(tmp_path):
    head = b"POST /read HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"

    async def run():
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "s"))
        async with opened(listener, Limits(1, 1, LONG)) as path:
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(head)
            await reader.readline()  # it is being worked on
            waiting, other = await asyncio.open_unix_connection(path)
            other.write(HEAD + b"Connection: close\r\n\r\n")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(waiting.read(1), 0.2)
            writer.write(b"x")
            answer = await asyncio.wait_for(waiting.read(), 30)
            writer.close()
            other.close()
            return answer

    assert asyncio.run(run()).endswith(b"hello")


def test_one_that_does_not_set_up_tls_makes_room(tmp_path):
    async def five(host, port):
        came = [await asyncio.open_connection(host, port) for _ in range(5)]
        first = await asyncio.wait_for(came[0][0].read(), 30)
        for _, writer in came:
            writer.close()
        return first

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert tried(five, Limits(4, 4, LONG), Shown(tls)) == b""


def test_an_address_in_a_header_is_nobodys_address():
    async def client_of(request):
        return PlainTextResponse(request.client.host)

    served = _server(Starlette(routes=[Route("/", client_of)]))

    async def run():
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        async with Door(listener, served, Limits(9, 9, LONG)).opened():
            head = HEAD + b"X-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n\r\n"
            return await said(*listener.getsockname(), head)

    assert asyncio.run(run()).endswith(b"127.0.0.1")


def test_a_local_client_with_a_name_of_bytes_shuts_nobody_out(tmp_path):
    async def greeted(path, name=""):
        client = socket.socket(socket.AF_UNIX)
        if name:
            client.bind(name)  # an abstract name, which accept gives back as bytes
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, path)
        reader, writer = await asyncio.open_unix_connection(sock=client)
        writer.write(HEAD + b"Connection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return answer.splitlines()[0]

    async def run():
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "socket"))
        limits = Limits(places=4, places_per_address=4, patience=LONG)
        async with opened(listener, limits) as path:
            named = await asyncio.wait_for(greeted(path, f"\0{tmp_path}/client"), 30)
            return named, await asyncio.wait_for(greeted(path), 30)

    assert asyncio.run(run()) == (b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK")
