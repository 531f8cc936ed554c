"""xm vnet-list, vnet-create and vnet-delete: virtual networks, whose daemon RHEL 5 lacks."""

import os

from xenprof.cli.xm.command import Command, Option, Words, XmError
from xenprof.cli.xm.looking import snapshot_of
from xenprof.client import Client


def _refuse(client: Client, method: str) -> int:
    """Refuse like an xend without vnets. Raises: XmError."""
    snapshot_of(client)  # fails if no service runs
    raise XmError(f'method "{method}" is not supported: there are no vnets on this host')


def _list(client: Client, words: Words) -> int:
    return _refuse(client, "xend_vnet" if words.arguments else "xend_vnets")


def _create(client: Client, words: Words) -> int:
    if not os.access(words.arguments[0], os.R_OK):
        raise XmError(f"File not found: {words.arguments[0]}", shows_usage=False)
    return _refuse(client, "xend_vnet_create")


def _delete(client: Client, words: Words) -> int:
    return _refuse(client, "xend_vnet_delete")


VNET_LIST = Command(
    "vnet-list", "[-l|--long]", "List virtual networks.", _list, maximum=None,
    options=(Option("l", "long", "List them as SXP"),),
)  # fmt: skip
VNET_CREATE = Command(
    "vnet-create", "<ConfigFile>", "Create a virtual network from a file.",
    _create, minimum=1, maximum=1,
)  # fmt: skip
VNET_DELETE = Command(
    "vnet-delete", "<VnetId>", "Delete a virtual network.", _delete, minimum=1, maximum=1
)
