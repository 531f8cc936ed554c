"""Sends requests over HTTP, as protobuf.

Source: opentelemetry.io/docs/specs/otlp, "OTLP/HTTP": which answers are worth another attempt.
"""

import gzip
import time
import zlib
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

import requests
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from exporters.otlp.sending import MOST_ANSWER_BYTES, Answer, one_line, pause, taken
from exporters.otlp.targets import Target
from exporters.otlp.timed import TimedAdapter
from xenprof.discretion import Secrets

_TEMPORARY = frozenset({429, 502, 503, 504})
_PROTOBUF = "application/x-protobuf"
_PACK: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, compresslevel=1, mtime=0),
    "deflate": lambda body: zlib.compress(body, 1),
}


class HttpSender:
    """Posts to one URL, over one connection as long as the receiver keeps it."""

    def __init__(self, target: Target, agent: str) -> None:
        """`agent` is the User-Agent. Connects with the first request."""
        self._url = target.url
        self._target = target
        self._pack = _PACK.get(target.compression)
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, TimedAdapter())
        self._session.headers.update({"User-Agent": agent, **target.headers})
        self._session.headers["Content-Type"] = _PROTOBUF
        if self._pack is not None:
            self._session.headers["Content-Encoding"] = target.compression
        # A header that was given goes before what ~/.netrc has for the receiver.
        self._auth = _as_it_is if "authorization" in target.headers else None
        # Given with each request: REQUESTS_CA_BUNDLE goes before what a session has.
        self._verify = True if target.certificate is None else str(target.certificate)
        self._cert: str | tuple[str, str] | None = None
        if target.client_certificate is not None:
            certificate, key = str(target.client_certificate), target.client_key
            self._cert = certificate if key is None else (certificate, str(key))

    def send(self, body: bytes, timeout_seconds: float) -> Answer:
        """Send a request and wait for its answer."""
        try:
            with self._session.post(
                self._url,
                data=body if self._pack is None else self._pack(body),
                timeout=timeout_seconds,  # of the whole exchange, see TimedAdapter
                allow_redirects=False,  # it would become a GET
                auth=self._auth,
                verify=self._verify,
                cert=self._cert,
                stream=True,  # so that an endless answer is not read to its end
            ) as response:
                return _answer(response, _read(response), self._secrets(response))
        except OSError as error:  # those of requests are, too
            # A bad URL or header is a ValueError as well, and no other attempt mends it.
            reason = one_line(self._target.secrets.hide(_reason(error)))
            return Answer(reason, is_temporary=not isinstance(error, ValueError))

    def _secrets(self, response: requests.Response) -> Secrets:
        sent = response.request.headers.get("Authorization", "")  # perhaps of ~/.netrc
        return Secrets(self._url, [*self._target.headers.values(), str(sent)])

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _read(response: requests.Response) -> bytes:
    """Return the body, as far as it is read. Raises: OSError."""
    data = b""
    for part in response.iter_content(4096):
        data += part
        if len(data) > MOST_ANSWER_BYTES:
            break
    return data


def _answer(response: requests.Response, data: bytes, secrets: Secrets) -> Answer:
    if 200 <= response.status_code < 300:
        return taken(data, secrets)
    is_temporary = response.status_code in _TEMPORARY
    said = secrets.hide(_said(response.headers.get("Content-Type", ""), data) or response.reason)
    return Answer(
        f"HTTP {response.status_code} {one_line(said)}".strip(),
        is_temporary,
        _retry_after(response.headers.get("Retry-After", "")) if is_temporary else 0.0,
    )


def _said(kind: str, data: bytes) -> str:
    """Return the message of an error: a google.rpc.Status, or a text."""
    if kind.startswith(_PROTOBUF):
        status = Status()
        try:
            status.ParseFromString(data)
        except DecodeError:
            return ""
        return str(status.message)
    return data.decode("utf-8", "replace")


def _retry_after(text: str) -> float:
    """Return the pause of a header Retry-After in seconds: a number or a date."""
    try:
        return pause(float(text))
    except ValueError:
        pass
    try:
        return pause(parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0.0


def _reason(error: Exception) -> str:
    """Return the innermost cause of an error; urllib3 wraps it several times."""
    inner: BaseException = error
    while True:
        cause = getattr(inner, "reason", None) or next(
            (one for one in inner.args if isinstance(one, BaseException)), None
        )
        cause = cause or inner.__cause__
        if not isinstance(cause, BaseException) or cause is inner:
            break
        inner = cause
    return str(inner) or type(inner).__name__
