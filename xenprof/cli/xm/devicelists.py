"""xm block-list, network-list and vtpm-list."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from xenprof.cli.xm.command import Command, Option, Words, XmError, domain_path
from xenprof.cli.xm.sxp import format_sxp
from xenprof.client import Client

Device = Mapping[str, Any]

_BLOCK_HEAD = "Vdev  BE handle state evt-ch ring-ref BE-path"
_NETWORK_HEAD = "Idx BE     MAC Addr.     handle state evt-ch tx-/rx-ring-ref BE-path"
_VTPM_HEAD = "Idx  BE handle state evt-ch ring-ref BE-path"


def block_table(devices: Sequence[Device]) -> Iterator[str]:
    """Yield the lines of `xm block-list`, none without devices."""
    if devices:
        yield _BLOCK_HEAD
    for device in devices:
        yield (
            f"{device['device']:<3}    {_number(device, 'backend_domid'):<3}  "
            f"{_number(device, 'handle'):<3}   {_number(device, 'state'):<3}    "
            f"{_number(device, 'event_channel'):<3}    {_number(device, 'ring_ref'):<5} "
            f"{_text(device, 'backend_path'):<30}  "
        )


def network_table(devices: Sequence[Device]) -> Iterator[str]:
    """Yield the lines of `xm network-list`, none without devices."""
    if devices:
        yield _NETWORK_HEAD
    for device in devices:
        yield (
            f"{device['index']:<3} {_number(device, 'backend_domid'):<3}"
            f"{_text(device, 'mac'):<17}    {_number(device, 'handle'):<3}   "
            f"{_number(device, 'state'):<3}    {_number(device, 'event_channel'):<3}   "
            f"{_number(device, 'tx_ring_ref'):<5}/{_number(device, 'rx_ring_ref'):<5}   "
            f"{_text(device, 'backend_path'):<30}  "
        )


def vtpm_table(devices: Sequence[Device]) -> Iterator[str]:
    """Yield the lines of `xm vtpm-list`, none without devices."""
    if devices:
        yield _VTPM_HEAD
    for device in devices:
        yield (
            f"{device['index']:<3}   {_number(device, 'backend_domid'):<3}  "
            f"{_number(device, 'handle'):<3}   {_number(device, 'state'):<3}    "
            f"{_number(device, 'event_channel'):<3}    {_number(device, 'ring_ref'):<5} "
            f"{_text(device, 'backend_path'):<30}  "
        )


def _number(device: Device, key: str) -> int:
    """Return a number of a device; what its frontend has not told yet is -1."""
    value: int | None = device.get(key)
    return -1 if value is None else value


def _text(device: Device, key: str) -> str:
    value: str | None = device.get(key)
    return "??" if value is None else value


def _long(device: Device) -> str:
    return format_sxp(device["sxp"])


def _lister(
    name: str, kind: str, summary: str, table: Callable[[Sequence[Device]], Iterator[str]]
) -> Command:
    def run(client: Client, words: Words) -> int:
        if not words.arguments:
            raise XmError("No domain parameter given")
        if len(words.arguments) > 1:
            raise XmError("No multiple domain parameters allowed")
        devices = client.get(domain_path(words.arguments[0], f"devices/{kind}"))["devices"]
        lines = map(_long, devices) if words.has("l") else table(devices)
        for line in lines:
            print(line)
        return 0

    options = (Option("l", "long", "Show all that the store knows, as SXP"),)
    return Command(name, "<Domain> [--long]", summary, run, maximum=None, options=options)


BLOCK_LIST = _lister(
    "block-list", "vbd", "List the virtual block devices of a domain.", block_table
)
NETWORK_LIST = _lister(
    "network-list", "vif", "List the virtual network interfaces of a domain.", network_table
)
VTPM_LIST = _lister("vtpm-list", "vtpm", "List the virtual TPM devices of a domain.", vtpm_table)
