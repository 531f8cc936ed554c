import socket

import pytest

from xenprof.wire.http import exchange

GOOD = b"HTTP/1.1 404 Not Found\r\nServer: x\r\nContent-Length: 2\r\n\r\n{}"


def answered(answer: bytes, method: str = "GET", body: bytes | None = None):
    """What an exchange with a peer that answers so comes to, and what the peer was sent."""
    ours, peer = socket.socketpair()
    with ours, peer:
        peer.sendall(answer)
        peer.shutdown(socket.SHUT_WR)
        result = exchange(ours, method, "/x", body)
        ours.shutdown(socket.SHUT_WR)
        return result, peer.recv(1 << 16).decode()


def test_the_answer_is_status_and_content():
    assert answered(GOOD)[0] == (404, b"{}")


def test_a_post_tells_the_length_of_its_body():
    head, _, body = answered(GOOD, "POST", b'{"a": 1}')[1].partition("\r\n\r\n")
    lines = head.split("\r\n")
    assert (lines[0], body) == ("POST /x HTTP/1.1", '{"a": 1}')
    assert {"Content-Length: 8", "Content-Type: application/json"} <= set(lines)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        GOOD[:20],
        GOOD[:-3],
        GOOD[:-1],
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 x\r\n\r\n",
        b"HTTP/1.1 9\r\n\r\n",
    ],
)
def test_an_answer_that_is_cut_off_or_no_http_is_an_error(answer):
    with pytest.raises(ConnectionError, match="Remote end closed connection"):
        answered(answer)


def test_a_length_may_be_written_with_zeros():
    assert answered(GOOD.replace(b": 2", b": 002"))[0] == (404, b"{}")


def test_an_answer_that_does_not_end_is_given_up(monkeypatch):
    monkeypatch.setattr("xenprof.wire.http._LONGEST_BYTES", len(GOOD) - 1)
    with pytest.raises(ConnectionError, match="Remote end sent more than"):
        answered(GOOD)


def test_the_timeout_bounds_the_whole_answer(monkeypatch):
    """Not each piece of it: a peer that sends a byte now and then would never be given up."""
    now = iter([0.0, 1.0, 2.0, 3.0])
    monkeypatch.setattr("xenprof.wire.http.time.monotonic", lambda: next(now))
    monkeypatch.setattr("xenprof.wire.http._PIECE_BYTES", 1)
    ours, peer = socket.socketpair()
    with ours, peer:
        ours.settimeout(2.5)
        peer.sendall(GOOD)
        with pytest.raises(TimeoutError):
            exchange(ours, "GET", "/x", None)
