"""Fakes of what the agent reads beside the hypervisor: clock, xenstore, devices."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from hypervisor.live.agent.domain0.devices import Found
from hypervisor.live.agent.domain0.hostfacts import HostFacts
from hypervisor.live.agent.process.clock import Clock
from hypervisor.live.agent.report.fields import VbdReport, VifReport
from hypervisor.live.agent.xen.life import Life

MS = 1_000_000
SECOND = 1_000_000_000
FACTS = HostFacts("b00t", "xen0", "x86_64", "xl", "Intel(R) Xeon(R)")


class FakeClock(Clock):
    """A clock that stands still until it is moved."""

    def __init__(self, now_ns: int = 100 * SECOND) -> None:
        self.now = now_ns
        self.thread = 0

    def now_ns(self) -> int:
        return self.now

    def unix_ns(self) -> int:
        return 1_700_000_000 * SECOND + self.now

    def thread_ns(self) -> int:
        return self.thread


@dataclass
class FakeStore:
    """A xenstore in memory; what is asked is noted."""

    values: dict[str, str] = field(default_factory=dict)
    problem: str | None = None
    asked: list[str] = field(default_factory=list)
    patience: int = 1_000_000  # so much may be asked in a poll

    @property
    def is_half_spent(self) -> bool:
        return len(self.asked) >= self.patience / 2

    def begin(self) -> None:
        self.asked.clear()

    def read(self, path: str) -> str | None:
        self.asked.append(path)
        return None if self.problem else self.values.get(path)

    def directory(self, path: str) -> tuple[str, ...]:
        below = [one[len(path) + 1 :] for one in self.values if one.startswith(path + "/")]
        return tuple(dict.fromkeys(one.split("/")[0] for one in below))


@dataclass
class FakeDevices:
    vifs: dict[int, tuple[VifReport, ...]] = field(default_factory=dict)
    vbds: dict[int, tuple[VbdReport, ...]] = field(default_factory=dict)
    problem: str | None = None
    left_out: str | None = None

    def begin(self, lives: Iterable[Life], now_ns: int) -> None:
        pass

    def of(self, life: Life) -> Found:
        if self.problem is not None:
            return None, None
        return self.vifs.get(life[0], ()), self.vbds.get(life[0], ())
