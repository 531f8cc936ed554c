"""Holds what the commands of one run of virsh share: the service, the mode, how to ask."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from hypervisor.telemetry import DomainSnapshot, HostSnapshot
from xenprof.cli.virsh.errors import VirshError
from xenprof.client import MISSING_CAPABILITY, Client, ServiceError, ServiceNotRunning
from xenprof.wire.requests import Request
from xenprof.xentop.fetch import newest

T = TypeVar("T")

_BY_ID, _BY_UUID, _BY_NAME = "id", "uuid", "name"


@dataclass(frozen=True, slots=True)
class _Nothing:
    """An answer that only says that the request was done."""


class Connection:
    """A connection to the service, like virsh's to the hypervisor."""

    def __init__(self, client: Client, help: Callable[[str], Iterable[str]]) -> None:
        """`help` gives what `help COMMAND` prints; nothing is sent before a command needs it."""
        self.client = client
        self.help = help
        self.is_readonly = False
        self.is_quiet = False
        self.is_over = False  # whether `quit` was typed

    def extra(self, line: str) -> None:
        """Print a text that quiet mode leaves out."""
        if not self.is_quiet:
            print(line)

    def snapshot(self) -> HostSnapshot:
        """Return the host now. Raises: ServiceError, also if nothing is known of it."""
        return newest(self.client)

    def domain(
        self, name: str, by: tuple[str, ...] = (_BY_ID, _BY_UUID, _BY_NAME)
    ) -> DomainSnapshot:
        """Return the domain that `name` stands for. Raises: VirshError; ServiceError."""
        return find_domain(self.snapshot(), name, by)

    def do(self, function: str, request: Request, domain: str = "") -> None:
        """Have the service change something, as `ask` does; there is no answer."""
        self.ask(function, request, _Nothing, domain)

    def ask(self, function: str, request: Request, kind: type[T], domain: str = "") -> T:
        """Return the answer to a request for a change; `function` is libvirt's name for it.

        Raises: VirshError with xend's message and none of virsh's own; ServiceError
        where there is no service, or no toolstack on its host.
        """
        if self.is_readonly:
            raise VirshError(
                library=f"Domain error : operation {function} forbidden for read only access"
            )
        try:
            return self.client.ask(request, kind, domain)
        except ServiceError as error:
            if isinstance(error, ServiceNotRunning) or error.type == MISSING_CAPABILITY:
                raise
            raise VirshError(library=xend_error("POST", str(error))) from None


def find_domain(
    snapshot: HostSnapshot, name: str, by: tuple[str, ...] = (_BY_ID, _BY_UUID, _BY_NAME)
) -> DomainSnapshot:
    """Return the domain with this id, else uuid, else name, which is not the order of xend.

    Raises: VirshError.
    """
    wanted = str(int(name)) if name.isascii() and name.isdigit() and len(name) < 10 else name
    known: dict[str, dict[str | None, DomainSnapshot]] = {
        _BY_ID: {str(one.domid): one for one in reversed(snapshot.domains)},
        _BY_UUID: {one.uuid: one for one in reversed(snapshot.domains)},
        _BY_NAME: {one.name: one for one in reversed(snapshot.domains)},
    }
    for key, text in ((_BY_ID, wanted), (_BY_UUID, name.lower()), (_BY_NAME, name)):
        if key in by and text in known[key]:
            return known[key][text]
    raise VirshError(f"failed to get domain '{name}'")


def xend_error(verb: str, message: str) -> str:
    """Return libvirt's message for a refusal of xend."""
    return f'Xen Daemon error : {verb} operation failed: (xend.err "{message}")'


def complain(error: VirshError) -> None:
    """Print an error as virsh and its library do."""
    if error.library:
        print(f"libvir: {error.library}", file=sys.stderr)
    if str(error):
        print(f"error: {error}", file=sys.stderr)
