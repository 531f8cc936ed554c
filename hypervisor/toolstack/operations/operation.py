"""Carries out what takes xend time, as a chain of steps, each of them a method."""

from collections.abc import Callable
from typing import Any

from hypervisor.errors import HostError
from hypervisor.toolstack.domaininfo import DomainInfo
from hypervisor.toolstack.records.operationlog import Entry
from hypervisor.toolstack.records.steps import Steps
from hypervisor.toolstack.xendcontext import XendContext


class Operation:
    """One such chain; satisfies hypervisor.control.Operation.

    A step that raises HostError ends the chain: `undo` is called, and `result` raises the error.
    """

    def __init__(self, xend: XendContext, kind: str, subject: DomainInfo | None = None) -> None:
        """`kind` names it in the records, if nobody asks for it; `subject` is its domain."""
        self._xend = xend
        self.kind = kind
        self.domain = None if subject is None else subject.name
        self.domid = None if subject is None else subject.domid
        self.steps = Steps(xend.timers)
        self.is_done = False
        self._entry: Entry | None = None  # set while it goes on
        self._result: Any = None
        self._error: HostError | None = None
        self._followers: list[Callable[[Operation], object]] = []

    def result(self) -> Any:
        """Return the result. Raises: HostError if it failed; RuntimeError while it is not done."""
        if not self.is_done:
            raise RuntimeError("the operation is not over yet")
        if self._error is not None:
            raise self._error
        return self._result

    def follow(self, follower: Callable[["Operation"], object]) -> None:
        """Call `follower(self)` when the operation is done, at once if it is done already."""
        if self.is_done:
            follower(self)
        else:
            self._followers.append(follower)

    def begin(self, step: Callable[[], object]) -> "Operation":
        """Do the first step now and return self. Raises: what that step raises."""
        self._entry = self._xend.operations.started(self.kind, self.steps)
        try:
            step()
        except HostError as error:
            self.end(None, error)
            raise
        return self

    def after(self, delay_ns: int, step: Callable[[], object]) -> None:
        """Do `step` after `delay_ns`."""
        timers = self._xend.timers
        timers.schedule(timers.now + delay_ns, self.step, step)

    def step(self, step: Callable[[], object]) -> None:
        """Do `step` now, unless the operation is done."""
        if self.is_done:
            return
        try:
            step()
        except HostError as error:
            self.fail(error)

    def finish(self, result: Any = None) -> None:
        """End the operation with a result."""
        self.end(result, None)

    def fail(self, error: HostError) -> None:
        """Undo the steps done so far and end the operation with an error."""
        if self.is_done:
            return
        try:
            self.undo()
        finally:
            self.end(None, error)

    def undo(self) -> None:
        """Undo what the steps have done so far."""

    def end(self, result: Any, error: HostError | None) -> None:
        """Set the result or the error, and call the followers."""
        self.is_done = True
        self._result, self._error = result, error
        if self._entry is not None:
            self._entry.domain, self._entry.domid = self.domain, self.domid
            self._xend.operations.end(self._entry, error)
            self._entry = None
        followers, self._followers = self._followers, []
        for follower in followers:
            follower(self)
