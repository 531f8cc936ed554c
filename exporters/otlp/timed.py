"""Makes requests' connections keep a deadline."""

from functools import partial
from typing import Any

import urllib3
import urllib3.connection
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from hypervisor.deadlines import Deadline, Timed


class TimedAdapter(HTTPAdapter):
    """Sends a session's requests one after the other, by way of a proxy or not.

    The timeout of a request is for all of it: connecting, sending, and the answer to its end.
    """

    def __init__(self) -> None:
        super().__init__()
        self._deadline = Deadline(0.0)

    def send(self, request: PreparedRequest, **settings: Any) -> Response:  # type: ignore[override]
        """Send a request; the setting `timeout` is a number of seconds."""
        seconds = settings["timeout"]
        self._deadline.restart(seconds)
        return super().send(request, **{**settings, "timeout": urllib3.Timeout(total=seconds)})

    def get_connection_with_tls_context(self, *args: Any, **settings: Any) -> Any:
        """Return the pool that the request is sent with."""
        pool: Any = super().get_connection_with_tls_context(*args, **settings)
        kind = _Secure if pool.scheme == "https" else _Plain
        pool.ConnectionCls = partial(kind, self._deadline)
        return pool


class _Plain(Timed, urllib3.connection.HTTPConnection):
    pass


class _Secure(Timed, urllib3.connection.HTTPSConnection):
    pass
