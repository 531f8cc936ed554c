"""What the commands of one run of virsh share: the service, the mode, and how it is asked."""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from xenprof.cli.virsh.errors import VirshError
from xenprof.client import MISSING_CAPABILITY, Client, ServiceError, ServiceNotRunning

Domain = Mapping[str, Any]

_BY_ID, _BY_UUID, _BY_NAME = "id", "uuid", "name"


class Connection:
    """A connection to the service, as virsh has one to the hypervisor."""

    def __init__(self, client: Client, help: Callable[[str], Iterable[str]]) -> None:
        """`help` gives what `help COMMAND` prints; nothing is sent before a command needs it."""
        self.client = client
        self.help = help
        self.is_readonly = False
        self.is_quiet = False
        self.is_over = False  # `quit` was said

    def extra(self, line: str) -> None:
        """Print what quiet mode leaves out."""
        if not self.is_quiet:
            print(line)

    def snapshot(self) -> dict[str, Any]:
        """Return the host now. Raises: ServiceError."""
        return self.client.get("/api/v1/snapshot")

    def domain(self, name: str, by: tuple[str, ...] = (_BY_ID, _BY_UUID, _BY_NAME)) -> Domain:
        """Return the domain that `name` stands for. Raises: VirshError; ServiceError."""
        return find_domain(self.snapshot(), name, by)

    def post(self, function: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Ask for a change; `function` is the name that libvirt has for it.

        Raises: VirshError with what xend said, without a message of virsh's own; ServiceError
        where there is no service, or no toolstack on its host.
        """
        if self.is_readonly:
            raise VirshError(
                library=f"Domain error : operation {function} forbidden for read only access"
            )
        try:
            return self.client.post(path, body)
        except ServiceError as error:
            if isinstance(error, ServiceNotRunning) or error.type == MISSING_CAPABILITY:
                raise
            raise VirshError(library=xend_error("POST", str(error))) from None


def find_domain(
    snapshot: Mapping[str, Any], name: str, by: tuple[str, ...] = (_BY_ID, _BY_UUID, _BY_NAME)
) -> Domain:
    """Return the domain with this id, else uuid, else name: in this order, unlike xend.

    Raises: VirshError.
    """
    domains = snapshot["domains"]
    wanted = str(int(name)) if name.isascii() and name.isdigit() and len(name) < 10 else name
    for key, text in ((_BY_ID, wanted), (_BY_UUID, name.lower()), (_BY_NAME, name)):
        if key not in by:
            continue
        field = "domid" if key == _BY_ID else key
        found = [domain for domain in domains if str(domain[field]) == text]
        if found:
            return dict(found[0])
    raise VirshError(f"failed to get domain '{name}'")


def domain_path(domain: Domain, verb: str) -> str:
    """Return the path of a call that concerns one domain."""
    return f"/api/v1/domains/{quote(domain['name'], safe='')}/{verb}"


def xend_error(verb: str, message: str) -> str:
    """Return what libvirt says when xend refuses."""
    return f'Xen Daemon error : {verb} operation failed: (xend.err "{message}")'


def complain(error: VirshError) -> None:
    """Print an error as virsh and its library do."""
    if error.library:
        print(f"libvir: {error.library}", file=sys.stderr)
    if str(error):
        print(f"error: {error}", file=sys.stderr)
