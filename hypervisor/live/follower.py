"""Reads a source again and again on a thread of its own, so that a slow agent delays nobody."""

import contextlib
import logging
import threading
from dataclasses import replace
from typing import Final, NamedTuple

from hypervisor.errors import HostError
from hypervisor.live.agent.limits import MOST_PERIOD_SECONDS
from hypervisor.live.agent.oneline import one_line
from hypervisor.live.agent.report.fields import HostReport
from hypervisor.live.clock import Clock, SystemClock
from hypervisor.live.snapshots import snapshot_of
from hypervisor.live.sources.source import Source
from hypervisor.telemetry import HostSnapshot, Life

log = logging.getLogger(__name__)

MISSED_PERIODS: Final = 3
"""After so many without a new report, what was read last is no longer said of the host."""

_LONGEST_PERIOD_NS = MOST_PERIOD_SECONDS * 10**9  # of an agent
_MOST_PROBLEMS = 20  # of a report are logged
_LONGEST = 200


class Looked(NamedTuple):
    """What was read last, and when it came, by the follower's clock."""

    snapshot: HostSnapshot
    poll: tuple[str, int, int]  # boot, serial and time: others are another poll
    at_ns: int
    heard_ns: int  # when it came again, as often as its agent means to repeat it

    @property
    def boot(self) -> str:
        """Return that of the host."""
        return self.poll[0]


class Follower:
    """Keeps the newest snapshot of one host. `snapshot` may be called from any thread."""

    def __init__(
        self, name: str, shown: str, source: Source, period_ns: int, clock: Clock | None = None
    ) -> None:
        """`shown` is how the user names the source; messages name it. Nothing is read yet."""
        self.name = name
        self.shown = shown
        self._source = source
        self._period_ns = period_ns
        self._clock = SystemClock() if clock is None else clock
        self._began_ns = self._clock.now_ns()
        self._last: Looked | None = None
        self._reason = "no answer yet"
        self._slow = ""  # what helps if the last answer took longer than a period
        self._problems: frozenset[str] = frozenset()
        self._generation = 0
        self._is_told_down = False
        self._lock = threading.Lock()  # of the two above
        self._stopping = threading.Event()
        self._has_looked = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, offset_ns: int = 0) -> None:
        """Start to read; later reads are moved by `offset_ns`, so that not all hosts have one."""
        self._thread = threading.Thread(
            target=self._run, args=(offset_ns,), name=f"follow {self.name}", daemon=True
        )
        self._thread.start()

    def wait_first(self, seconds: float) -> None:
        """Wait until the first attempt to read is over, but not longer."""
        self._has_looked.wait(seconds)

    def stop(self) -> None:
        """Ask the thread to end after what it reads now."""
        self._stopping.set()

    def join(self, seconds: float) -> None:
        """Wait for the thread to end, but not longer: it may be reading."""
        if self._thread is not None:
            self._thread.join(seconds)

    def look(self) -> None:
        """Read the source once; a failure is kept as the reason why nothing new is known."""
        began_ns = self._clock.now_ns()
        try:
            report = self._source.read()
            now_ns = self._clock.now_ns()
            looked = Looked(
                snapshot_of(report, self.name, self._created_ns(report)),
                (report.boot, report.serial, report.time_ns),
                now_ns,
                now_ns,
            )
        except HostError as error:
            self._reason = str(error)
        except Exception as error:  # a fault of ours must not end the thread
            if self._reason != repr(error):
                log.exception("%s (%s) cannot be read", self.name, self.shown)
            self._reason = repr(error)
        else:
            self._tell_problems(report)
            self._slow = self._advice(now_ns - began_ns)
            self._reason = f"no answer{self._slow}"  # if this is the last one
            self._keep(looked, self._patience_ns(report))
        self._has_looked.set()

    def _advice(self, took_ns: int) -> str:
        """Return which period would suit a host whose answer took so long, "" if this one does."""
        if took_ns <= self._period_ns:
            return ""
        seconds = -(-took_ns // 10**9)
        return f"; its last one took {took_ns / 1e9:.1f} s: --host.period {seconds}s suits it"

    def _patience_ns(self, report: HostReport) -> int:
        """Return for how long an agent may repeat a report, which it says itself."""
        if report.period_ns is None:
            return 0
        return min(report.period_ns, _LONGEST_PERIOD_NS) + self._period_ns

    def _keep(self, looked: Looked, patience_ns: int) -> None:
        """Keep what was read if it is new; what comes again for longer than that is a fault."""
        last = self._last
        if last is not None and last.boot != looked.boot:
            log.warning("%s (%s) has booted, or is another host", self.name, self.shown)
        if last is None or last.poll != looked.poll:
            self._last = looked
        elif looked.at_ns - last.at_ns <= patience_ns:
            self._last = last._replace(heard_ns=looked.at_ns)
        else:
            self._reason = "it repeats its last report"

    def _created_ns(self, report: HostReport) -> dict[Life, int]:
        """Return when the domains of the last report were created, if this is of the same boot."""
        last = self._last
        if last is None or last.boot != report.boot:
            return {}
        domains = last.snapshot.domains
        return {one.life: one.created_ns for one in domains if one.created_ns is not None}

    def snapshot(self) -> HostSnapshot:
        """Return what was read last; if that is too long ago, a host of which nothing is known."""
        last, now_ns = self._last, self._clock.now_ns()
        since_ns = now_ns - (self._began_ns if last is None else last.at_ns)
        unheard_ns = now_ns - (self._began_ns if last is None else last.heard_ns)
        is_late = unheard_ns > MISSED_PERIODS * self._period_ns
        with self._lock:
            self._generation += 1
            generation = self._generation
            self._tell(is_late, unheard_ns)
        if last is not None and not is_late:
            return replace(last.snapshot, generation=generation)
        return HostSnapshot(
            generation,
            since_ns if last is None else last.snapshot.time_ns + since_ns,
            self._clock.unix_ns(),
            self.name,
            is_up=False,
            unread_because=self._reason,
            boot=None if last is None else last.snapshot.boot,
        )

    def _tell(self, is_late: bool, since_ns: int) -> None:
        """Log that the host is lost, or found again; once."""
        if is_late == self._is_told_down:
            return
        self._is_told_down = is_late
        if is_late:
            seconds = since_ns / 1e9
            told = (self.name, self.shown, seconds, self._reason)
            log.warning("%s (%s) is unknown: no report for %.0f s: %s", *told)
        else:
            log.warning("%s (%s) reports again%s", self.name, self.shown, self._slow)

    def _tell_problems(self, report: HostReport) -> None:
        """Log what the agent could not read; what it could not the last time either is known."""
        problems = frozenset(one_line(one[:_LONGEST]) for one in report.problems[:_MOST_PROBLEMS])
        for problem in sorted(problems - self._problems):
            log.warning("%s (%s): %s", self.name, self.shown, problem)
        self._problems = problems

    def _run(self, offset_ns: int) -> None:
        due_ns = self._clock.now_ns() + offset_ns
        with contextlib.closing(self._source):
            while True:
                self.look()
                now_ns = self._clock.now_ns()
                due_ns = max(due_ns + self._period_ns, now_ns)  # late ones are not made up for
                if self._stopping.wait((due_ns - now_ns) / 1e9):
                    return
