"""Notes the steps of an operation: what of it took which time."""

from hypervisor.telemetry import OperationStep
from hypervisor.toolstack.timers import Timers


class Steps:
    """The steps of one operation; several may go on at a time."""

    __slots__ = ("_began_ns", "_ended", "_timers")

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._began_ns: dict[str, int] = {}  # of those that go on, by name
        self._ended: list[OperationStep] = []

    def begin(self, name: str) -> None:
        """Begin a step, unless it goes on already."""
        self._began_ns.setdefault(name, self._timers.now)

    def end(self, name: str) -> None:
        """End a step, if it goes on."""
        began_ns = self._began_ns.pop(name, None)
        if began_ns is not None:
            self._ended.append(OperationStep(name, began_ns, self._timers.now))

    def all_ended(self) -> tuple[OperationStep, ...]:
        """End what still goes on, and return all steps in the order in which they began."""
        for name in list(self._began_ns):
            self.end(name)
        return tuple(sorted(self._ended, key=_began))

    def go_on_at(self, time_ns: int) -> bool:
        """Return whether a step went on at this host time, or still does."""
        return any(began_ns <= time_ns for began_ns in self._began_ns.values()) or any(
            covers(one, time_ns) for one in self._ended
        )


def covers(step: OperationStep, time_ns: int) -> bool:
    """Return whether the step went on at this host time."""
    return step.began_ns <= time_ns <= step.ended_ns


def _began(step: OperationStep) -> int:
    return step.began_ns
