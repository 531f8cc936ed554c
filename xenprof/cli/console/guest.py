"""The guest at the other end of a console: what the service tells of it and does to it."""

import time
from collections.abc import Mapping
from typing import TypeVar

from hypervisor.telemetry import DomainSnapshot, HostSnapshot
from xenprof.client import Service, ServiceError
from xenprof.errors import XenprofError
from xenprof.wire.answers import ProcFiles, Text
from xenprof.wire.host_requests import Wait
from xenprof.wire.paths import SNAPSHOT, domain_path
from xenprof.wire.requests import DomainRequest

T = TypeVar("T")

_FROZEN_POLL_SECONDS = 0.25


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

    def files(self) -> Mapping[str, str]:
        """Return all of /proc, of one instant. Raises: DomainGoneError; ServiceError."""
        return self._get(ProcFiles, "proc").files

    def file(self, name: str) -> str:
        """Return a file below /proc. Raises: DomainGoneError; ServiceError as cat says it."""
        return self._get(Text, "proc", *name.split("/")).text

    def console(self) -> str:
        """Return what its kernel and init have written to their console."""
        return self._get(Text, "console").text

    def state(self) -> DomainSnapshot:
        """Return its part of a snapshot, and follow a rename. Raises: DomainGoneError."""
        for domain in self.client.get(SNAPSHOT, HostSnapshot).domains:
            if domain.domid == self.domid:
                self.name = domain.name
                return domain
        raise DomainGoneError

    def unix_ns(self) -> int:
        """Return the time on its clock."""
        return self.client.get(SNAPSHOT, HostSnapshot).unix_ns

    def wait(self, seconds: float) -> None:
        """Let that much time of the model pass, and more while the guest is paused.

        Raises: DomainGoneError; ServiceError.
        """
        self.client.do(Wait(seconds))
        while self.state().paused:  # its timer has fired, and nobody is there to see it
            time.sleep(_FROZEN_POLL_SECONDS)

    def do(self, request: DomainRequest) -> None:
        """Have the toolstack do something to it. Raises: DomainGoneError; ServiceError."""
        try:
            self.client.do(request, str(self.domid))
        except ServiceError as error:
            raise _translated(error) from None

    def _get(self, kind: type[T], *names: str) -> T:
        try:
            return self.client.get(domain_path(str(self.domid), *names), kind)
        except ServiceError as error:
            raise _translated(error) from None


def _translated(error: ServiceError) -> Exception:
    return DomainGoneError() if error.type == "UnknownDomain" else error
