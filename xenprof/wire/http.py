"""One HTTP/1.1 exchange on a connection of its own.

No more of HTTP than the control socket needs: importing `http.client` would be a third of what
`xm list` takes.
"""

import socket

_PIECE_BYTES = 1 << 18


def exchange(
    connection: socket.socket, method: str, path: str, body: bytes | None
) -> tuple[int, bytes]:
    """Send a request with a JSON body, or none; return status and content of the answer.

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
    answer = bytearray()
    while piece := connection.recv(_PIECE_BYTES):
        answer += piece
    head, end, content = bytes(answer).partition(b"\r\n\r\n")
    status_line, *headers = head.decode("latin-1").split("\r\n")
    version, _, status = status_line.partition(" ")
    if not (end and version.startswith("HTTP/1.") and status[:3].isdecimal()):
        raise ConnectionError("Remote end closed connection without response")
    for header in headers:
        name, _, value = header.partition(":")
        if name.lower() == "content-length" and value.strip() != str(len(content)):
            raise ConnectionError(f"Remote end closed connection after {len(content)} bytes")
    return int(status[:3]), content
