"""Devices of a domain as lists of them show them, each a row: what xend reads in the store.

A number that the guest's half of the device does not hold yet is -1, a text is empty; only the
toolstack writes those.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """The fields that all devices have."""

    backend_domid: int
    handle: int
    state: int
    event_channel: int
    backend_path: str
    sxp: object
    """What `--long` shows: the number, then name and text of each node of the guest's half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRow(DeviceRow):
    """A disk, by its number in xenstore: xvda is 51712. A framebuffer is told in the same way."""

    device: int
    ring_ref: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRow(DeviceRow):
    """A network interface."""

    index: int
    mac: str
    tx_ring_ref: int
    rx_ring_ref: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TpmRow(DeviceRow):
    """A virtual TPM."""

    index: int
    ring_ref: int
