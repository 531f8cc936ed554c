"""Reads the head of an HTTP request, and writes that of an answer. No more of HTTP is needed."""

import re
import time
from typing import Dict, List, Mapping, NamedTuple, Tuple

from hypervisor.live.agent.errors import AgentError
from hypervisor.live.agent.limits import MOST_HEAD_BYTES, MOST_LINE_BYTES

END = b"\r\n\r\n"
_TLS_HANDSHAKE = b"\x16"
_BARE_NEWLINE = re.compile(rb"(?<!\r)\n")
PHRASES = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Payload Too Large",
    414: "URI Too Long",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Request(NamedTuple):
    """The head of a request without a body."""

    method: str
    path: str  # without query
    headers: Mapping[str, str]  # by name in lower case
    is_kept: bool  # the client may ask again on this connection


class Answer(NamedTuple):
    """An answer to a request."""

    status: int
    content_type: str = "text/plain; charset=utf-8"
    body: bytes = b""
    headers: Tuple[Tuple[str, str], ...] = ()


class BadRequest(AgentError):
    """Refuses a request for its form. The connection ends with the answer."""

    http_status = 400

    def __init__(self, status: int) -> None:
        """`status` is that of the answer."""
        super().__init__(PHRASES[status])
        self.status = status


def refusal(status: int, *headers: Tuple[str, str]) -> Answer:
    """Return an answer that says no more than its status."""
    return Answer(status, body=f"{PHRASES[status]}\n".encode(), headers=headers)


def check_start(received: bytes) -> None:
    """Look at what has come of a head that is not complete. Raises: BadRequest."""
    check_size(received)
    if received[:1] == _TLS_HANDSHAKE:  # which waits for an answer; this one tells it at once
        raise BadRequest(400)
    if _BARE_NEWLINE.search(received):  # its end would never come
        raise BadRequest(400)


def check_size(received: bytes) -> None:
    """Look at how long a head is, complete or not. Raises: BadRequest."""
    if b"\n" not in received[:MOST_LINE_BYTES] and len(received) >= MOST_LINE_BYTES:
        raise BadRequest(414)
    if len(received) > MOST_HEAD_BYTES:
        raise BadRequest(431)


def parse(head: bytes) -> Request:
    """Return the request that a head has, without the empty line at its end.

    Raises: BadRequest.
    """
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(first) > MOST_LINE_BYTES:
        raise BadRequest(414)
    if len(words) != 3 or not first.isprintable() or not words[2].startswith("HTTP/"):
        raise BadRequest(400)
    method, target, version = words
    if version not in ("HTTP/1.0", "HTTP/1.1"):
        raise BadRequest(505)
    headers = _headers(lines)
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        raise BadRequest(413)  # nothing that is asked here has a body
    if version == "HTTP/1.1" and "host" not in headers:
        raise BadRequest(400)
    wishes = [one.strip() for one in headers.get("connection", "").lower().split(",")]
    is_kept = version == "HTTP/1.1" and "close" not in wishes
    return Request(method, _path(target), headers, is_kept)


def _headers(lines: List[str]) -> Dict[str, str]:
    found: Dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip() or "\n" in line or "\0" in line:
            raise BadRequest(400)
        name, value = name.lower(), value.strip(" \t")
        if name in found and name in ("host", "content-length", "authorization"):
            raise BadRequest(400)
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _path(target: str) -> str:
    for scheme in ("http://", "https://"):  # as proxies are asked
        if target.lower().startswith(scheme):
            target = "/" + target[len(scheme) :].partition("/")[2]
    return target.partition("?")[0]


def accepts_gzip(request: Request) -> bool:
    """Return whether an answer may be compressed; whoever gives a weight of 0 does not want it."""
    for item in request.headers.get("accept-encoding", "").lower().split(","):
        name, _, weight = item.replace(" ", "").partition(";")
        if name == "gzip":
            return weight.rstrip("0") not in ("q=", "q=0", "q=0.")
    return False


def written(answer: Answer, fixed: Tuple[Tuple[str, str], ...], is_kept: bool, now: float) -> bytes:
    """Return the head of an answer; `fixed` headers are on all answers, `now` is Unix time."""
    lines = [f"HTTP/1.1 {answer.status} {PHRASES[answer.status]}", f"Date: {_date(now)}"]
    lines.append(f"Content-Type: {answer.content_type}")
    lines.append(f"Content-Length: {len(answer.body)}")
    lines.extend(f"{name}: {value}" for name, value in fixed + answer.headers)
    if not is_kept:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1") + END


def _date(now: float) -> str:
    at = time.gmtime(now)
    day, month = _DAYS[at.tm_wday], _MONTHS[at.tm_mon - 1]
    clock = time.strftime("%H:%M:%S", at)
    return f"{day}, {at.tm_mday:02d} {month} {at.tm_year} {clock} GMT"
