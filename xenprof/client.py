"""A small client of the service's control socket: HTTP and JSON over `HOME/control.sock`.

Only the standard library, so that programs which use it start fast.
"""

import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xenprof.errors import XenprofError

SOCKET_NAME = "control.sock"
MISSING_CAPABILITY = "MissingCapability"  # the type of the error where a host offers less


class ServiceError(XenprofError):
    """The service answered with an error; the message is for the user, in one line."""

    def __init__(
        self, message: str, type: str = "ServiceError", exit_code: int = 1, http_status: int = 500
    ) -> None:
        """Keep what the service said; `type` is the name of the error class over there."""
        super().__init__(message)
        self.type = type
        self.exit_code = exit_code
        self.http_status = http_status


class ServiceNotRunning(ServiceError):
    """Nobody listens on the control socket."""

    def __init__(self, home: Path) -> None:
        """`home` is the HOME whose service was looked for."""
        super().__init__(
            f"the xenprof service is not running on {home}; start it with: xenprof serve",
            type="ServiceNotRunning",
            http_status=503,
        )


class Client:
    """Calls the service of one HOME. Every call opens its own connection: safe in any thread."""

    def __init__(self, home: Path, timeout_seconds: float | None = None) -> None:
        """`timeout_seconds` bounds each answer; None waits as long as the service works on it."""
        self.home = home
        self._timeout_seconds = timeout_seconds

    def get(self, path: str) -> dict[str, Any]:
        """Return the JSON object at `path`, e.g. `/api/v1/snapshot`.

        Raises: ServiceNotRunning; ServiceError with the service's own message.
        """
        return self._request("GET", path, None)

    def post(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Send `body` (JSON-able; None = {}) and return the answer. Raises as `get`."""
        return self._request("POST", path, json.dumps(body or {}).encode())

    def _request(self, method: str, path: str, body: bytes | None) -> dict[str, Any]:
        import http.client  # slow to import, and whoever only catches our errors needs none of it

        connection = http.client.HTTPConnection("localhost")
        headers = {"Content-Type": "application/json", "Connection": "close"}
        try:
            connection.sock = _connect(self.home, self._timeout_seconds)
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            status, payload = response.status, response.read()
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            raise ServiceNotRunning(self.home) from None
        except TimeoutError:
            raise ServiceError(
                f"the xenprof service on {self.home} did not answer "
                f"within {self._timeout_seconds:g} seconds",
                http_status=504,
            ) from None
        except (OSError, http.client.HTTPException) as error:
            raise ServiceError(
                f"the xenprof service on {self.home} broke off: {error or type(error).__name__}"
            ) from None
        finally:
            connection.close()
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


def _decode(status: int, payload: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(payload) if payload else {}
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise ServiceError(f"the xenprof service answered {status} without JSON")
    if status < 400:
        return answer
    error = answer.get("error", {})
    raise ServiceError(
        str(error.get("message", f"the xenprof service answered {status}")),
        type=str(error.get("type", "ServiceError")),
        exit_code=int(error.get("exit_code", 1)),
        http_status=status,
    )
