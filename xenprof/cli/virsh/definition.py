"""virsh dumpxml and create: from a domain to libvirt's XML, and back."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from hypervisor.toolstack.config.sxp import Sxp, to_text
from xenprof.cli.virsh.connection import Connection, xend_error
from xenprof.cli.virsh.errors import VirshError
from xenprof.cli.virsh.grammar import Command, Option
from xenprof.cli.virsh.listing import DOMAIN
from xenprof.cli.virsh.xml import XmlError, domain_xml, vm_sxp
from xenprof.client import MISSING_CAPABILITY, ServiceError, ServiceNotRunning
from xenprof.wire.answers import Created, Store, SxpAnswer
from xenprof.wire.host_requests import Create
from xenprof.wire.paths import XENSTORE, domain_path

Words = Mapping[str, str]

_MAXIMUM_FILE_BYTES = 64 * 1024  # judgement; the original stops at 8191


def _dumpxml(connection: Connection, words: Words) -> None:
    domain = connection.domain(words["domain"])
    try:
        sxp = cast(Sxp, connection.client.get(domain_path(domain.name, "sxp"), SxpAnswer).sxp)
        entries = connection.client.get(XENSTORE, Store).entries
    except ServiceError as error:
        if isinstance(error, ServiceNotRunning) or error.type == MISSING_CAPABILITY:
            raise
        raise VirshError(library=xend_error("GET", str(error))) from None
    console = f"/local/domain/{domain.domid}/console/"
    nodes = {path: value for path, value in entries if path.startswith(console)}
    port = nodes.get(f"{console}vnc-port", "")
    sys.stdout.write(
        domain_xml(sxp, nodes.get(f"{console}tty", ""), int(port) if port.isdecimal() else None)
    )


def _create(connection: Connection, words: Words) -> None:
    file = words["file"]
    text = read_description(file)
    try:
        create = Create(to_text(vm_sxp(text)), file, overrides={}, is_sxp=True)
        created = connection.ask("virDomainCreateLinux", create, Created)
    except XmlError as error:
        raise VirshError(f"Failed to create domain from {file}", f"XML error : {error}") from None
    except VirshError as error:
        raise VirshError(f"Failed to create domain from {file}", error.library) from None
    print(f"Domain {created.name} created from {file}")


def read_description(file: str) -> str:
    """Return the text of a description from a file of the caller. Raises: VirshError."""
    failure = f"Failed to read description file {file}"
    try:
        with Path(file).open("rb") as stream:
            content = stream.read(_MAXIMUM_FILE_BYTES + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise VirshError(f"{failure}: {error.strerror}") from None
    except ValueError:
        raise VirshError(f"{failure}: it is not UTF-8 text") from None
    if not content or len(content) > _MAXIMUM_FILE_BYTES:
        size = f"longer than {_MAXIMUM_FILE_BYTES} bytes" if content else "empty"
        raise VirshError(f"{failure}: it is {size}")
    return text


COMMANDS = (
    Command(
        "create",
        "create a domain from an XML file",
        _create,
        (Option("file", "file containing an XML domain description"),),
        "Create a domain.",
    ),
    Command(
        "dumpxml",
        "domain information in XML",
        _dumpxml,
        (DOMAIN,),
        "Output the domain information as an XML dump to stdout.",
    ),
)
