"""What xend does over time: a chain of steps, each a method, until it is finished or has failed."""

from collections.abc import Callable
from typing import Any

from hypervisor.errors import HostError
from hypervisor.toolstack.timers import Timers


class Operation:
    """One such chain; satisfies hypervisor.control.Operation.

    A step that raises HostError ends it: `undo` is called, and `result` raises that error.
    """

    def __init__(self, timers: Timers) -> None:
        self.timers = timers
        self.is_done = False
        self._result: Any = None
        self._error: HostError | None = None
        self._followers: list[Callable[[Operation], object]] = []

    def result(self) -> Any:
        """Return what it has come to. Raises: HostError; RuntimeError while it is not done."""
        if not self.is_done:
            raise RuntimeError("the operation is not over yet")
        if self._error is not None:
            raise self._error
        return self._result

    def follow(self, follower: Callable[["Operation"], object]) -> None:
        """Call `follower(self)` when it is done; at once if it is."""
        if self.is_done:
            follower(self)
        else:
            self._followers.append(follower)

    def begin(self, step: Callable[[], object]) -> "Operation":
        """Do the first step now; return self. Raises: what that step raises."""
        try:
            step()
        except HostError as error:
            self.end(None, error)
            raise
        return self

    def after(self, delay_ns: int, step: Callable[[], object]) -> None:
        """Do `step` later."""
        self.timers.schedule(self.timers.now + delay_ns, self.step, step)

    def step(self, step: Callable[[], object]) -> None:
        """Do `step` now, unless all is over."""
        if self.is_done:
            return
        try:
            step()
        except HostError as error:
            self.fail(error)

    def finish(self, result: Any = None) -> None:
        """End it well."""
        self.end(result, None)

    def fail(self, error: HostError) -> None:
        """End it badly: what was done is undone first."""
        if self.is_done:
            return
        try:
            self.undo()
        finally:
            self.end(None, error)

    def undo(self) -> None:
        """Take back what the steps have done so far."""

    def end(self, result: Any, error: HostError | None) -> None:
        """It is over, well or badly: tell who follows."""
        self.is_done = True
        self._result, self._error = result, error
        followers, self._followers = self._followers, []
        for follower in followers:
            follower(self)
