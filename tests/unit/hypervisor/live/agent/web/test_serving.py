"""Connections of real sockets: good, slow, rude ones, and more of them than there are places."""

import threading
import tracemalloc

import pytest

from hypervisor.live.agent.web import connection
from hypervisor.live.agent.web.connection import Door
from hypervisor.live.agent.web.gate import let_all_in
from hypervisor.live.agent.web.httphead import Answer, refusal
from tests.support.live.agent_parts import (
    PATIENCE_SECONDS,
    connected,
    everything,
    listener,
    request,
    serving,
)

HELLO = request("GET /hello HTTP/1.1", "Host: a")
LAST = request("GET /hello HTTP/1.1", "Host: a", "Connection: close")


def hello(asked):
    return Answer(200, body=f"{asked.method} {asked.path}".encode())


@pytest.fixture
def door():
    with listener() as opened:
        yield Door(opened, let_all_in, headers=(("X-Always", "1"),))


@pytest.fixture
def served(door):
    with serving(door, hello) as told:
        yield told


def one_answer(client):
    """Return the answer that comes, of which the end is known."""
    received = b""
    while not received.endswith(b"GET /hello"):
        piece = client.recv(65536)
        assert piece != b"", received
        received += piece
    return received


def test_a_request_is_answered(door, served):
    with connected(door.listener) as client:
        client.sendall(LAST)
        answer = everything(client)

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nX-Always: 1\r\n" in answer
    assert answer.endswith(b"\r\n\r\nGET /hello")


def test_a_connection_may_ask_again(door, served):
    with connected(door.listener) as client:
        for _ in range(3):
            client.sendall(HELLO)
            one_answer(client)


def test_requests_may_come_before_the_answers(door, served):
    with connected(door.listener) as client:
        client.sendall(HELLO + HELLO + LAST)

        assert 3 == everything(client).count(b"HTTP/1.1 200 OK")


def test_a_request_may_come_byte_by_byte(door, served):
    with connected(door.listener) as client:
        for byte in LAST:
            client.sendall(bytes([byte]))

        assert b" 200 OK" in everything(client)


def test_the_answer_to_head_has_no_body(door, served):
    with connected(door.listener) as client:
        client.sendall(LAST.replace(b"GET", b"HEAD", 1))

        answer = everything(client)
    assert b"\r\nContent-Length: 11\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"rubbish\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\nHost: a\n\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
        (b"GET /" + b"a" * 100_000, b"414"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000, b"431"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", b"413"),
    ],
)
def test_what_is_no_request_is_refused_and_ends_the_connection(door, served, sent, status):
    with connected(door.listener) as client:
        client.sendall(sent)

        assert everything(client).startswith(b"HTTP/1.1 " + status)


def test_who_may_not_come_in_is_refused(door):
    refusing = door._replace(gate=lambda asked, address: refusal(403))
    with serving(refusing, hello), connected(door.listener) as client:
        client.sendall(LAST)

        assert everything(client).startswith(b"HTTP/1.1 403 Forbidden")


def test_an_error_of_ours_is_logged_and_says_nothing(door):
    def broken(_):
        raise RuntimeError("secret")

    with serving(door, broken) as told, connected(door.listener) as client:
        client.sendall(LAST)
        answer = everything(client)

    assert answer.endswith(b"\r\n\r\nInternal Server Error\n")
    assert ["'/hello' could not be answered: RuntimeError('secret')"] == told


@pytest.mark.parametrize("said", [b"", b"GET /hel"], ids=["silent", "half"])
def test_silent_clients_keep_nobody_out(door, said):
    """Of seven that say nothing or half of it, three lose their places; one that asks has one.

    With one more, four threads might not have ended yet, and who comes then is turned away.
    """
    with serving(door, hello, most_connections=4):
        clients = [connected(door.listener) for _ in range(7)]
        for client in clients:
            client.sendall(said)
        with connected(door.listener) as asking:
            asking.sendall(LAST)
            answer = everything(asking)
        for client in clients:
            client.close()

    assert answer.startswith(b"HTTP/1.1 200 OK")


def test_threads_that_do_not_end_are_counted(door, monkeypatch):
    """Two places and two threads that are ending are all: who comes then is turned away."""
    monkeypatch.setattr(connection.Connection, "cut", lambda self: None)
    monkeypatch.setattr(connection, "HEAD_SECONDS", 1000.0)
    with serving(door, hello, most_connections=2):
        clients = [connected(door.listener) for _ in range(5)]

        assert b"" == everything(clients[4])
        for client in clients:
            client.close()


def test_clients_that_do_not_read_keep_nobody_out(door):
    much = b"x" * (64 << 20)
    with serving(door, lambda asked: Answer(200, body=much), most_connections=2):
        lazy = [connected(door.listener) for _ in range(2)]
        for client in lazy:
            client.sendall(LAST)
            assert client.recv(1) == b"H"
        with connected(door.listener) as asking:
            asking.sendall(LAST.replace(b"GET", b"HEAD", 1))
            answer = everything(asking)
        for client in lazy:
            client.close()

    assert answer.startswith(b"HTTP/1.1 200 OK")


def test_who_comes_while_all_are_being_answered_is_turned_away(door):
    entered, go = threading.Semaphore(0), threading.Event()

    def slowly(asked):
        entered.release()
        go.wait(PATIENCE_SECONDS)
        return hello(asked)

    with serving(door, slowly, most_connections=2):
        clients = [connected(door.listener) for _ in range(2)]
        for client in clients:
            client.sendall(LAST)
            assert entered.acquire(timeout=PATIENCE_SECONDS)
        with connected(door.listener) as late:
            assert b"" == everything(late)
        go.set()

        assert [True] * 2 == [b" 200 OK" in everything(client) for client in clients]
        for client in clients:
            client.close()


@pytest.mark.parametrize("said", [b"", b"GET /hel"], ids=["silent", "half"])
def test_a_client_that_does_not_ask_in_time_is_left(door, monkeypatch, said):
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.05)
    with serving(door, hello), connected(door.listener) as client:
        client.sendall(said)

        assert b"" == everything(client)


def test_a_client_that_does_not_ask_again_in_time_is_left(door, monkeypatch):
    monkeypatch.setattr(connection, "IDLE_SECONDS", 0.05)
    with serving(door, hello), connected(door.listener) as client:
        client.sendall(HELLO)

        assert everything(client).endswith(b"GET /hello")


def test_a_client_that_does_not_read_in_time_is_left(door, monkeypatch):
    monkeypatch.setattr(connection, "SENDING_SECONDS", 0)  # so that nobody is fast enough
    much = b"x" * (64 << 20)
    with serving(door, lambda _: Answer(200, body=much)), connected(door.listener) as client:
        client.sendall(HELLO)

        assert b"" == everything(client)


def test_clients_that_do_not_read_hold_one_copy_of_a_page(door):
    much = b"x" * (32 << 20)
    with serving(door, lambda _: Answer(200, body=much)):
        tracemalloc.start()
        lazy = [connected(door.listener) for _ in range(4)]
        for client in lazy:
            client.sendall(LAST)
            assert client.recv(1) == b"H"
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        for client in lazy:
            client.close()

    assert peak < len(much)


def test_clients_that_do_not_read_hold_few_pages(door):
    """Each answer is another one: the first who does not take it is cut for the ninth."""

    def page(_):
        return Answer(200, body=b"x" * (8 << 20))

    with serving(door, page, most_connections=9):
        lazy = [connected(door.listener) for _ in range(9)]
        for client in lazy:
            client.sendall(LAST)
            assert client.recv(1) == b"H"
        received = everything(lazy[0])
        for client in lazy:
            client.close()

    assert len(received) < 8 << 20


def test_an_answer_that_is_under_way_is_sent_before_the_end(door):
    entered, go = threading.Event(), threading.Event()

    def slowly(asked):
        entered.set()
        go.wait(PATIENCE_SECONDS)
        return hello(asked)

    with connected(door.listener) as client:
        with serving(door, slowly):
            client.sendall(LAST)
            assert entered.wait(PATIENCE_SECONDS)
            go.set()

        assert b" 200 OK" in everything(client)
