"""Asks the page of a server of ours, with its own TLS and our own user."""

import base64
import http.client
import ssl
from dataclasses import dataclass
from http import HTTPStatus

from dashboards.observe.guard import Guard

LOOPBACK = "127.0.0.1"
SHUT = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
"""The page answers, but not us."""

_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: `status` is 0 if nobody answers, 403 if TLS wants a certificate of ours."""

    status: int
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Page:
    """The page of a server on this machine; `guard` has its users, where it has some."""

    port: int
    is_encrypted: bool = False
    guard: Guard | None = None

    @property
    def url(self) -> str:
        """Return its address."""
        return f"{'https' if self.is_encrypted else 'http'}://{LOOPBACK}:{self.port}"

    def ask(self, path: str) -> Answer:
        """Return what it answers to a request for a path."""
        connection = self._connection()
        try:
            connection.request("GET", path, headers=self._headers())
            answer = connection.getresponse()
            return Answer(answer.status, answer.read())
        except ssl.SSLEOFError:
            return Answer(0)  # it ended meanwhile
        except ssl.SSLError:
            return Answer(HTTPStatus.FORBIDDEN)
        except (OSError, http.client.HTTPException):
            return Answer(0)
        finally:
            connection.close()

    def _headers(self) -> dict[str, str]:
        if self.guard is None:
            return {}
        pair = f"{self.guard.user}:{self.guard.password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    def _connection(self) -> http.client.HTTPConnection:
        if not self.is_encrypted:
            return http.client.HTTPConnection(LOOPBACK, self.port, timeout=_PATIENCE_SECONDS)
        unverified = ssl.create_default_context()  # it is our own process, whatever it shows
        unverified.check_hostname = False
        unverified.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(
            LOOPBACK, self.port, timeout=_PATIENCE_SECONDS, context=unverified
        )
