"""Reads the counters of guests' disks and network interfaces, whose backends are in this domain.

Source: drivers/block/xen-blkback/xenbus.c of Linux for the files below statistics/, in sectors of
512 bytes. qdisk counts only for QEMU's own monitor: its counters are unknown here.
"""

import itertools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Dict, Iterable, List, NamedTuple, Optional, Tuple

from hypervisor.live.agent.identities import Life
from hypervisor.live.agent.keptfiles import KeptFiles
from hypervisor.live.agent.netdevs import NetdevCounters, Netdevs
from hypervisor.live.agent.report import VbdReport, VifReport
from hypervisor.live.agent.tapdisks import TapdiskCounters, Tapdisks
from hypervisor.live.agent.xenstore import Store

if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object

_BUS = "sys/bus/xen-backend/devices"
_DEVICE = re.compile(r"(vif|vbd|vbd3|tap|qdisk)-(\d{1,5})-(\d{1,10})\Z")
_NUMBER = re.compile(rb"(\d{1,20})\s*\Z")
_KINDS = {"vbd": "vbd", "vbd3": "tap", "tap": "tap", "qdisk": "qdisk"}
_MOST_DEVICES = 16384
_CHARACTERS = 1024
_SECTOR_BYTES = 512
_SETTINGS = {
    "vif": ("mac", "bridge"),
    "vbd": ("dev", "type", "params", "mode"),
    "qdisk": ("dev", "type", "params", "mode"),
    "vbd3": ("dev", "type", "params", "mode", "kthread-pid"),
    "tap": ("dev", "type", "params", "mode"),
}


class DeviceSource(Protocol):
    """What counts the devices of domains."""

    def begin(self, lives: Iterable[Life], now_ns: int) -> None:
        """Begin a poll that has found these domains; forget all others."""

    def of(self, life: Life) -> Tuple[Tuple[VifReport, ...], Tuple[VbdReport, ...]]:
        """Return the devices of a domain, each kind in the order of its numbers."""


class _Device(NamedTuple):
    kind: str  # as the bus has it
    number: int
    node: str  # its name on the bus
    settings: Dict[str, str]  # as the toolstack has written them
    netdev: Optional[str] = None


class Devices:
    """The devices of guests, found on the bus of backends."""

    def __init__(self, store: Store, root: str = "/", tapdisks: Optional[Tapdisks] = None) -> None:
        self._store = store
        self._bus = Path(root) / _BUS
        self._files = KeptFiles()
        self._netdevs = Netdevs(root)
        self._tapdisks = tapdisks or Tapdisks(root)
        self._found: Dict[Life, List[_Device]] = {}
        self._counters: Dict[str, NetdevCounters] = {}

    def begin(self, lives: Iterable[Life], now_ns: int) -> None:
        """Begin a poll: look which devices there are, and read the counters of interfaces."""
        there = {life[0]: life for life in lives}
        nodes = self._nodes()
        known = {
            (life, device.node): device for life, found in self._found.items() for device in found
        }
        self._found = {}
        for kind, domid, number, node in nodes:
            life = there.get(domid)
            if life is not None:
                device = known.get((life, node)) or self._new(kind, domid, number, node)
                self._found.setdefault(life, []).append(self._completed(device, domid))
        self._files.sweep()
        self._counters = self._netdevs.read()

    def of(self, life: Life) -> Tuple[Tuple[VifReport, ...], Tuple[VbdReport, ...]]:
        """Return the devices of a domain."""
        found = self._found.get(life, [])
        return (
            tuple(self._vif(one) for one in found if one.kind == "vif"),
            tuple(self._vbd(one, life[0]) for one in found if one.kind != "vif"),
        )

    def _nodes(self) -> List[Tuple[str, int, int, str]]:
        try:
            with os.scandir(str(self._bus)) as entries:
                names = [entry.name for entry in itertools.islice(entries, _MOST_DEVICES)]
        except OSError:
            return []
        matches = (_DEVICE.match(name) for name in names)
        return sorted(
            (match.group(1), int(match.group(2)), int(match.group(3)), match.group(0))
            for match in matches
            if match is not None
        )

    def _new(self, kind: str, domid: int, number: int, node: str) -> _Device:
        settings = {}
        for name in _SETTINGS[kind]:
            value = self._setting(kind, domid, number, name)
            if value is not None:
                settings[name] = value
        return _Device(kind, number, node, settings)

    def _setting(self, kind: str, domid: int, number: int, name: str) -> Optional[str]:
        path = "/local/domain/0/backend/%s/%d/%d/%s" % (kind, domid, number, name)
        value = self._store.read(path)
        return None if value is None else value[:_CHARACTERS]

    def _completed(self, device: _Device, domid: int) -> _Device:
        """Return a device with what is only known some time after it appears."""
        if device.kind == "vif" and device.netdev is None:
            try:
                names = sorted(path.name for path in (self._bus / device.node / "net").iterdir())
            except OSError:
                names = []
            return device._replace(netdev=names[0] if names else None)
        if device.kind == "vbd3" and "kthread-pid" not in device.settings:
            pid = self._setting(device.kind, domid, device.number, "kthread-pid")
            if pid is not None:
                return device._replace(settings=dict(device.settings, **{"kthread-pid": pid}))
        return device

    def _vif(self, device: _Device) -> VifReport:
        report = VifReport(
            vif=device.number,
            name=device.netdev,
            mac=device.settings.get("mac"),
            bridge=device.settings.get("bridge"),
        )
        counters = self._counters.get(device.netdev or "")
        if counters is None:
            return report
        received, sent = counters.transmit, counters.receive  # the guest is at the other end
        return report._replace(
            receive_bytes=received[0],
            receive_packets=received[1],
            receive_errors=received[2],
            receive_dropped=received[3],
            transmit_bytes=sent[0],
            transmit_packets=sent[1],
            transmit_errors=sent[2],
            transmit_dropped=sent[3],
        )

    def _vbd(self, device: _Device, domid: int) -> VbdReport:
        params = device.settings.get("params")
        report = VbdReport(
            device=device.number,
            name=device.settings.get("dev"),
            backend=None
            if params is None
            else "%s:%s" % (device.settings.get("type", "phy"), params),
            mode=device.settings.get("mode"),
            kind=_KINDS[device.kind],
        )
        if device.kind == "vbd":
            return self._blkback(report, device.node)
        if device.kind == "vbd3":
            pid = device.settings.get("kthread-pid", "")
            counters = self._tapdisks.read(pid, domid, device.number)
            return report if counters is None else _tapdisk(report, counters)
        return report

    def _blkback(self, report: VbdReport, node: str) -> VbdReport:
        read_sectors = self._statistic(node, "rd_sect")
        write_sectors = self._statistic(node, "wr_sect")
        return report._replace(
            read_requests=self._statistic(node, "rd_req"),
            write_requests=self._statistic(node, "wr_req"),
            flush_requests=self._statistic(node, "f_req"),
            discard_requests=self._statistic(node, "ds_req"),
            read_bytes=None if read_sectors is None else read_sectors * _SECTOR_BYTES,
            write_bytes=None if write_sectors is None else write_sectors * _SECTOR_BYTES,
            out_of_requests=self._statistic(node, "oo_req"),
        )

    def _statistic(self, node: str, name: str) -> Optional[int]:
        content = self._files.read("%s/%s/statistics/%s" % (self._bus, node, name), 64)
        match = _NUMBER.match(content or b"")
        return int(match.group(1)) if match else None


def _tapdisk(report: VbdReport, counters: TapdiskCounters) -> VbdReport:
    answered = counters.reads_answered + counters.writes_answered
    asked = counters.read_requests + counters.write_requests
    return report._replace(
        read_requests=counters.read_requests,
        write_requests=counters.write_requests,
        read_bytes=counters.read_sectors * _SECTOR_BYTES,
        write_bytes=counters.write_sectors * _SECTOR_BYTES,
        out_of_requests=counters.out_of_requests,
        wait_ns=(counters.read_us + counters.write_us) * 1000,
        answered_requests=answered,
        in_flight_requests=max(0, asked - answered),
    )
