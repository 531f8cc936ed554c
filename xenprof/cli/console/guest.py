"""The guest at the other end of a console, read and changed through the service."""

import time
from collections.abc import Mapping
from typing import TypeVar

from hypervisor.telemetry import DomainSnapshot, HostSnapshot
from xenprof.client import Service, ServiceError
from xenprof.errors import XenprofError
from xenprof.wire.answers import ProcTexts, Text
from xenprof.wire.host_requests import Wait
from xenprof.wire.paths import SNAPSHOT, domain_path
from xenprof.wire.requests import DomainRequest

T = TypeVar("T")

_FROZEN_POLL_SECONDS = 0.25


class DomainGoneError(XenprofError):
    """The domain has ended; so does its console."""

    def __init__(self) -> None:
        """The message is xenconsole's when the nodes of a domain are gone."""
        super().__init__("xenconsole: Could not read tty from store: No such file or directory")


class Guest:
    """One domain, known by its id: a new domain of the same name is another guest."""

    def __init__(self, client: Service, domid: int, name: str) -> None:
        """Nothing is asked yet."""
        self.client = client
        self.domid = domid
        self.name = name

    def files(self) -> Mapping[str, str]:
        """Return all files of /proc as of one instant. Raises: DomainGoneError; ServiceError."""
        return self._get(ProcTexts, "proc").files

    def file(self, name: str) -> str:
        """Return a file below /proc. Raises: DomainGoneError; ServiceError as cat says it."""
        return self._get(Text, "proc", *name.split("/")).text

    def sys_file(self, name: str) -> str:
        """Return a file below /sys. Raises: DomainGoneError; ServiceError as cat says it."""
        return self._get(Text, "sys", *name.split("/")).text

    def console(self) -> str:
        """Return what its kernel and init have written to their console."""
        return self._get(Text, "console").text

    def state(self) -> DomainSnapshot:
        """Return the domain's part of a snapshot, and note a new name. Raises: DomainGoneError."""
        for domain in self.client.get(SNAPSHOT, HostSnapshot).domains:
            if domain.domid == self.domid:
                self.name = domain.name
                return domain
        raise DomainGoneError

    def unix_ns(self) -> int:
        """Return the time on the guest's clock."""
        return self.client.get(SNAPSHOT, HostSnapshot).unix_ns

    def wait(self, seconds: float) -> None:
        """Let that much time of the model pass, and more while the guest is paused.

        Raises: DomainGoneError; ServiceError.
        """
        self.client.do(Wait(seconds))
        while self.state().paused:  # the timer has fired, but a paused guest does not see it
            time.sleep(_FROZEN_POLL_SECONDS)

    def do(self, request: DomainRequest) -> None:
        """Have the toolstack change the domain. Raises: DomainGoneError; ServiceError."""
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
