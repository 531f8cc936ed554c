"""What is left for Python's search for garbage, and how soon it looks."""

import asyncio
import contextlib
import gc
import socket
import ssl
from asyncio.sslproto import SSLProtocol

import pytest
from uvicorn.protocols.http.h11_impl import RequestResponseCycle

from tests.support.certificates import make_certificate
from tests.support.doors import LONG, SHORT, Shown, opened
from xenprof.service.connection import Connection
from xenprof.service.garbage import settle
from xenprof.service.limits import Limits

VISITS = 10
IN_HAND = 2  # the connection that was looked at last, and one that is just being left
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
SENT = {
    "nothing": b"",
    "no HTTP": b"\0\r\n\r\n",
    "a bad request": b"GET / HTTP/1.1\r\n\r\n",
    "a request": REQUEST,
    "a bad one after a good one": REQUEST + b"\0\r\n\r\n",
    "requests that nobody waits for": REQUEST * 9,
    "half a body": b"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n12",
    "a request for more than is read": b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n",
}
"""What somebody sends who then leaves without a word."""
KINDS = (Connection, RequestResponseCycle, SSLProtocol, ssl.SSLObject)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = make_certificate(tmp_path_factory.mktemp("certificate"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return Shown(context)


@pytest.fixture
def no_search():
    """Nobody looks for garbage."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def connected(address):
    return socket.create_connection(address, timeout=5)


def connected_by_tls(address):
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    return trusting.wrap_socket(connected(address))


def say(client, sent, *, reads=True):
    """Say something, read some of what comes, and leave with the rest on the way."""
    client.sendall(sent)
    if reads:
        with contextlib.suppress(ConnectionError):
            client.recv(100)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()


def begin_tls(address):
    """Say hello, and leave when the certificate has come."""
    to_us, to_them = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(to_us, to_them, server_hostname="a")
    with contextlib.suppress(ssl.SSLWantReadError):
        hello.do_handshake()
    say(connected(address), to_them.read())


def most_left(visit, certificates, patience=LONG):
    """Return how many objects of connections there are of the kind with most after VISITS."""
    before = counted()

    async def run():
        listener = socket.create_server(("127.0.0.1", 0))
        limits = Limits(VISITS, VISITS, patience)
        async with opened(listener, limits, certificates) as address:
            for _ in range(VISITS):
                await asyncio.to_thread(visit, address)
            for _ in range(20):
                await asyncio.sleep(0.05)  # those who left unheard are accepted now
                after = counted()
                most = max(after[kind] - before[kind] for kind in KINDS)
                if most <= IN_HAND:
                    break
            return most

    return asyncio.run(run())


def counted():
    objects = gc.get_objects()
    return {kind: sum(type(one) is kind for one in objects) for kind in KINDS}


@pytest.mark.usefixtures("no_search")
@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
def test_a_connection_that_is_lost_is_gone(sent):
    reads = sent.endswith(b"\n")

    assert most_left(lambda at: say(connected(at), sent, reads=reads), None) <= IN_HAND


@pytest.mark.usefixtures("no_search")
@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
def test_a_connection_by_tls_that_is_lost_is_gone(certificates, sent):
    reads = sent.endswith(b"\n")

    assert (
        most_left(lambda at: say(connected_by_tls(at), sent, reads=reads), certificates) <= IN_HAND
    )


@pytest.mark.usefixtures("no_search")
def test_one_that_does_not_speak_tls_is_gone(certificates):
    assert most_left(lambda at: say(connected(at), REQUEST), certificates) <= IN_HAND


@pytest.mark.usefixtures("no_search")
def test_one_that_leaves_while_tls_is_set_up_is_gone(certificates):
    assert most_left(begin_tls, certificates) <= IN_HAND


@pytest.mark.usefixtures("no_search")
def test_one_that_is_put_out_is_gone(certificates):
    def wait(address):
        with connected(address) as client:
            client.recv(1)

    assert most_left(wait, certificates, SHORT) <= IN_HAND


class Ring:
    """Garbage that only a search finds."""

    alive = 0

    def __init__(self):
        Ring.alive += 1
        self.self = self

    def __del__(self):
        Ring.alive -= 1


@pytest.fixture
def settled():
    thresholds = gc.get_threshold()
    kept: list[list[int]] = [[] for _ in range(400_000)]
    settle()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()
    kept.clear()


@pytest.mark.usefixtures("settled")
def test_what_was_in_use_for_long_is_found_before_a_million_objects_are_made():
    older = [Ring() for _ in range(100)]
    kept: list[list[int]] = [[] for _ in range(700_000)]  # searches see them in use meanwhile
    older.clear()
    kept += [[] for _ in range(900_000)]

    assert Ring.alive == 0
