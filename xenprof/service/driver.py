"""Runs the thread that owns a host: it advances time, runs commands, publishes snapshots."""

import heapq
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from hypervisor.control import Operation
from hypervisor.host import GoesOn, Host
from hypervisor.telemetry import HostSnapshot
from xenprof.errors import XenprofError
from xenprof.service.pacing import Following, Pacer, Slicer

T = TypeVar("T")
log = logging.getLogger(__name__)

PERIOD_NS = 20_000_000
"""How long the thread sleeps when the model is ahead of its schedule."""
PUBLISH_NS = 1_000_000_000
_YIELD_SECONDS = 50e-6
"""The sleep after each slice: releasing the GIL alone does not give it to a waiting thread."""


class ServiceStopping(XenprofError):
    """Says that the model's thread accepts no more commands."""

    http_status = 503


def build_host(
    scenario: str, *, support_limits: bool = True, domain0_minimum_mib: int = 256
) -> Host:
    """Return the model of a scenario given by name or file; its virtual Unix time starts now.

    `domain0_minimum_mib` is the memory that domain 0 keeps when it gives memory to new domains.
    Raises: ScenarioError.
    """
    from hypervisor.model.machine import build
    from hypervisor.model.native import offered
    from hypervisor.model.scenario.spec import load_scenario
    from hypervisor.model.workloads import import_all

    import_all()
    return offered(
        build(
            load_scenario(scenario),
            epoch_ns=time.time_ns(),
            support_limits=support_limits,
            domain0_minimum_mib=domain0_minimum_mib,
        )
    )


def _nothing() -> None:
    pass


class HostDriver:
    """Owns `host`. All public methods except `step` may be called from any thread."""

    def __init__(
        self,
        host: Host,
        *,
        speed: float | None = 1.0,
        pump: Callable[[], None] = _nothing,
        completed: Callable[[HostSnapshot], HostSnapshot] = lambda snapshot: snapshot,
        published: Callable[[Host, HostSnapshot], None] = lambda host, snapshot: None,
        wall_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """`pump` runs after each slice, `published` after each snapshot, both on the thread.

        `completed` adds to a snapshot what the host itself does not know.
        `speed` is virtual seconds per wall second; None: as fast as possible.
        """
        self._host = host
        self._pump = pump
        self._completed = completed
        self._published = published
        self._wall_ns = wall_ns
        self._pacer = self._schedule(speed)
        self._slicer = Slicer()
        self._commands: deque[tuple[Callable[[Host], Any], Future[Any]]] = deque()
        self._waits: list[tuple[int, int, Future[None]]] = []  # deadline, serial, future
        self._pending: list[tuple[Operation[Any], Future[Any]]] = []
        self._serials = itertools.count()
        self._changed = threading.Condition()
        self._stopping = False
        self._has_failed = False
        self._snapshot: HostSnapshot | None = None
        self._published_at = (wall_ns(), host.now_ns)
        self._model_start_ns = self._goal_ns = self._published_ns = host.now_ns
        self._thread = threading.Thread(target=self._run, name="host", daemon=True)
        self.speed = 0.0
        """Virtual seconds per wall second, over the last second."""
        self.snapshot_seconds = 0.0
        """The duration of the last snapshot."""

    # -- from any thread -----------------------------------------------------------------

    def start(self) -> None:
        """Publish the first snapshot and start the thread."""
        self._publish()
        self._pacer = self._schedule(self._pacer.speed)
        self._thread.start()

    def stop(self, last: Callable[[Host], None] = lambda host: None) -> None:
        """Run what was submitted, then `last`, and end the thread. Raises: what `last` raises."""
        if self._thread.ident is None:
            return  # it has never been started
        with self._changed:
            future = None if self._stopping else self._enqueue(last)
            self._stopping = True
        self._thread.join()
        if future is None:
            last(self._host)  # the model has failed; earlier samples are still valid
        else:
            future.result()

    def submit(self, command: Callable[[Host], T]) -> "Future[T]":
        """Run `command` between two slices; publish a snapshot that shows it before its answer."""
        with self._changed:
            return self._enqueue(command)

    def submit_pending(self, command: Callable[[Host], Operation[T]]) -> "Future[T]":
        """Run `command` as `submit` does; the future gets the result of its pending result."""
        future: Future[T] = Future()

        def begun(done: "Future[Operation[T]]") -> None:  # on the host's thread
            if done.exception() is not None:
                _pass_error(done, future)
            elif done.result().is_done:
                _answer(done.result(), future)
            else:
                self._pending.append((done.result(), future))

        self.submit(command).add_done_callback(begun)
        return future

    def call(self, command: Callable[[Host], T]) -> T:
        """Run `command` and return its result, or raise what it raised."""
        return self.submit(command).result()

    def wait(self, seconds: float) -> "Future[None]":
        """Return a future that is done when `seconds` of model time have passed."""
        future: Future[None] = Future()

        def register(host: Host) -> None:
            deadline_ns = host.now_ns + round(seconds * 1e9)
            heapq.heappush(self._waits, (deadline_ns, next(self._serials), future))

        self.submit(register).add_done_callback(lambda done: _pass_error(done, future))
        return future

    def snapshot(self) -> HostSnapshot:
        """Return the last published snapshot. Only after `start`."""
        if self._snapshot is None:
            raise RuntimeError("no snapshot before start()")
        return self._snapshot

    @property
    def is_up(self) -> bool:
        """Return whether the model runs."""
        return self._thread.is_alive()

    @property
    def lag_seconds(self) -> float:
        """Return the wall time slipped behind schedule so far."""
        return self._pacer.lag_ns / 1e9

    @property
    def model_seconds(self) -> float:
        """Return the model time passed since the service started."""
        return (self._published_ns - self._model_start_ns) / 1e9

    def _schedule(self, speed: float | None) -> Pacer | Following:
        """Return the schedule from now on; a host whose time goes on by itself has its own."""
        if isinstance(self._host, GoesOn):
            return Following(self._host)
        return Pacer(speed, self._wall_ns(), self._host.now_ns)

    def _enqueue(self, command: Callable[[Host], T]) -> "Future[T]":
        if self._stopping:
            raise self._refusal()
        future: Future[T] = Future()
        self._commands.append((command, future))
        self._changed.notify()
        return future

    # -- on the host's thread --------------------------------------------------------------

    def _run(self) -> None:
        try:
            while True:
                with self._changed:
                    if self._stopping and not self._commands:
                        return
                sleep_ns = self.step()
                if sleep_ns:
                    with self._changed:
                        if not self._commands:
                            self._changed.wait(sleep_ns / 1e9)
                else:
                    time.sleep(_YIELD_SECONDS)
        except Exception:
            self._has_failed = True
            log.exception("the model has failed at model time %d ns", self._host.now_ns)
        finally:
            self._end()

    def _end(self) -> None:
        with self._changed:
            self._stopping = True
            futures = [future for _, future in self._commands]
            futures += [future for *_, future in self._waits]
            futures += [future for _, future in self._pending]
            self._commands.clear()
            self._waits.clear()
            self._pending.clear()
        for future in futures:
            if future.set_running_or_notify_cancel():
                future.set_exception(self._refusal())

    def _refusal(self) -> ServiceStopping:
        if self._has_failed:
            return ServiceStopping("the model has failed; see the service's log, then restart it")
        return ServiceStopping("the xenprof service is stopping")

    def step(self) -> int:
        """Run commands and one slice; return the wall ns until there is something to do."""
        self._run_commands()
        if self._pending:
            self._settle_pending()
        now_ns, wall_ns = self._host.now_ns, self._wall_ns()
        if wall_ns - self._published_at[0] >= PUBLISH_NS:
            self._publish()
        self._pacer.settle(wall_ns, now_ns)  # the process may have been stopped meanwhile
        speed, due_ns = self._pacer.speed, self._pacer.due_ns(wall_ns)
        if speed is None or due_ns is None:
            self._slice(now_ns, now_ns + self._slicer.virtual_ns)
            return 0
        if now_ns >= self._goal_ns:
            # Run a whole period at a time: following the clock more closely would leave no sleep.
            early_ns = PERIOD_NS - int((due_ns - now_ns) / speed)
            if early_ns > 0:
                return min(early_ns, PERIOD_NS)
            self._goal_ns = due_ns
        self._slice(now_ns, self._goal_ns)
        return 0

    def _slice(self, now_ns: int, until_ns: int) -> None:
        until_ns = min(until_ns, now_ns + self._slicer.virtual_ns)
        if self._waits:
            until_ns = min(until_ns, max(self._waits[0][0], now_ns + 1))
        before_ns = self._wall_ns()
        self._host.advance(until_ns)
        after_ns = self._wall_ns()
        self._slicer.took(until_ns - now_ns, after_ns - before_ns)
        self._pump()
        self._pacer.settle(self._wall_ns(), self._host.now_ns)
        if self._waits and self._waits[0][0] <= self._host.now_ns:
            self._publish()
            while self._waits and self._waits[0][0] <= self._host.now_ns:
                future = heapq.heappop(self._waits)[2]
                if future.set_running_or_notify_cancel():
                    future.set_result(None)

    def _run_commands(self) -> None:
        while self._commands:
            command, future = self._commands.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = command(self._host)
            except Exception as error:
                self._publish()
                future.set_exception(error)
            else:
                self._publish()
                future.set_result(result)

    def _settle_pending(self) -> None:
        """Answer the commands whose results are ready, after a snapshot that shows them."""
        done = [entry for entry in self._pending if entry[0].is_done]
        if not done:
            return
        self._pending = [entry for entry in self._pending if not entry[0].is_done]
        self._publish()
        for pending, future in done:
            _answer(pending, future)

    def _publish(self) -> None:
        wall_ns, now_ns = self._wall_ns(), self._host.now_ns
        snapshot = self._completed(self._host.telemetry.snapshot())
        self._snapshot, self._published_ns = snapshot, now_ns
        self.snapshot_seconds = (self._wall_ns() - wall_ns) / 1e9
        elapsed_ns = wall_ns - self._published_at[0]
        if elapsed_ns >= PUBLISH_NS:
            self.speed = (now_ns - self._published_at[1]) / elapsed_ns
            self._published_at = (wall_ns, now_ns)
        self._published(self._host, snapshot)


def _answer(pending: Operation[T], future: "Future[T]") -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(pending.result())
    except Exception as error:
        future.set_exception(error)


def _pass_error(done: "Future[Any]", waiting: "Future[Any]") -> None:
    error = done.exception()
    if error is not None and waiting.set_running_or_notify_cancel():
        waiting.set_exception(error)
