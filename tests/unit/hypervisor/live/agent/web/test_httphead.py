import contextlib
import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.live.agent.web.httphead import (
    Answer,
    BadRequest,
    accepts_gzip,
    check_size,
    check_start,
    parse,
    refusal,
    written,
)

GET = b"GET /metrics HTTP/1.1\r\nHost: a"


def with_header(line: bytes) -> bytes:
    return GET + b"\r\n" + line


def test_a_request_is_read():
    request = parse(b"GET /metrics?x=1 HTTP/1.1\r\nHost: a:1\r\nX-Many: 1\r\nx-many:  2 ")

    assert ("GET", "/metrics", True) == (request.method, request.path, request.is_kept)
    assert {"host": "a:1", "x-many": "1, 2"} == request.headers


def test_tls_is_refused_at_once_where_http_is_spoken():
    with pytest.raises(BadRequest) as refused:
        check_start(b"\x16\x03\x01\x02\x00\x01")

    assert 400 == refused.value.status


@pytest.mark.parametrize("target", ["http://a/metrics", "HTTPS://a:1/metrics?b", "/metrics?"])
def test_a_whole_url_is_its_path(target):
    assert "/metrics" == parse(f"GET {target} HTTP/1.1\r\nHost: a".encode()).path


@pytest.mark.parametrize(
    ("head", "is_kept"),
    [
        (GET, True),
        (with_header(b"Connection: close"), False),
        (with_header(b"connection: Close"), False),
        (with_header(b"Connection: te, close"), False),
        (b"GET / HTTP/1.0", False),
    ],
)
def test_a_connection_is_kept_unless_the_client_ends_it(head, is_kept):
    assert is_kept == parse(head).is_kept


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"", 400),
        (b"GET", 400),
        (b"GET / HTTP/1.1 x\r\nHost: a", 400),
        (b"GET /a b HTTP/1.1\r\nHost: a", 400),
        (b"GET /\x00 HTTP/1.1\r\nHost: a", 400),
        (b"GET / HTTP/2.0\r\nHost: a", 505),
        (b"GET / FTP/1.0\r\nHost: a", 400),
        (b"GET / HTTP/1.1", 400),
        (with_header(b"no colon"), 400),
        (with_header(b" folded: x"), 400),
        (with_header(b"space : x"), 400),
        (with_header(b": x"), 400),
        (with_header(b"a: b\nc: d"), 400),
        (with_header(b"Host: b"), 400),
        (with_header(b"Authorization: a\r\nAuthorization: b"), 400),
        (with_header(b"Content-Length: 5"), 413),
        (with_header(b"Content-Length: 0\r\nContent-Length: 0"), 400),
        (with_header(b"Transfer-Encoding: chunked"), 413),
        (b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\nHost: a", 414),
    ],
)
def test_what_is_no_request_that_is_served_is_refused(head, status):
    with pytest.raises(BadRequest) as caught:
        parse(head)

    assert status == caught.value.status


@given(st.binary(max_size=80))
def test_no_bytes_do_more_than_be_refused(head):
    with contextlib.suppress(BadRequest):
        parse(head)


@pytest.mark.parametrize(
    ("received", "status"), [(b"a" * 2048, 414), (b"a: b\r\n" * 1400, 431), (b"\n" * 8193, 431)]
)
def test_a_head_that_does_not_end_is_refused(received, status):
    with pytest.raises(BadRequest) as caught:
        check_size(received)

    assert status == caught.value.status


@pytest.mark.parametrize(
    ("header", "accepts"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("gzip;q=1.0", True),
        ("gzip; q=0", False),
        ("gzip;q=0.000", False),
        ("", False),
        ("deflate", False),
        ("x-gzip", False),
    ],
)
def test_an_answer_is_compressed_for_who_wants_it(header, accepts):
    assert accepts == accepts_gzip(parse(with_header(b"Accept-Encoding: " + header.encode())))


def test_the_head_of_an_answer_is_written():
    answer = Answer(200, "text/html", b"body", (("A", "b"),))

    assert (
        b"HTTP/1.1 200 OK\r\nDate: Sun, 29 Nov 2026 21:27:54 GMT\r\nContent-Type: text/html\r\n"
        b"Content-Length: 4\r\nX: y\r\nA: b\r\nConnection: close\r\n\r\n"
    ) == written(answer, (("X", "y"),), False, 1795987674)


@pytest.mark.parametrize("now", [0, 951782400, 1795987674, 4102444799])
def test_dates_are_those_of_http(now):
    date = email.utils.formatdate(now, usegmt=True)

    assert f"Date: {date}\r\n".encode() in written(refusal(404), (), True, now)


def test_a_refusal_says_no_more_than_its_status():
    assert (404, b"Not Found\n") == (refusal(404).status, refusal(404).body)
