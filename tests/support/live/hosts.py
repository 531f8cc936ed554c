"""A real host whose agent and time the test has in hand."""

from collections.abc import Callable

from hypervisor.live.agent.report.fields import HostReport
from hypervisor.live.follower import Follower
from hypervisor.live.host import LiveHost
from hypervisor.live.sources.source import Unreachable
from tests.support.live.reports import BOOT_UNIX_NS, SECOND, report

PERIOD_NS = SECOND


class HeldClock:
    """A clock that goes on only where somebody waits; then it calls `passed`."""

    def __init__(self) -> None:
        self.time_ns = 10 * SECOND
        self.passed: Callable[[], None] = lambda: None

    def now_ns(self) -> int:
        return self.time_ns

    def unix_ns(self) -> int:
        return BOOT_UNIX_NS + self.time_ns

    def wait(self, spent_ns: int) -> None:
        self.time_ns += spent_ns
        self.passed()


class MadeSource:
    """A source that reports a host at the time of a clock; with `failure` it fails for that."""

    def __init__(self, clock: HeldClock) -> None:
        self.clock = clock
        self.serial = 0
        self.failure: Exception | None = None
        self.is_closed = False

    def read(self) -> HostReport:
        if self.failure is not None:
            raise self.failure
        self.serial += 1
        return report(self.clock.time_ns / SECOND, serial=self.serial)

    def close(self) -> None:
        self.is_closed = True


class HeldHost(LiveHost):
    """A LiveHost without a thread: it is read whenever time has passed."""

    def __init__(self, name: str = "dom0") -> None:
        self.clock = HeldClock()
        self.source = MadeSource(self.clock)
        self.follower = Follower(name, "agent:/run/test.sock", self.source, PERIOD_NS, self.clock)
        super().__init__(self.follower, self.clock)
        self.clock.passed = self.follower.look
        self.follower.look()

    def silence(self, reason: str = "timed out") -> None:
        """Let the agent fail from now on."""
        self.source.failure = Unreachable(reason)
