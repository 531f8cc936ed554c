"""A small client of the service's control socket: HTTP and JSON over `HOME/control.sock`.

It uses only the standard library, so that programs start fast.
"""

import json
import os
import socket
from pathlib import Path
from typing import Any, Protocol, TypeVar

from hypervisor.errors import MissingCapability
from xenprof.errors import XenprofError
from xenprof.wire.codec import Malformed, decode, encode
from xenprof.wire.http import exchange
from xenprof.wire.requests import Request

T = TypeVar("T")

SOCKET_NAME = "control.sock"
MISSING_CAPABILITY = MissingCapability.__name__
"""The type of the error if the host lacks a capability."""


class ServiceError(XenprofError):
    """The service answered with an error; the message is for the user, in one line."""

    def __init__(
        self, message: str, type: str = "ServiceError", exit_code: int = 1, http_status: int = 500
    ) -> None:
        """Keep the service's message; `type` is the name of its class of the error."""
        super().__init__(message)
        self.type = type
        self.exit_code = exit_code
        self.http_status = http_status


class ServiceNotRunning(ServiceError):
    """No service listens on the control socket."""

    def __init__(self, home: Path) -> None:
        """`home` is the HOME whose service was looked for."""
        super().__init__(
            f"the xenprof service is not running on {home}; "
            "start it with: xenprof serve --background",
            type="ServiceNotRunning",
            http_status=503,
        )


class WrongAnswer(ServiceError):
    """The service's answer is not what this program understands."""

    def __init__(self, path: str, error: Malformed) -> None:
        """`error` tells what was wrong with the answer to a call of `path`."""
        super().__init__(
            f"the xenprof service answers {path} as another version does: {error}; "
            "restart it with this one: xenprof stop, then xenprof serve --background",
            type="WrongAnswer",
            http_status=502,
        )


class Service(Protocol):
    """The methods of a client that programs need."""

    def get(self, path: str, kind: type[T]) -> T:
        """Return the record at `path`."""
        ...

    def do(self, request: Request, about: str = "") -> None:
        """Send a request."""
        ...

    def ask(self, request: Request, kind: type[T], about: str = "") -> T:
        """Send a request, and return the answer as a record."""
        ...


class Client:
    """Calls the service of one HOME. Every call opens its own connection: safe in any thread."""

    def __init__(self, home: Path, timeout_seconds: float | None = None) -> None:
        """`timeout_seconds` bounds each answer; None waits as long as the service works on it."""
        self.home = home
        self._timeout_seconds = timeout_seconds

    def get(self, path: str, kind: type[T]) -> T:
        """Return the JSON object at `path`, e.g. `/api/v1/snapshot`, as a record.

        Raises: ServiceNotRunning; ServiceError with the service's own message; WrongAnswer.
        """
        return _as(kind, self._request("GET", path, None), path)

    def do(self, request: Request, about: str = "") -> None:
        """Send a request; `about` is the domain that it concerns. Raises as `get`."""
        self._post(request.url(about), request)

    def ask(self, request: Request, kind: type[T], about: str = "") -> T:
        """Send a request as `do`, and return the answer. Raises as `get`."""
        path = request.url(about)
        return _as(kind, self._post(path, request), path)

    def _post(self, path: str, request: Request) -> dict[str, object]:
        return self._request("POST", path, encode(request.body()).encode())

    def _request(self, method: str, path: str, body: bytes | None) -> dict[str, object]:
        try:
            with _connect(self.home, self._timeout_seconds) as connection:
                status, payload = exchange(connection, method, path, body)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            raise ServiceNotRunning(self.home) from None
        except TimeoutError:
            raise ServiceError(
                f"the xenprof service on {self.home} did not answer "
                f"within {self._timeout_seconds:g} seconds",
                http_status=504,
            ) from None
        except OSError as error:
            raise ServiceError(
                f"the xenprof service on {self.home} broke off: {error or type(error).__name__}"
            ) from None
        return _decode(status, payload)


def _connect(home: Path, timeout_seconds: float | None) -> socket.socket:
    """Return the connected socket of a HOME whose path may exceed the 108 bytes of sun_path."""
    folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(timeout_seconds)
            connection.connect(f"/proc/self/fd/{folder}/{SOCKET_NAME}")
        except BaseException:
            connection.close()
            raise
    finally:
        os.close(folder)
    return connection


def _as(kind: type[T], answer: dict[str, object], path: str) -> T:
    try:
        return decode(kind, answer)
    except Malformed as error:
        raise WrongAnswer(path, error) from None


def _decode(status: int, payload: bytes) -> dict[str, object]:
    answer: Any
    try:
        answer = json.loads(payload) if payload else {}
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise ServiceError(f"the xenprof service answered {status} without JSON")
    if status < 400:
        return answer
    from xenprof.wire.failure import Failure

    try:
        failure = decode(Failure, answer.get("error", {}))
    except Malformed:
        failure = Failure()
    raise ServiceError(
        failure.message or f"the xenprof service answered {status}",
        type=failure.type,
        exit_code=failure.exit_code,
        http_status=status,
    )
