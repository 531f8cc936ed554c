"""Brings the requests of one signal to its receiver, on a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable

from exporters.otlp.ledger import Ledger
from exporters.otlp.sending import Answer, Feed, Request, Sender
from exporters.otlp.settings import Schedule
from xenprof.service.exporter import CollectorStats

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0  # as the history's pushes pause
_ENOUGH_DOUBLINGS = 6
_LEAST_TIMEOUT_SECONDS = 0.05

_logger = logging.getLogger(__name__)


class Courier:
    """Asks the feed in every period, and sends what it has.

    After a temporary failure it pauses as long as the receiver asks for, otherwise longer each
    time; the feed goes on to take over what is new. A failure is logged once, and its end.
    """

    def __init__(
        self, url: str, feed: Feed, sender: Sender, schedule: Schedule, timeout_seconds: float,
        ledger: Ledger, *, now: Callable[[], float] = time.monotonic,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:  # fmt: skip
        """`url` is what the log calls the receiver; `timeout_seconds` is for each request.

        `now` is the clock, and `wait` waits by it.
        """
        self._name = f"OTLP push of {ledger.signal} to {url}"
        self._feed = feed
        self._sender = sender
        self._schedule = schedule
        self._timeout = timeout_seconds
        self._ledger = ledger
        self._now = now
        self._wait = wait
        self._stopping = threading.Event()
        self._stop_at = 0.0
        self._resume_at = 0.0
        self._failures = 0  # one after the other
        self._is_failing = False
        self._advice = ""  # what the receiver said last of a request that it took
        self.last_run: CollectorStats | None = None
        self._thread = threading.Thread(target=self.run, name=f"otlp {ledger.signal}", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, at: float) -> None:
        """Ask for the last push, which must be over `at` a time of its clock."""
        self._stop_at = at
        self._stopping.set()

    def join(self) -> None:
        """Wait for the last push; a receiver that does not answer is left alone."""
        self._thread.join(max(self._stop_at - self._now(), 0.0))
        self._sender.close()  # which wakes a thread that waits for gRPC

    def run(self) -> None:
        """Push in every period, and once more after `stop`; the thread does this."""
        try:
            while not self._wait(self._stopping, self._schedule.period_seconds):
                self._turn()
            self._turn()
        finally:
            self._ledger.dropped("stopped", self._feed.waiting)

    def _turn(self) -> None:
        began = self._now()
        try:
            self._feed.poll()
            if not self._stopping.is_set() and began < self._resume_at:
                return
            requests, complaint = self._push(began + self._schedule.timeout_seconds)
            if requests:
                self._tell(complaint)
                self.last_run = CollectorStats(not complaint, self._now() - began)
        except Exception:  # a bug must not end the export
            _logger.exception("%s failed", self._name)
            self._ledger.failed()
            self.last_run = CollectorStats(False, self._now() - began)

    def _push(self, deadline: float) -> tuple[int, str]:
        """Send what there is; return the number of requests, and what is wrong, if anything is."""
        complaint, requests = "", 0
        for request in self._feed.requests():
            left = (self._stop_at if self._stopping.is_set() else deadline) - self._now()
            if left <= 0:
                self._ledger.dropped("failed", self._feed.put_off())
                return requests, complaint or "the receiver is too slow; trying again"
            requests += 1
            timeout = max(min(self._timeout, left), _LEAST_TIMEOUT_SECONDS)
            answer = self._sender.send(request.body, timeout)
            problem = self._account(request, answer)
            complaint = complaint or problem
            if answer.error and answer.is_temporary:
                break
        return requests, complaint

    def _account(self, request: Request, answer: Answer) -> str:
        """Count what has become of a request; return what is wrong, if anything is."""
        if not answer.error:
            return self._taken(request, answer)
        self._ledger.failed()
        if answer.is_temporary:
            pause = min(FIRST_PAUSE_SECONDS * 2**self._failures, LONGEST_PAUSE_SECONDS)
            self._failures = min(self._failures + 1, _ENOUGH_DOUBLINGS)
            self._resume_at = self._now() + max(pause, answer.pause_seconds)
            self._ledger.dropped("failed", self._feed.put_off())
            return f"{answer.error}; trying again"
        self._ledger.dropped("rejected", request.items)
        self._feed.settle(request, is_taken=False)
        return f"{answer.error}; what it refuses is dropped"

    def _taken(self, request: Request, answer: Answer) -> str:
        self._failures = 0
        rejected = min(answer.rejected, request.items)
        self._ledger.sent(request.items - rejected)
        self._ledger.dropped("rejected", rejected)
        self._feed.settle(request, is_taken=True)
        if rejected:
            self._ledger.failed()
            why = answer.message or "no reason given"
            return f"{rejected} of {request.items} rejected: {why}; they are dropped"
        if answer.message and answer.message != self._advice:
            self._advice = answer.message
            _logger.warning("%s: the receiver says: %s", self._name, answer.message)
        return ""

    def _tell(self, complaint: str) -> None:
        """Log the first failure, and that it is over."""
        if complaint and not self._is_failing:
            _logger.warning("%s: %s", self._name, complaint)
        elif self._is_failing and not complaint:
            _logger.warning("%s works again", self._name)
        self._is_failing = bool(complaint)
