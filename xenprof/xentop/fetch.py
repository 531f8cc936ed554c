"""Gets the newest snapshot of a host from the running service."""

from collections.abc import Callable
from urllib.parse import quote

from hypervisor.telemetry import HostSnapshot
from xenprof.client import Service, ServiceError
from xenprof.wire.paths import SNAPSHOT

Fetch = Callable[[], HostSnapshot]
"""Returns the newest snapshot; may block for a while. Raises: ServiceError."""
ANSWER_SECONDS = 2.0
"""How long a screen waits. Judgement: snapshots come at once; quitting waits for a request."""


def newest(client: Service, name: str | None = None) -> HostSnapshot:
    """Return the newest snapshot of the service's first host, or of the one of this name.

    Raises: ServiceError, also for a host that cannot be read.
    """
    path = SNAPSHOT if name is None else f"{SNAPSHOT}?host={quote(name, safe='')}"
    host = client.get(path, HostSnapshot)
    if not host.is_up:
        told = f"nothing is known of {host.host}: the service gets no data from it"
        if host.unread_because:
            told += f": {host.unread_because}"
        raise ServiceError(told, http_status=503)
    return host
