"""The guest at the other end of a console: what the service tells of it and does to it."""

import time
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote

from xenprof.client import ServiceError
from xenprof.errors import XenprofError

_FROZEN_POLL_SECONDS = 0.25


class Service(Protocol):
    """What a console needs of a client."""

    def get(self, path: str) -> dict[str, Any]:
        """Return the JSON object at `path`."""
        ...

    def post(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Send `body` and return the answer."""
        ...


class DomainGoneError(XenprofError):
    """The domain has ended; so does its console."""

    def __init__(self) -> None:
        """Say what xenconsole says when the domain's nodes are gone."""
        super().__init__("xenconsole: Could not read tty from store: No such file or directory")


class Guest:
    """One domain, by its id: a new one of the same name is not this one."""

    def __init__(self, client: Service, domid: int, name: str) -> None:
        """Nothing is asked yet."""
        self.client = client
        self.domid = domid
        self.name = name
        self._path = f"/api/v1/domains/{quote(str(domid), safe='')}"

    def files(self) -> Mapping[str, str]:
        """Return all of /proc, of one instant. Raises: DomainGoneError; ServiceError."""
        files: dict[str, str] = self._get("proc")["files"]
        return files

    def file(self, name: str) -> str:
        """Return a file below /proc. Raises: DomainGoneError; ServiceError as cat says it."""
        return str(self._get("proc/" + quote(name))["text"])

    def console(self) -> str:
        """Return what its kernel and init have written to their console."""
        return str(self._get("console")["text"])

    def state(self) -> Mapping[str, Any]:
        """Return its part of a snapshot, and follow a rename. Raises: DomainGoneError."""
        for domain in self.client.get("/api/v1/snapshot")["domains"]:
            if domain["domid"] == self.domid:
                self.name = domain["name"]
                state: dict[str, Any] = domain
                return state
        raise DomainGoneError

    def unix_ns(self) -> int:
        """Return the time on its clock."""
        return int(self.client.get("/api/v1/snapshot")["unix_ns"])

    def wait(self, seconds: float) -> None:
        """Let that much time of the model pass, and more while the guest is paused.

        Raises: DomainGoneError; ServiceError.
        """
        self.client.post("/api/v1/wait", {"seconds": seconds})
        while self.state()["paused"]:  # its timer has fired, and nobody is there to see it
            time.sleep(_FROZEN_POLL_SECONDS)

    def do(self, verb: str, **arguments: object) -> None:
        """Have the toolstack do something to it. Raises: DomainGoneError; ServiceError."""
        try:
            self.client.post(f"{self._path}/{verb}", arguments)
        except ServiceError as error:
            raise _translated(error) from None

    def _get(self, path: str) -> dict[str, Any]:
        try:
            return self.client.get(f"{self._path}/{path}")
        except ServiceError as error:
            raise _translated(error) from None


def _translated(error: ServiceError) -> Exception:
    return DomainGoneError() if error.type == "UnknownDomain" else error
