"""Reads the counters of guests' disks and network interfaces, whose backends are in this domain.

Source: drivers/block/xen-blkback/xenbus.c of Linux for the files below statistics/, in sectors of
512 bytes. qdisk counts only for QEMU's own monitor: its counters are unknown here.
"""

import itertools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Dict, Iterable, List, NamedTuple, Optional, Set, Tuple

from hypervisor.live.agent.identities import Life
from hypervisor.live.agent.keptfiles import KeptFiles
from hypervisor.live.agent.netdevs import Netdevs
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
_FEW_BYTES = 64
_STATISTICS = ("rd_req", "wr_req", "rd_sect", "wr_sect", "oo_req")
_NEW_NS = 10 * 1000000000  # so long devices of a new domain may come one by one
_LOOKS_NS = 5 * 1000000000
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
    """The devices of guests, found on the bus of backends.

    Counters are read in each poll. Devices are looked for while a domain is new, and else every
    few seconds.
    """

    def __init__(self, store: Store, root: str = "/", tapdisks: Optional[Tapdisks] = None) -> None:
        self._store = store
        self._bus = Path(root) / _BUS
        self._files = KeptFiles()
        self._netdevs = Netdevs(root)
        self._tapdisks = tapdisks or Tapdisks(root)
        self._found: Dict[Life, List[_Device]] = {}
        # What was told last by node: it is told again while nothing else is counted.
        self._vifs: Dict[str, Tuple[str, VifReport]] = {}
        self._vbds: Dict[str, Tuple[List[Optional[bytes]], VbdReport]] = {}
        self._lives: Set[Life] = set()
        self._new_until_ns = self._next_look_ns = -1

    def begin(self, lives: Iterable[Life], now_ns: int) -> None:
        """Begin a poll: look for devices if it is time, and read the counters of interfaces."""
        there = set(lives)
        if there - self._lives:
            self._new_until_ns = now_ns + _NEW_NS
        if there != self._lives or now_ns < self._new_until_ns or now_ns >= self._next_look_ns:
            self._look(there)
            self._next_look_ns = now_ns + _LOOKS_NS
        self._lives = there
        self._files.sweep()
        self._netdevs.read()

    def of(self, life: Life) -> Tuple[Tuple[VifReport, ...], Tuple[VbdReport, ...]]:
        """Return the devices of a domain."""
        vifs: List[VifReport] = []
        vbds: List[VbdReport] = []
        for device in self._found.get(life, ()):
            if device.kind == "vif":
                vifs.append(self._vif(device))
            else:
                vbds.append(self._vbd(device, life[0]))
        return tuple(vifs), tuple(vbds)

    def _look(self, lives: Set[Life]) -> None:
        there = {life[0]: life for life in lives}
        known = {
            (life, device.node): device for life, found in self._found.items() for device in found
        }
        self._found = {}
        self._vifs, self._vbds = {}, {}
        for kind, domid, number, node in self._nodes():
            life = there.get(domid)
            if life is not None:
                device = known.get((life, node)) or self._new(kind, domid, number, node)
                self._found.setdefault(life, []).append(self._completed(device, domid))

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
        line = self._netdevs.line(device.netdev or "")
        told = self._vifs.get(device.node)
        if told is not None and told[0] == line:
            return told[1]
        setting = device.settings.get
        report = VifReport(device.number, device.netdev, setting("mac"), setting("bridge"))
        counters = self._netdevs.of(device.netdev or "")
        if counters is not None:  # what the host has sent the guest, at the other end, received
            report = VifReport(*report[:4], *counters.transmit, *counters.receive)
        self._vifs[device.node] = line, report
        return report

    def _vbd(self, device: _Device, domid: int) -> VbdReport:
        if device.kind == "vbd":
            return self._blkback(device)
        report = _described(device)
        if device.kind == "vbd3":
            pid = device.settings.get("kthread-pid", "")
            counters = self._tapdisks.read(pid, domid, device.number)
            return report if counters is None else _tapdisk(report, counters)
        return report

    def _blkback(self, device: _Device) -> VbdReport:
        home = "%s/%s/statistics/" % (self._bus, device.node)
        counted = [self._files.read(home + name, _FEW_BYTES) for name in _STATISTICS]
        told = self._vbds.get(device.node)
        if told is not None and told[0] == counted:
            return told[1]
        reads, writes, read_sectors, write_sectors, out_of_requests = map(_number, counted)
        report = _described(device)._replace(
            read_requests=reads,
            write_requests=writes,
            read_bytes=None if read_sectors is None else read_sectors * _SECTOR_BYTES,
            write_bytes=None if write_sectors is None else write_sectors * _SECTOR_BYTES,
            out_of_requests=out_of_requests,
        )
        self._vbds[device.node] = counted, report
        return report


def _described(device: _Device) -> VbdReport:
    """Return a block device as the toolstack has written it, nothing counted."""
    setting = device.settings.get
    params = setting("params")
    return VbdReport(
        device.number,
        setting("dev"),
        None if params is None else "%s:%s" % (setting("type", "phy"), params),
        setting("mode"),
        _KINDS[device.kind],
    )


def _number(content: Optional[bytes]) -> Optional[int]:
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
