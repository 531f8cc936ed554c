"""Finds the devices of guests whose backends are in this domain, and how they are set up."""

import itertools
import os
import re
from pathlib import Path
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Set

from hypervisor.live.agent.domain0.xenstore import Store
from hypervisor.live.agent.xen.life import Life

_BUS = "sys/bus/xen-backend/devices"
_DEVICE = re.compile(r"(vif|vbd|vbd3|tap|qdisk)-(\d{1,5})-(\d{1,10})\Z")
_MOST_DEVICES = 16384
_CHARACTERS = 1024
_STALE_NS = 30 * 1000000000  # after this settings are read again
_INCOMPLETE_NS = 5 * 1000000000  # or after this, where one is missing
_REREAD_AT_ONCE = 64  # devices, so that many are not all read again at once
_SETTINGS = {
    "vif": ("mac", "bridge"),
    "vbd": ("dev", "type", "params", "mode"),
    "qdisk": ("dev", "type", "params", "mode"),
    "vbd3": ("dev", "type", "params", "mode", "kthread-pid"),
    "tap": ("dev", "type", "params", "mode"),
}


class Node(NamedTuple):
    """A device as the bus has it."""

    kind: str
    domid: int
    number: int
    name: str
    inode: int  # one that is attached again has another


class Backend(NamedTuple):
    """A device, and what is known of it besides its counters."""

    node: Node
    settings: Dict[str, str]  # as the toolstack has written them
    read_ns: int  # when
    netdev: Optional[str] = None

    @property
    def is_complete(self) -> bool:
        """Whether the toolstack has written all that it writes of such a device."""
        return len(self.settings) == len(_SETTINGS[self.node.kind])


class Backends:
    """The backends that the bus of them has.

    Their settings are read again in turn every 30 s, sooner if one is missing.
    """

    def __init__(self, store: Store, root: str = "/") -> None:
        self.bus = Path(root) / _BUS
        """The folder that has one for each backend, by the name of its node."""
        self.problem: Optional[str] = None
        """Why they cannot be found."""
        self.left_out: Optional[str] = None
        """Which are not told, and why."""
        self._store = store
        self._found: Dict[Life, List[Backend]] = {}

    def of(self, life: Life) -> Sequence[Backend]:
        """Return the backends of a domain's devices, as the last look has found them."""
        return self._found.get(life, ())

    def look(self, lives: Iterable[Life], now_ns: int) -> Set[Life]:
        """Look for those of these domains; return the domains that have others than before.

        If there is a `problem`, what was found before stays.
        """
        nodes = self._nodes()
        if self.problem is not None:
            return set()
        there = {life[0]: life for life in lives}
        before = self._found
        known = {(life, device.node): device for life, found in before.items() for device in found}
        self._found = {}
        for node in nodes:
            life = there.get(node.domid)
            if life is not None:
                device = known.get((life, node)) or self._new(node, now_ns)
                self._found.setdefault(life, []).append(self._completed(device))
        self._reread(now_ns)
        return self._changed(before)

    def _changed(self, before: Dict[Life, List[Backend]]) -> Set[Life]:
        """Return the domains that have others than before."""
        return {
            life
            for life in set(before) | set(self._found)
            if [one.node for one in before.get(life, ())]
            != [one.node for one in self._found.get(life, ())]
        }

    def _reread(self, now_ns: int) -> None:
        """Read the settings of those that have waited longest for it, as a toolstack changes them.

        Where xenstore does not answer, what is known holds.
        """
        due = [
            (device.read_ns, life, index)
            for life, found in self._found.items()
            for index, device in enumerate(found)
            if now_ns - device.read_ns >= (_STALE_NS if device.is_complete else _INCOMPLETE_NS)
        ]
        for _, life, index in sorted(due)[:_REREAD_AT_ONCE]:
            device = self._completed(self._new(self._found[life][index].node, now_ns))
            if self._store.problem is not None:
                break
            self._found[life][index] = device

    def _nodes(self) -> List[Node]:
        self.problem = self.left_out = None
        found = []
        try:
            with os.scandir(str(self.bus)) as entries:
                for entry in itertools.islice(entries, _MOST_DEVICES):
                    match = _DEVICE.match(entry.name)
                    if match is not None:
                        kind, domid, number = match.groups()
                        node = Node(kind, int(domid), int(number), entry.name, entry.inode())
                        found.append(node)
                if next(entries, None) is not None:
                    self.left_out = "there are more than %d backends" % _MOST_DEVICES
        except OSError as error:
            self.problem = "%s: %s" % (self.bus, error.strerror)
        return sorted(found)

    def _new(self, node: Node, now_ns: int) -> Backend:
        settings = {}
        for name in _SETTINGS[node.kind]:
            value = self._setting(node, name)
            if value is not None:
                settings[name] = value
        # One that xenstore had no time for is read again first.
        return Backend(node, settings, now_ns if self._store.problem is None else -_STALE_NS)

    def _setting(self, node: Node, name: str) -> Optional[str]:
        path = "/local/domain/0/backend/%s/%d/%d/%s" % (*node[:3], name)
        value = self._store.read(path)
        return None if value is None else value[:_CHARACTERS]

    def _completed(self, device: Backend) -> Backend:
        """Return a device with what is only known some time after it appears."""
        if device.node.kind == "vif" and device.netdev is None:
            try:
                names = sorted(
                    path.name for path in (self.bus / device.node.name / "net").iterdir()
                )
            except OSError:
                names = []
            return device._replace(netdev=names[0] if names else None)
        if device.node.kind == "vbd3" and "kthread-pid" not in device.settings:
            pid = self._setting(device.node, "kthread-pid")
            if pid is not None:
                return device._replace(settings=dict(device.settings, **{"kthread-pid": pid}))
        return device
