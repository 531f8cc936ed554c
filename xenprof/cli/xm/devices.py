"""xm block-attach, block-configure, block-detach, network-attach and network-detach."""

from xenprof.cli.xm.command import NEWEST, Command, Option, Words, XmError, integer, tools_of
from xenprof.client import Client
from xenprof.wire.domain_requests import (
    AttachBlock,
    AttachNetwork,
    ConfigureBlock,
    DetachBlock,
    DetachNetwork,
)

_VIF_KEYS_3_1 = frozenset(
    ("type", "mac", "bridge", "ip", "script", "backend", "vifname", "rate", "model")
)


def _block(request: type[AttachBlock], client: Client, words: Words) -> int:
    domain, *disk = words.arguments
    client.do(request(*disk), domain)
    return 0


def _block_attach(client: Client, words: Words) -> int:
    return _block(AttachBlock, client, words)


def _block_configure(client: Client, words: Words) -> int:
    return _block(ConfigureBlock, client, words)


def _block_detach(client: Client, words: Words) -> int:
    domain, device = words.arguments
    client.do(DetachBlock(device_number(device), force=words.has("f")), domain)
    return 0


def device_number(device: str) -> int | str:
    """Return the device number that a text gives, decimal or hexadecimal."""
    try:
        return int(device, 0)
    except ValueError:
        return device


def _network_attach(client: Client, words: Words) -> int:
    domain, *options = words.arguments
    tools = tools_of(client) if options else NEWEST
    for option in options:
        key, equals, value = option.partition("=")
        if not (key and equals) or (tools == NEWEST and not (value and key in _VIF_KEYS_3_1)):
            raise XmError(f"Invalid argument: {option}")
    client.do(AttachNetwork(",".join(options)), domain)
    return 0


def _network_detach(client: Client, words: Words) -> int:
    domain, index = words.arguments
    client.do(DetachNetwork(integer(index), force=words.has("f")), domain)
    return 0


_BLOCK_ARGUMENTS = "<Domain> <BackDev> <FrontDev> <Mode> [BackDomain]"
_FORCE = Option("f", "force", "Do not wait for the domain to let go of it", since="3.1")

BLOCK_ATTACH = Command(
    "block-attach", _BLOCK_ARGUMENTS,
    "Give a domain another virtual block device.",
    _block_attach, minimum=4, maximum=5,
)  # fmt: skip
BLOCK_CONFIGURE = Command(
    "block-configure", _BLOCK_ARGUMENTS,
    "Change the medium in a virtual CD-ROM drive.",
    _block_configure, minimum=4, maximum=5,
)  # fmt: skip
BLOCK_DETACH = Command(
    "block-detach", "<Domain> <DevId>",
    "Take a virtual block device away from a domain.",
    _block_detach, minimum=2, maximum=2, options=(_FORCE,),
    arguments_3_1="<Domain> <DevId> [-f|--force]",
)  # fmt: skip
NETWORK_ATTACH = Command(
    "network-attach",
    "<Domain> [script=<script>] [ip=<ip>] [mac=<mac>] [bridge=<bridge>] [backend=<backDomID>]",
    "Give a domain another virtual network interface.",
    _network_attach, minimum=1, maximum=10_000,  # the original's limit
    arguments_3_1="<Domain> [type=<type>] [mac=<mac>] [bridge=<bridge>] [ip=<ip>] "
    "[script=<script>] [backend=<BackDomain>] [vifname=<name>] [rate=<rate>] [model=<model>]",
)  # fmt: skip
NETWORK_DETACH = Command(
    "network-detach", "<Domain> <DevId>",
    "Take a virtual network interface away from a domain.",
    _network_detach, minimum=2, maximum=2, options=(_FORCE,),
    arguments_3_1="<Domain> <DevId> [-f|--force]",
)  # fmt: skip
