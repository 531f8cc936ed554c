import os
import socket
import ssl
import threading
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from hypervisor.deadlines import Deadline, Timed
from hypervisor.live.agent.report.fields import to_json
from hypervisor.live.reports import MOST_BYTES, BadReport
from hypervisor.live.sources.overhttp import OverHttp, on_tcp, on_unix
from hypervisor.live.sources.source import Unreachable
from tests.support.certificates import make_certificate
from tests.support.live.agents import running
from tests.support.live.reports import report

BODY = to_json(report()).encode()


def source(agent, **options):
    host, port = agent.server_address[:2]
    return OverHttp(on_tcp(host, port, None), timeout_seconds=10, **options)


def failure(asked, kind=Unreachable):
    with pytest.raises(kind) as failed:
        asked.read()
    return str(failed.value)


def test_it_asks_an_agent_on_a_port():
    with running(lambda: BODY) as agent, closing(source(agent)) as asked:
        assert report() == asked.read()


def test_it_asks_an_agent_on_a_unix_socket(tmp_path):
    path = tmp_path / "agent.sock"
    with (
        running(lambda: BODY, path),
        closing(OverHttp(on_unix(path), timeout_seconds=10)) as asked,
    ):
        assert report() == asked.read()


@contextmanager
def within_tls(folder: Path):
    """Yield the port of an agent that speaks TLS alone, with a certificate made for it."""
    make_certificate(folder)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    with running(lambda: BODY) as agent:
        agent.socket = tls.wrap_socket(agent.socket, server_side=True)
        yield agent.server_address[1]


def test_it_asks_an_agent_within_tls(tmp_path):
    with within_tls(tmp_path) as port:
        trusting = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        with closing(OverHttp(on_tcp("127.0.0.1", port, trusting), timeout_seconds=10)) as asked:
            assert [report(), report()] == [asked.read(), asked.read()]


def test_an_agent_whose_certificate_is_not_trusted_is_not_asked(tmp_path):
    with within_tls(tmp_path) as port:
        asked = OverHttp(
            on_tcp("127.0.0.1", port, ssl.create_default_context()), timeout_seconds=10
        )

        told = failure(asked)
        assert told.startswith("its certificate is not trusted: self-signed")
        assert told.endswith("; --host.ca-file names whom to trust")


def test_a_certificate_for_another_name_is_no_matter_of_whom_to_trust(tmp_path):
    with within_tls(tmp_path) as port:
        trusting = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        asked = OverHttp(on_tcp("127.0.0.2", port, trusting), timeout_seconds=10)

        assert "--host.ca-file" not in failure(asked)


def test_an_agent_that_speaks_tls_is_not_read_without_it(tmp_path):
    with within_tls(tmp_path) as port:
        asked = OverHttp(on_tcp("127.0.0.1", port, None), timeout_seconds=10)

        assert "it ends the connection: nobody answers behind that port, or in TLS: https://" == (
            failure(asked)
        )


def test_an_alert_of_tls_is_told_the_same():
    with saying(b"\x15\x03\x03\0\x02\x02\x46\r\n") as asked:
        assert failure(asked).endswith("if it speaks TLS, try https://")


def test_an_agent_that_speaks_no_tls_is_not_read_with_it():
    with running(lambda: BODY) as agent:
        trusting = ssl.create_default_context()
        asked = OverHttp(on_tcp("127.0.0.1", agent.server_address[1], trusting), timeout_seconds=10)

        assert "it does not speak TLS: try http://" == failure(asked)


def test_an_agent_that_wants_a_password_is_told_with_the_option_for_one():
    with running(lambda: b"") as agent, closing(source(agent)) as asked:
        agent.status = 401

        assert "it answers 401: it wants a user and a password: --host.password-file" == failure(
            asked
        )


def test_it_keeps_its_connection():
    with running(lambda: BODY) as agent, closing(source(agent)) as asked:
        for _ in range(3):
            asked.read()

        assert 1 == agent.connections


def test_an_agent_that_has_closed_the_connection_is_connected_to_again():
    with running(lambda: BODY) as agent, closing(source(agent)) as asked:
        asked.read()
        agent.hang_up()

        assert report() == asked.read()


def test_it_tells_user_and_password():
    with running(lambda: BODY) as agent, closing(source(agent, password="u:pä")) as asked:
        asked.read()

        assert [("/api/v1/report", "Basic dTpww6Q=")] == agent.asked


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, "it answers 401: it wants another user or password"),
        (403, "it refuses"),
        (302, "it answers 302: is it an agent?"),
        (500, "it answers 500: is it an agent?"),
    ],
)
def test_another_answer_than_a_report_is_a_failure(status, told):
    with running(lambda: b"") as agent, closing(source(agent, password="u:p")) as asked:
        agent.status = status

        assert told in failure(asked)


def test_it_goes_on_after_a_failure():
    with running(lambda: BODY) as agent, closing(source(agent)) as asked:
        agent.status = 500
        failure(asked)
        agent.status = 200

        assert report() == asked.read()


def test_a_body_that_is_too_large_is_not_read_to_its_end():
    with running(lambda: b" " * (MOST_BYTES + 1)) as agent, closing(source(agent)) as asked:
        assert "a report is at most 32 MiB" == failure(asked, BadReport)


def test_what_is_no_report_is_refused():
    with running(lambda: b"[]") as agent, closing(source(agent)) as asked:
        assert "the report: Input should be an object" == failure(asked, BadReport)


def test_nobody_there(tmp_path):
    asked = OverHttp(on_unix(tmp_path / "agent.sock"), timeout_seconds=10)

    assert os.strerror(2) == failure(asked)


@contextmanager
def saying(*parts: bytes):
    """Yield a source in front of a server that says this, whatever it is asked, and then nothing."""
    ours, theirs = socket.socketpair()
    ours.settimeout(0.2)

    def connect(deadline: Deadline):
        connection = Timed(deadline, "test")
        connection.sock = ours
        return connection

    def say():
        theirs.recv(4096)
        for part in parts:
            theirs.sendall(part)

    thread = threading.Thread(target=say)
    thread.start()
    yield OverHttp(connect, timeout_seconds=0.2)
    thread.join()
    theirs.close()
    ours.close()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "timed out"),
        (b"", "timed out"),
        (b"SSH-2.0-OpenSSH_9.2\x1b[2J\r\n", r"SSH-2.0-OpenSSH_9.2\x1b[2J"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200, "got more than 100 headers"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "IncompleteRead"),
    ],
    ids=["half", "nothing", "ssh", "headers", "chunks"],
)
def test_what_does_not_speak_http_is_a_failure_in_one_short_line(said, told):
    with saying(said) as asked:
        text = failure(asked)

    assert told in text and text.isprintable() and len(text) < 300


@pytest.mark.parametrize(
    ("head", "again"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
        (b"HTTP/1.1 200 OK\r\n", b"X"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n" * 100),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", b" "),
    ],
    ids=["continues", "header", "chunk", "trailers", "body"],
)
def test_an_answer_without_end_is_given_up_however_it_comes(head, again):
    ours, theirs = socket.socketpair()
    is_over = threading.Event()

    def talk():
        theirs.recv(4096)
        theirs.sendall(head)
        with suppress(OSError):
            while not is_over.wait(0.01):
                theirs.sendall(again)

    def connect(deadline: Deadline):
        connection = Timed(deadline, "test")
        connection.sock = ours
        return connection

    thread = threading.Thread(target=talk)
    thread.start()
    asking = threading.Timer(10, is_over.set)  # what is not given up ends by itself then
    asking.start()
    try:
        told = failure(OverHttp(connect, timeout_seconds=0.2))
    finally:
        was_over = is_over.is_set()
        is_over.set()
        asking.cancel()
        ours.close()
        thread.join()
        theirs.close()

    assert ("timed out", False) == (told, was_over)
