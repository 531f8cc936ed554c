"""Reads the counters of guests' disks and network interfaces, whose backends are in this domain.

Those whose backends are in a driver domain are told by xenstore alone, without counters.

Source: drivers/block/xen-blkback/xenbus.c of Linux for the files below statistics/, in sectors of
512 bytes. qdisk counts only for QEMU's own monitor: its counters are unknown here.
"""

import re
from typing import TYPE_CHECKING, Dict, Iterable, List, Optional, Set, Tuple

from hypervisor.live.agent.domain0.backends import Backend, Backends, Node
from hypervisor.live.agent.domain0.frontends import Frontends
from hypervisor.live.agent.domain0.keptfiles import KeptFiles
from hypervisor.live.agent.domain0.netdevs import Netdevs
from hypervisor.live.agent.domain0.tapdisks import TapdiskCounters, Tapdisks
from hypervisor.live.agent.domain0.xenstore import Store
from hypervisor.live.agent.report.fields import VbdReport, VifReport
from hypervisor.live.agent.xen.life import Life

if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object

_NUMBER = re.compile(rb"(\d{1,20})\s*\Z")
_KINDS = {"vbd": "vbd", "vbd3": "tap", "tap": "tap", "qdisk": "qdisk"}
_SECTOR_BYTES = 512
_FEW_BYTES = 64
_STATISTICS = ("rd_req", "wr_req", "rd_sect", "wr_sect", "oo_req")
_NEW_NS = 10 * 1000000000  # so long devices of a new domain may come one by one
_LOOKS_NS = 5 * 1000000000


class DeviceSource(Protocol):
    """What counts the devices of domains."""

    @property
    def problem(self) -> Optional[str]:
        """Why devices cannot be found."""

    @property
    def left_out(self) -> Optional[str]:
        """Which devices are not told, and why."""

    def begin(self, lives: Iterable[Life], now_ns: int) -> None:
        """Begin a poll that has found these domains; forget all others."""

    def of(self, life: Life) -> "Found":
        """Return the devices of a domain, each kind in the order of its numbers."""


Found = Tuple[Optional[Tuple[VifReport, ...]], Optional[Tuple[VbdReport, ...]]]
"""The interfaces and disks of a domain; None where they are unknown."""


class Devices:
    """The devices of guests, found on the bus of backends.

    Counters are read in each poll. Devices are looked for while a domain is new, and else every
    few seconds.
    """

    def __init__(self, store: Store, root: str = "/", tapdisks: Optional[Tapdisks] = None) -> None:
        self._store = store
        self._backends = Backends(store, root)
        self._frontends = Frontends(store, self._backends)
        self._files = KeptFiles()
        self._netdevs = Netdevs(root)
        self._tapdisks = tapdisks or Tapdisks(root)
        # What was told last by node: it is told again while nothing else is counted.
        self._vifs: Dict[Node, Tuple[str, VifReport]] = {}
        self._vbds: Dict[Node, Tuple[List[Optional[bytes]], VbdReport]] = {}
        self._lives: Set[Life] = set()
        self._new_until_ns = self._next_look_ns = -1

    @property
    def problem(self) -> Optional[str]:
        """Why devices cannot be found."""
        return self._backends.problem

    @property
    def left_out(self) -> Optional[str]:
        """Which devices are not told, and why."""
        return self._backends.left_out or self._frontends.left_out

    def begin(self, lives: Iterable[Life], now_ns: int) -> None:
        """Begin a poll: look for devices if it is time, and read the counters of interfaces."""
        there = set(lives)
        if there - self._lives:
            self._new_until_ns = now_ns + _NEW_NS
        if there != self._lives or now_ns < self._new_until_ns or now_ns >= self._next_look_ns:
            self._look(there, now_ns)
            is_done = self._store.problem is None
            self._next_look_ns = now_ns + _LOOKS_NS if is_done else now_ns
        self._lives = there
        self._files.sweep()
        self._netdevs.read()

    def of(self, life: Life) -> Found:
        """Return the devices of a domain."""
        if self.problem is not None:
            return None, None
        vifs: Dict[int, VifReport] = {}
        vbds: Dict[int, VbdReport] = {}
        for device in self._backends.of(life):
            if device.node.kind == "vif":
                vifs[device.node.number] = self._vif(device)
            else:
                vbds[device.node.number] = self._vbd(device)
        elsewhere = self._frontends.of(life)
        for number in elsewhere.vifs:
            vifs.setdefault(number, VifReport(number))
        for number in elsewhere.vbds:
            vbds.setdefault(number, VbdReport(number))
        return tuple(vifs[number] for number in sorted(vifs)), tuple(
            vbds[number] for number in sorted(vbds)
        )

    def _look(self, lives: Set[Life], now_ns: int) -> None:
        changed = self._backends.look(lives, now_ns)
        if self.problem is None:
            self._vifs, self._vbds = {}, {}
            self._frontends.look(sorted(lives), changed, now_ns)

    def _vif(self, device: Backend) -> VifReport:
        line = self._netdevs.line(device.netdev or "")
        told = self._vifs.get(device.node)
        if told is not None and told[0] == line:
            return told[1]
        setting = device.settings.get
        report = VifReport(device.node.number, device.netdev, setting("mac"), setting("bridge"))
        counters = self._netdevs.of(device.netdev or "")
        if counters is not None:  # what the host has sent the guest, at the other end, received
            report = VifReport(*report[:4], *counters.transmit, *counters.receive)
        self._vifs[device.node] = line, report
        return report

    def _vbd(self, device: Backend) -> VbdReport:
        if device.node.kind == "vbd":
            return self._blkback(device)
        report = _described(device)
        if device.node.kind == "vbd3":
            pid = device.settings.get("kthread-pid", "")
            counters = self._tapdisks.read(pid, device.node.domid, device.node.number)
            return report if counters is None else _tapdisk(report, counters)
        return report

    def _blkback(self, device: Backend) -> VbdReport:
        home = "%s/%s/statistics/" % (self._backends.bus, device.node.name)
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


def _described(device: Backend) -> VbdReport:
    """Return a block device as the toolstack has written it, nothing counted."""
    setting = device.settings.get
    params = setting("params")
    return VbdReport(
        device.node.number,
        setting("dev"),
        None if params is None else "%s:%s" % (setting("type", "phy"), params),
        setting("mode"),
        _KINDS[device.node.kind],
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
