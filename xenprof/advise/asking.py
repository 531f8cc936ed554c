"""Asks the running service for what snapshots of its host do not have."""

from collections.abc import Sequence

from xenprof.client import Service, ServiceError
from xenprof.wire.answers import Store, Text
from xenprof.wire.paths import XENSTORE, domain_path


class AskedService:
    """The first host of a service; what it cannot be asked for is None."""

    def __init__(self, client: Service) -> None:
        """Nothing is asked yet."""
        self._client = client

    def sys(self, domid: int, name: str) -> str | None:
        """Return a file below a domain's /sys, for "" the names of all."""
        try:
            return self._client.get(domain_path(str(domid), "sys", *name.split("/")), Text).text
        except ServiceError:
            return None

    def store(self) -> Sequence[tuple[str, str]] | None:
        """Return path and text of every node of xenstore."""
        try:
            return self._client.get(XENSTORE, Store).entries
        except ServiceError:
            return None
