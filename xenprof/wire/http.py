"""One HTTP/1.1 exchange on a connection of its own.

No more of HTTP than the control socket needs: importing `http.client` would be a third of what
`xm list` takes.
"""

import socket
import time

_PIECE_BYTES = 1 << 18
_LONGEST_BYTES = 1 << 28  # of an answer; that of a thousand domains is 2 MB


def exchange(
    connection: socket.socket, method: str, path: str, body: bytes | None
) -> tuple[int, bytes]:
    """Send a request with a JSON body, or none; return status and content of the answer.

    A timeout of the connection bounds the whole exchange.

    Raises: OSError, also for an answer that is cut off or is not HTTP.
    """
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        "Accept-Encoding: identity",
        "Connection: close",
        "Content-Type: application/json",
    ]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    connection.sendall("\r\n".join([*lines, "", ""]).encode("ascii") + (body or b""))
    head, end, content = _answer(connection).partition(b"\r\n\r\n")
    status_line, *headers = head.decode("latin-1").split("\r\n")
    version, _, status = status_line.partition(" ")
    if not (end and version.startswith("HTTP/1.") and status[:3].isdecimal() and len(status) >= 3):
        raise ConnectionError("Remote end closed connection without response")
    for header in headers:
        name, _, value = header.partition(":")
        if name.lower() == "content-length" and not _is_number(value.strip(), len(content)):
            raise ConnectionError(f"Remote end closed connection after {len(content)} bytes")
    return int(status[:3]), content


def _answer(connection: socket.socket) -> bytes:
    """Return all that the peer sends before it closes. Raises: OSError, at the timeout too."""
    seconds = connection.gettimeout()
    end = None if seconds is None else time.monotonic() + seconds
    answer = bytearray()
    while piece := connection.recv(_PIECE_BYTES):
        answer += piece
        if len(answer) > _LONGEST_BYTES:
            raise ConnectionError(f"Remote end sent more than {_LONGEST_BYTES} bytes")
        if end is not None:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            connection.settimeout(left)
    return bytes(answer)


def _is_number(text: str, number: int) -> bool:
    return text.isdecimal() and len(text) < 20 and int(text) == number
