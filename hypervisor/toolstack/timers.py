"""Declares the clock that the toolstack needs; the model's own clock satisfies it."""

from collections.abc import Callable
from typing import Any, Protocol

SECOND_NS = 1_000_000_000
MILLISECOND_NS = 1_000_000


class Timers(Protocol):
    """Tells virtual time and calls handlers later."""

    @property
    def now(self) -> int:
        """Return the virtual time in ns."""
        ...

    def schedule(self, at_ns: int, handler: Callable[[Any], object], arg: Any = None, /) -> Any:
        """Call `handler(arg)` at `at_ns`; return a timer for `cancel`."""
        ...

    def cancel(self, timer: Any, /) -> None:
        """Cancel a timer; one that has expired is left as it is."""
        ...
