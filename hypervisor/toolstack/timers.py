"""The clock as the toolstack needs it; the model's own clock satisfies it."""

from collections.abc import Callable
from typing import Any, Protocol

SECOND_NS = 1_000_000_000
MILLISECOND_NS = 1_000_000


class Timers(Protocol):
    """Virtual time and what is to happen later."""

    @property
    def now(self) -> int:
        """Return virtual ns."""
        ...

    def schedule(self, at_ns: int, handler: Callable[[Any], object], arg: Any = None, /) -> Any:
        """Call `handler(arg)` at `at_ns`; return what `cancel` takes."""
        ...

    def cancel(self, timer: Any, /) -> None:
        """Make it never happen; nothing happens if it has."""
        ...
