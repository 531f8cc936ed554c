"""Tells what a guest's disks and network interfaces have counted, poll after poll.

Source: drivers/block/xen-blkback/xenbus.c of Linux for the files below statistics/, in sectors of
512 bytes. qdisk counts only for QEMU's own monitor: its counters are unknown here.
"""

import re
from typing import List, Optional

from hypervisor.live.agent.domain0.backends import Backend
from hypervisor.live.agent.domain0.keptfiles import KeptFiles
from hypervisor.live.agent.domain0.netdevs import Netdevs
from hypervisor.live.agent.domain0.tapdisks import TapdiskCounters, Tapdisks
from hypervisor.live.agent.report.fields import VbdReport, VifReport

_NUMBER = re.compile(rb"(\d{1,20})\s*\Z")
_KINDS = {"vbd": "vbd", "vbd3": "tap", "tap": "tap", "qdisk": "qdisk"}
_SECTOR_BYTES = 512
_FEW_BYTES = 64
_STATISTICS = ("rd_req", "wr_req", "rd_sect", "wr_sect", "oo_req")


class Vif:
    """An interface. What was told last is told again while nothing else is counted."""

    def __init__(self, device: Backend, netdevs: Netdevs) -> None:
        setting = device.settings.get
        self._described = VifReport(
            device.node.number, device.netdev, setting("mac"), setting("bridge")
        )
        self._netdevs = netdevs
        self._netdev = device.netdev or ""
        self._line: Optional[str] = None
        self._report = self._described

    def read(self) -> VifReport:
        """Return the interface with what the last reading of all interfaces has found."""
        line = self._netdevs.line(self._netdev)
        if line != self._line:
            self._line = line
            self._report = self._described
            counters = self._netdevs.of(self._netdev)
            if counters is not None:  # what the host has sent the guest, at the other end, received
                self._report = VifReport(
                    *self._described[:4], *counters.transmit, *counters.receive
                )
        return self._report


class Vbd:
    """A disk that the kernel counts. What was told last is told again, as above."""

    def __init__(self, device: Backend, bus: str, files: KeptFiles) -> None:
        """`bus` is the folder of backends."""
        home = "%s/%s/statistics/" % (bus, device.node.name)
        self._paths = [home + name for name in _STATISTICS]
        self._files = files
        self._counted: List[Optional[bytes]] = []
        self._described = self._report = _described(device)

    def read(self) -> VbdReport:
        """Return the disk with its counters as they are now."""
        counted = self._files.read(self._paths, _FEW_BYTES)
        if counted != self._counted:
            self._counted = counted
            reads, writes, read_sectors, write_sectors, out_of_requests = map(_number, counted)
            self._report = self._described._replace(
                read_requests=reads,
                write_requests=writes,
                read_bytes=None if read_sectors is None else read_sectors * _SECTOR_BYTES,
                write_bytes=None if write_sectors is None else write_sectors * _SECTOR_BYTES,
                out_of_requests=out_of_requests,
            )
        return self._report


class Tap:
    """A disk whose requests a process answers: a tapdisk counts them, others are unknown."""

    def __init__(self, device: Backend, tapdisks: Tapdisks) -> None:
        self._device = device
        self._tapdisks = tapdisks
        self._described = _described(device)

    def read(self) -> VbdReport:
        """Return the disk with its counters as they are now."""
        node = self._device.node
        if node.kind != "vbd3":
            return self._described
        pid = self._device.settings.get("kthread-pid", "")
        counters = self._tapdisks.read(pid, node.domid, node.number)
        return self._described if counters is None else _tapdisk(self._described, counters)


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
