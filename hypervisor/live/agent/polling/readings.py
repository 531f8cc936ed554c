"""Keeps the last report of the host in memory: it is polled when asked, once in a period."""

import threading
import time
from typing import Callable, NamedTuple, Optional

from hypervisor.live.agent.errors import AgentError
from hypervisor.live.agent.limits import LONGEST_POLL_SECONDS
from hypervisor.live.agent.process.memory import resident_bytes
from hypervisor.live.agent.report.fields import HostReport

NS_PER_SECOND = 1_000_000_000


class Cost(NamedTuple):
    """What the agent has cost since it started."""

    started_unix_ns: int
    cpu_ns: int
    polls: int
    failed_polls: int
    polling_ns: int  # duration of all polls together
    hypercalls: int
    resident_bytes: Optional[int]


class Reading(NamedTuple):
    """A report, and what all reports have cost until then."""

    report: HostReport
    first: HostReport  # of this agent
    is_fresh: bool  # False: the last poll has failed, and this is what was read before
    cost: Cost


class NotRead(AgentError):
    """Says that there is no report. The reason is for the log, not for who asks."""


class Readings:
    """Polls the host when it is asked and the last report is too old. Threads may share it."""

    def __init__(
        self,
        poll: Callable[[], HostReport],
        period_seconds: float,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A `poll` that raises could not read; `tell` logs a line, once for each reason."""
        self._poll = poll
        self._period = period_seconds
        self._tell = tell
        self._clock = clock
        self._lock = threading.Lock()
        self._polled_at: Optional[float] = None
        self._reading: Optional[Reading] = None
        self._first: Optional[HostReport] = None
        self._told = ""
        self._started_unix_ns = int(time.time() * NS_PER_SECOND)
        self._polls = self._failed = self._polling_ns = self._hypercalls = 0

    def latest(self) -> Reading:
        """Return a report that is at most a period old, else what was read last.

        Raises: NotRead.
        """
        if not self._lock.acquire(timeout=LONGEST_POLL_SECONDS):
            raise NotRead("a poll of the host does not end")
        try:
            now = self._clock()
            if self._polled_at is None or not 0 <= now - self._polled_at < self._period:
                self._polled_at = now
                self._reading = self._polled() or self._stale()
            if self._reading is None:
                raise NotRead(self._told)
            return self._reading
        finally:
            self._lock.release()

    def fresh(self) -> Reading:
        """Return a report that is at most a period old. Raises: NotRead."""
        reading = self.latest()
        if not reading.is_fresh:
            raise NotRead(self._told)
        return reading

    def _polled(self) -> Optional[Reading]:
        began = self._clock()
        self._polls += 1
        try:
            report = self._poll()._replace(period_ns=int(self._period * NS_PER_SECOND))
        except Exception as error:  # an agent that ends for one strange reply helps nobody
            self._failed += 1
            told = f"the host could not be read: {str(error) or type(error).__name__}"
            if told != self._told:
                self._tell(told)
            self._told = told
            return None
        finally:
            self._polling_ns += int((self._clock() - began) * NS_PER_SECOND)
        self._told = ""
        self._hypercalls += report.hypercalls
        self._first = self._first or report
        return Reading(report, self._first, True, self._cost())

    def _stale(self) -> Optional[Reading]:
        before = self._reading
        return before and before._replace(is_fresh=False, cost=self._cost())

    def _cost(self) -> Cost:
        return Cost(
            started_unix_ns=self._started_unix_ns,
            cpu_ns=int(time.process_time() * NS_PER_SECOND),
            polls=self._polls,
            failed_polls=self._failed,
            polling_ns=self._polling_ns,
            hypercalls=self._hypercalls,
            resident_bytes=resident_bytes(),
        )
