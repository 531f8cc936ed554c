"""Looks at the flags of vcpus many times a second: does one wait, is it blocked, or offline?

The hypervisor tells no other domain how long a vcpu has waited, yet it tells of each moment
whether it waits: online, neither blocked nor running, in a domain that is not paused.
"""

import ctypes
import random
import threading
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from hypervisor.live.agent.errors import HypercallFailed
from hypervisor.live.agent.process.clock import Clock
from hypervisor.live.agent.report.fields import SamplerReport
from hypervisor.live.agent.xen.hypercalls import Xen
from hypervisor.live.agent.xen.inquiries import Inquiry, Wanted
from hypervisor.live.agent.xen.life import VcpuOfLife
from hypervisor.live.agent.xen.records import BLOCKED

_SHORTEST_NS = 10000000  # 100 Hz
_LONGEST_NS = 1000000000  # that is asked for: 1 Hz
_MOST_VCPUS = 65536
_WAITING, _BLOCKED, _OFFLINE, _UNSEEN, _RUNNING = range(5)


class Counts(NamedTuple):
    """The samples of one vcpu that found it not running."""

    waiting: int = 0
    blocked: int = 0
    offline: int = 0
    unseen: int = 0  # it was on the sampler's own pcpu, of which a sample tells nothing


class Sampler:
    """Samples in one thread, and gives what it has counted to another.

    It keeps to its share of a processor: a round that costs more than that is followed by a
    longer pause.
    """

    def __init__(
        self,
        xen: Xen,
        clock: Clock,
        rounds_a_second: int = 50,
        share: float = 0.02,
        own_vcpu: Optional[Callable[[], int]] = None,
        chance: Optional[random.Random] = None,
    ) -> None:
        self._xen = xen
        self._clock = clock
        self._wanted_ns = max(_SHORTEST_NS, min(_LONGEST_NS, 1000000000 // rounds_a_second))
        self._share = share
        self._own_vcpu = own_vcpu or _own_vcpu_of_linux()
        self._chance = chance or random.Random()
        self._lock = threading.Lock()
        self._counts: Dict[VcpuOfLife, List[int]] = {}
        self._places: Dict[VcpuOfLife, int] = {}  # where vcpus are or were
        self._wanted: List[VcpuOfLife] = []  # what was asked of in the last round, and by what
        self._inquiry: Optional[Inquiry] = None
        self._round_ns = 0.0  # what a round costs lately
        self._rounds = self._skipped = self._cost_ns = 0
        self._refused: Optional[str] = None
        self.problem: Optional[str] = None  # why a vcpu was not seen in the last round

    def run(self, stop: threading.Event) -> None:
        """Sample until told to stop."""
        while not stop.wait(self.pause_seconds()):
            self.round()

    def pause_seconds(self) -> float:
        """Return how long to wait now: by chance around the period, to keep step with nothing."""
        return self.period_ns() * self._chance.uniform(0.5, 1.5) / 1e9

    def period_ns(self) -> int:
        """Return the mean time from round to round that keeps the cost within its share.

        However long: a host of many vcpus has fewer samples of each, and not less processor time.
        """
        return int(max(self._wanted_ns, self._round_ns / self._share))

    def round(self) -> None:
        """Look at all vcpus once."""
        began_ns = self._clock.thread_ns()
        found: Dict[VcpuOfLife, int] = {}
        skipped = 0
        self._refused = None
        try:
            skipped = self._look(found)
        except HypercallFailed as error:
            self._refused = str(error)
        except Exception as error:  # the next round may be better
            self._refused = "it has failed: %r" % error
        self.problem = self._refused
        with self._lock:
            for vcpu, state in found.items():
                counts = self._counts.get(vcpu)
                if counts is None:
                    counts = self._counts[vcpu] = [0, 0, 0, 0]
                counts[state] += 1
            cost_ns = max(0, self._clock.thread_ns() - began_ns)
            self._rounds += 1
            self._skipped += skipped
            self._cost_ns += cost_ns
            self._round_ns += (cost_ns - self._round_ns) / min(self._rounds, 16)

    def drain(self) -> Dict[VcpuOfLife, Counts]:
        """Return what was counted since the last time."""
        with self._lock:
            counts, self._counts = self._counts, {}
        return {vcpu: Counts(*one) for vcpu, one in counts.items()}

    def cost(self) -> SamplerReport:
        """Return what sampling has cost so far."""
        with self._lock:
            return SamplerReport(self._rounds, self._skipped, self._cost_ns, self.period_ns())

    def _look(self, found: Dict[VcpuOfLife, int]) -> int:
        """Find the states of vcpus that do not run; return how many of these are unseen.

        Nothing else runs on the pcpu of the sampler while it looks: what it sees there of others
        says nothing about them.
        """
        own = (0, self._own_vcpu())
        seen: List[Tuple[VcpuOfLife, int, int]] = []  # state and pcpu of each
        wanted: List[VcpuOfLife] = []
        for domain in self._xen.domains():
            is_whole = domain.online_vcpus == domain.vcpu_count  # those offline do not block
            for number in range(min(domain.vcpu_count, _MOST_VCPUS - len(wanted))):
                vcpu = (domain.domid, domain.uuid, number)
                place = self._places.get(vcpu, -1)
                if domain.is_stopped:
                    seen.append((vcpu, _OFFLINE, place))
                elif domain.flags & BLOCKED and place >= 0 and is_whole:
                    seen.append((vcpu, _BLOCKED, place))
                else:
                    wanted.append(vcpu)
        if self._inquiry is None or wanted != self._wanted:
            told = [(domid, number) for domid, _, number in wanted]
            self._wanted, self._inquiry = wanted, self._xen.inquiry(Wanted(told))
        infos = self._inquiry.ask(self._note_refusal).vcpus
        seen += [
            (vcpu, _state(*info[:3]), info[-1])
            for vcpu, info in zip(wanted, infos)
            if info is not None
        ]
        self._places = {vcpu: place for vcpu, _, place in seen if place >= 0}
        own_pcpu = next((place for vcpu, _, place in seen if (vcpu[0], vcpu[2]) == own), -1)
        skipped = 0
        for vcpu, state, place in seen:
            if (vcpu[0], vcpu[2]) == own:
                continue  # it runs this
            if state in (_WAITING, _BLOCKED) and place == own_pcpu:
                skipped += 1
                found[vcpu] = _UNSEEN
            elif state != _RUNNING:
                found[vcpu] = state
        return skipped

    def _note_refusal(self, _kind: str, error: HypercallFailed) -> None:
        self._refused = str(error)


def _state(is_online: bool, is_blocked: bool, is_running: bool) -> int:
    if is_running:
        return _RUNNING
    if not is_online:
        return _OFFLINE
    return _BLOCKED if is_blocked else _WAITING


def _own_vcpu_of_linux() -> Callable[[], int]:
    """Return a function that tells on which vcpu of domain 0 its caller runs."""
    getcpu = ctypes.CDLL(None).sched_getcpu
    return lambda: max(0, int(getcpu()))
