"""Gets the newest snapshot of a host from the running service."""

from collections.abc import Callable

from hypervisor.telemetry import HostSnapshot
from xenprof.client import Service, ServiceError
from xenprof.wire.paths import SNAPSHOT

Fetch = Callable[[], HostSnapshot]
"""Returns the newest snapshot; may block for a while. Raises: ServiceError."""


def newest(client: Service) -> HostSnapshot:
    """Return the newest snapshot. Raises: ServiceError, also for a host that cannot be read."""
    host = client.get(SNAPSHOT, HostSnapshot)
    if not host.is_up:
        raise ServiceError(
            f"nothing is known of {host.host}: the service gets no data from it", http_status=503
        )
    return host
