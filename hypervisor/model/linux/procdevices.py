"""Makes the /proc files of disks and network interfaces.

Domain 0 has the disk sda and the card peth0. The script network-bridge of 3.0.3 puts peth0 and
vif0.0, the other end of domain 0's own eth0, on the bridge xenbr0.
"""

import itertools
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from hypervisor.model.linux.system import Hardware, System
from hypervisor.model.memory.swap import DISK_KIB
from hypervisor.model.network.traffic import Traffic
from hypervisor.model.scenario.scsinames import scsi_index, scsi_number
from hypervisor.model.storage.blkstat import DiskUse
from hypervisor.toolstack.config.devices import SECTOR_BYTES

GNBD: Final = 252 << 8  # a major for local use, as the driver gets one when it is loaded
_NET_HEAD: Final = (
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast"
    "|bytes    packets errs drop fifo colls carrier compressed\n"
)
_Row = tuple[int, ...]
"""Bytes, packets and dropped packets, received and then transmitted."""


class _Disk(NamedTuple):
    number: int
    name: str
    kib: int
    use: DiskUse


def _disks(system: System, hardware: Hardware) -> list[_Disk]:
    found = []
    if not system.domain.domid:
        for at, disk in enumerate(hardware.blkback.stores.disks):
            kib = disk.sectors * SECTOR_BYTES // 1024
            found.append(_Disk(_number(disk.name, at), disk.name, kib, disk.use))
    elif system.devices.initiator is not None:
        for at, lun in enumerate(system.devices.initiator.disks):
            found.append(_Disk(_number(lun.name, at), lun.name, DISK_KIB, lun.use))
    found += [
        _Disk(vbd.spec.device, vbd.spec.frontend, DISK_KIB, vbd.use) for vbd in system.devices.vbds
    ]
    return found


def _number(name: str, at: int) -> int:
    """Return the number of a disk; `at` is its place among all, for those that are not SCSI's."""
    index = scsi_index(name)
    return GNBD + at if index is None else scsi_number(index)


def diskstats(system: System, hardware: Hardware, now_ns: int) -> str:
    """Return the text of /proc/diskstats."""
    lines = []
    for number, name, _, use in _disks(system, hardware):
        read, written = use.read_bytes // SECTOR_BYTES, use.write_bytes // SECTOR_BYTES
        busy_ms, queue_ms = use.busy_ns(now_ns) // 1_000_000, use.queue_ns(now_ns) // 1_000_000
        lines.append(
            f"{number >> 8:4} {number & 255:4} {name} "
            f"{use.read_requests} {use.read_merges} {read} {use.read_wait_ns // 1_000_000} "
            f"{use.write_requests} {use.write_merges} {written} "
            f"{use.write_wait_ns // 1_000_000} {use.in_flight} {busy_ms} {queue_ms}\n"
        )
    return "".join(lines)


def partitions(system: System, hardware: Hardware) -> str:
    """Return the text of /proc/partitions."""
    rows = [
        f"{disk.number >> 8:4}  {disk.number & 255:4} {disk.kib:10} {disk.name}\n"
        for disk in _disks(system, hardware)
    ]
    return "major minor  #blocks  name\n\n" + "".join(rows)


def vmstat(system: System, hardware: Hardware) -> str:
    """Return the text of /proc/vmstat; pgpgin and pgpgout are KiB of the disks."""
    uses = [disk.use for disk in _disks(system, hardware)]
    rows = {
        "pgpgin": sum(use.read_bytes for use in uses) // 1024,
        "pgpgout": sum(use.write_bytes for use in uses) // 1024,
        "pswpin": system.paging.page_ins,
        "pswpout": system.paging.page_outs,
    }
    return "".join(f"{name} {count}\n" for name, count in rows.items())


def net_dev(system: System, hardware: Hardware, systems: Iterable[System]) -> str:
    """Return the text of /proc/net/dev; `systems` are all domains of the host."""
    rows: dict[str, _Row] = {"lo": _row(Traffic())}
    if system.domain.domid:
        for number, vif in enumerate(system.devices.vifs):
            rows[f"eth{number}"] = _row(vif.traffic)
        card = hardware.network.own_card(system.domain)
        if card is not None:
            rows[f"eth{len(system.devices.vifs)}"] = _row(card.traffic)
    else:
        rows |= _of_domain0(system, hardware, systems)
    lines = [
        f"{name:>6}:{row[0]:8} {row[1]:7} {0:4} {row[2]:4} {0:4} {0:5} {0:10} {0:9} "
        f"{row[3]:8} {row[4]:7} {0:4} {row[5]:4} {0:4} {0:5} {0:7} {0:10}\n"
        for name, row in rows.items()
    ]
    return _NET_HEAD + "".join(lines)


def _of_domain0(
    system: System, hardware: Hardware, systems: Iterable[System]
) -> Mapping[str, _Row]:
    rows: dict[str, _Row] = {}
    own_card = hardware.network.own_card(system.domain)
    if own_card is not None:
        rows[own_card.name] = _row(own_card.traffic)
    own = 0
    for port in hardware.network.ports.values():
        if port.card is not None:
            rows[port.card.name] = _row(port.card.traffic)
        if port.own is not None:
            rows[f"eth{own}"] = _row(port.own.traffic)
            rows[f"vif0.{own}"] = _other_end(port.own.traffic)
            own += 1
        rows[port.bridge.name] = _row(port.bridge.traffic)
    for other in systems:
        for vif in other.devices.vifs:
            rows[vif.name] = _other_end(vif.traffic)
    free = (name for name in map("eth{}".format, itertools.count(own)) if name not in rows)
    return rows | {
        name: _row(vif.traffic) for name, vif in zip(free, system.devices.vifs, strict=False)
    }


def _row(traffic: Traffic) -> _Row:
    return (
        traffic.receive_bytes, traffic.receive_packets, traffic.receive_dropped,
        traffic.transmit_bytes, traffic.transmit_packets, traffic.transmit_dropped,
    )  # fmt: skip


def _other_end(traffic: Traffic) -> _Row:
    row = _row(traffic)
    return row[3:] + row[:3]
