"""A real Xen host as the programs above see hosts: its time goes on by itself."""

from collections.abc import Callable

from hypervisor.control import Toolstack
from hypervisor.host import Profiler, Tracer
from hypervisor.live.clock import Clock, SystemClock
from hypervisor.live.follower import Follower

_CHECK_NS = 1_000_000


class LiveHost:
    """A host.Host with telemetry, and with what else its machine offers.

    Its time 0 is when it was opened, by the clock of the machine that watches; the times in its
    snapshots are those of the host itself.
    """

    def __init__(self, telemetry: Follower, clock: Clock | None = None) -> None:
        """`telemetry` reads the host; who opened it starts it."""
        self.name = telemetry.name
        self.telemetry = telemetry
        self.toolstack: Toolstack | None = None
        self.profiler: Profiler | None = None
        self.tracer: Tracer | None = None
        self._clock = SystemClock() if clock is None else clock
        self._zero_ns = self._clock.now_ns()
        self.epoch_ns = self._clock.unix_ns()
        self._now_ns = 0

    @property
    def now_ns(self) -> int:
        """Return the time up to which it was let go on."""
        return self._now_ns

    def present_ns(self) -> int:
        """Return the time that it is, which nobody can hold up."""
        return self._clock.now_ns() - self._zero_ns

    def advance(self, until_ns: int) -> None:
        """Wait until it is `until_ns`, if it is earlier."""
        while (left_ns := until_ns - self.present_ns()) > 0:
            self._clock.wait(left_ns)
        self._now_ns = max(self._now_ns, until_ns)

    def advance_until(self, done: Callable[[], bool], limit_ns: int) -> bool:
        """Wait until `done()`, checked every ms, or for `limit_ns`; return done()."""
        deadline_ns = self._now_ns + limit_ns
        while not (is_done := done()) and self._now_ns < deadline_ns:
            self.advance(min(self._now_ns + _CHECK_NS, deadline_ns))
        return is_done
