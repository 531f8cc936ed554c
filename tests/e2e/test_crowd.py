"""A service whose TCP address is crowded by clients that ask for nothing, or take nothing."""

import contextlib
import http.client
import socket
from urllib.parse import urlsplit

import pytest

from tests.support.e2e.host import shell
from tests.support.e2e.tiny import TINY

HALF_OPEN = 300
SLOW_READERS = 20
FILES = 256  # that the service may have open; they were used up
LOG_BYTES = 4096  # 35 MB in 25 s before


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """Yield the HOME and the address of a service with a crowd in front of it."""
    folder = tmp_path_factory.mktemp("crowd")
    (folder / "tiny.toml").write_text(TINY)
    home = folder / "home"
    started = shell(
        home,
        f"ulimit -n {FILES}; xenprof serve --background --scenario {folder / 'tiny.toml'} "
        "--web.listen-address 127.0.0.1:0",
    )
    assert started.returncode == 0, started.stderr
    address = urlsplit(started.stdout.split()[-1])
    with contextlib.ExitStack() as crowd:
        for number in range(HALF_OPEN + SLOW_READERS):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            client.connect((address.hostname, address.port))
            crowd.callback(client.close)
            head = b"GET /api/v1/snapshot HTTP/1.1\r\nHost: localhost\r\n"
            with contextlib.suppress(OSError):  # it has made room for another
                client.sendall(head if number < HALF_OPEN else (head + b"\r\n") * 50)
        yield home, address.netloc
    shell(home, "xenprof stop")


def test_programs_are_answered_on_the_control_socket(crowded):
    home, _ = crowded

    answers = [shell(home, "xm list").returncode for _ in range(3)]
    assert answers == [0, 0, 0]


def test_scrapes_are_answered(crowded):
    _, address = crowded
    statuses = []
    for _ in range(20):
        client = http.client.HTTPConnection(address, timeout=30)
        client.request("GET", "/metrics")
        statuses.append(client.getresponse().status)
        client.close()

    assert statuses == [200] * 20


def test_the_log_stays_short(crowded):
    home, _ = crowded

    assert (home / "serve.log").stat().st_size < LOG_BYTES
