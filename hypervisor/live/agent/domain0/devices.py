"""Reads the devices of guests: disks and network interfaces whose backends are in this domain.

Those whose backends are in a driver domain are told by xenstore alone, without counters.
"""

from typing import TYPE_CHECKING, Dict, Iterable, List, NamedTuple, Optional, Set, Tuple, Union

from hypervisor.live.agent.domain0.backends import Backends
from hypervisor.live.agent.domain0.counters import Tap, Vbd, Vif
from hypervisor.live.agent.domain0.frontends import Frontends
from hypervisor.live.agent.domain0.keptfiles import KeptFiles
from hypervisor.live.agent.domain0.netdevs import Netdevs
from hypervisor.live.agent.domain0.tapdisks import Tapdisks
from hypervisor.live.agent.domain0.xenstore import Store
from hypervisor.live.agent.report.fields import VbdReport, VifReport
from hypervisor.live.agent.xen.life import Life

if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object

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


class _Attached(NamedTuple):
    """The devices of a domain, in the order of their numbers.

    Those whose backends are in other domains are told as they are: nothing of them is read here.
    """

    vifs: List[Union[Vif, VifReport]]
    vbds: List[Union[Vbd, Tap, VbdReport]]


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
        self._attached: Dict[Life, _Attached] = {}
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
        attached = self._attached.get(life)
        if attached is None:
            return (), ()
        vifs = tuple([vif if isinstance(vif, VifReport) else vif.read() for vif in attached.vifs])
        vbds = tuple([vbd if isinstance(vbd, VbdReport) else vbd.read() for vbd in attached.vbds])
        return vifs, vbds

    def _look(self, lives: Set[Life], now_ns: int) -> None:
        changed = self._backends.look(lives, now_ns)
        if self.problem is None:
            self._frontends.look(sorted(lives), changed, now_ns)
            found = {life: self._attached_to(life) for life in lives}
            self._attached = {life: one for life, one in found.items() if one.vifs or one.vbds}

    def _attached_to(self, life: Life) -> "_Attached":
        vifs: Dict[int, Union[Vif, VifReport]] = {}
        vbds: Dict[int, Union[Vbd, Tap, VbdReport]] = {}
        for device in self._backends.of(life):
            number = device.node.number
            if device.node.kind == "vif":
                vifs[number] = Vif(device, self._netdevs)
            elif device.node.kind == "vbd":
                vbds[number] = Vbd(device, str(self._backends.bus), self._files)
            else:
                vbds[number] = Tap(device, self._tapdisks)
        elsewhere = self._frontends.of(life)
        for number in elsewhere.vifs:
            vifs.setdefault(number, VifReport(number))
        for number in elsewhere.vbds:
            vbds.setdefault(number, VbdReport(number))
        return _Attached(
            [vifs[number] for number in sorted(vifs)], [vbds[number] for number in sorted(vbds)]
        )
