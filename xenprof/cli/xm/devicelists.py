"""xm block-list, network-list and vtpm-list."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from hypervisor.devicerows import BlockRow, DeviceRow, NetworkRow, TpmRow
from xenprof.cli.xm.command import Command, Option, Words, XmError
from xenprof.cli.xm.sxp import format_sxp
from xenprof.client import Client
from xenprof.wire.devices import BlockDevices, NetworkDevices, TpmDevices
from xenprof.wire.paths import domain_path

D = TypeVar("D", bound=DeviceRow)

_BLOCK_HEAD = "Vdev  BE handle state evt-ch ring-ref BE-path"
_NETWORK_HEAD = "Idx BE     MAC Addr.     handle state evt-ch tx-/rx-ring-ref BE-path"
_VTPM_HEAD = "Idx  BE handle state evt-ch ring-ref BE-path"


def block_table(devices: Sequence[BlockRow]) -> Iterator[str]:
    """Yield the lines of `xm block-list`, none without devices."""
    if devices:
        yield _BLOCK_HEAD
    for device in devices:
        yield (
            f"{device.device:<3}    {device.backend_domid:<3}  "
            f"{device.handle:<3}   {device.state:<3}    "
            f"{device.event_channel:<3}    {device.ring_ref:<5} "
            f"{device.backend_path:<30}  "
        )


def network_table(devices: Sequence[NetworkRow]) -> Iterator[str]:
    """Yield the lines of `xm network-list`, none without devices."""
    if devices:
        yield _NETWORK_HEAD
    for device in devices:
        yield (
            f"{device.index:<3} {device.backend_domid:<3}"
            f"{device.mac:<17}    {device.handle:<3}   "
            f"{device.state:<3}    {device.event_channel:<3}   "
            f"{device.tx_ring_ref:<5}/{device.rx_ring_ref:<5}   "
            f"{device.backend_path:<30}  "
        )


def vtpm_table(devices: Sequence[TpmRow]) -> Iterator[str]:
    """Yield the lines of `xm vtpm-list`, none without devices."""
    if devices:
        yield _VTPM_HEAD
    for device in devices:
        yield (
            f"{device.index:<3}   {device.backend_domid:<3}  "
            f"{device.handle:<3}   {device.state:<3}    "
            f"{device.event_channel:<3}    {device.ring_ref:<5} "
            f"{device.backend_path:<30}  "
        )


def _lister(
    name: str,
    summary: str,
    kind: str,
    fetch: Callable[[Client, str], Sequence[D]],
    table: Callable[[Sequence[D]], Iterator[str]],
) -> Command:
    def run(client: Client, words: Words) -> int:
        if not words.arguments:
            raise XmError("No domain parameter given")
        if len(words.arguments) > 1:
            raise XmError("No multiple domain parameters allowed")
        devices = fetch(client, domain_path(words.arguments[0], "devices", kind))
        lines = (format_sxp(one.sxp) for one in devices) if words.has("l") else table(devices)
        for line in lines:
            print(line)
        return 0

    options = (Option("l", "long", "Show all that the store knows, as SXP"),)
    return Command(name, "<Domain> [--long]", summary, run, maximum=None, options=options)


BLOCK_LIST = _lister(
    "block-list", "List the virtual block devices of a domain.",
    "vbd", lambda client, path: client.get(path, BlockDevices).devices, block_table,
)  # fmt: skip
NETWORK_LIST = _lister(
    "network-list", "List the virtual network interfaces of a domain.",
    "vif", lambda client, path: client.get(path, NetworkDevices).devices, network_table,
)  # fmt: skip
VTPM_LIST = _lister(
    "vtpm-list", "List the virtual TPM devices of a domain.",
    "vtpm", lambda client, path: client.get(path, TpmDevices).devices, vtpm_table,
)  # fmt: skip
