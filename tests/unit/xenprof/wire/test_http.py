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
    "answer", [b"", GOOD[:20], GOOD[:-3], GOOD[:-1], b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 x\r\n\r\n"]
)
def test_an_answer_that_is_cut_off_or_no_http_is_an_error(answer):
    with pytest.raises(ConnectionError, match="Remote end closed connection"):
        answered(answer)
