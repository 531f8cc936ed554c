"""The answers of commands: those that are ready at once, and those that take model time."""

from collections.abc import Callable

from hypervisor.control import Operation
from hypervisor.telemetry import HostSnapshot
from xenprof.wire.answers import Created, Done, Dumped
from xenprof.wire.opcontrol import Outcome

Immediate = Done | Outcome
Answer = Created | Dumped | Immediate
Result = int | str | None
"""What an operation of the toolstack comes to: the id of a domain, the path of a file, nothing."""


class Answered:
    """An answer that is ready at once."""

    is_done = True

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def result(self) -> Answer:
        """Return the answer."""
        return self._answer


class Later:
    """The answer that an operation of the toolstack will give."""

    def __init__(self, operation: Operation[Result], snapshot: Callable[[], HostSnapshot]) -> None:
        """`snapshot` returns one that shows what the operation has done, once it is over."""
        self._operation = operation
        self._snapshot = snapshot

    @property
    def is_done(self) -> bool:
        """Return whether the operation has ended."""
        return self._operation.is_done

    def result(self) -> Answer:
        """Return the answer. Raises: the error with which the operation has ended."""
        result = self._operation.result()
        if isinstance(result, int):
            names = [one.name for one in self._snapshot().domains if one.domid == result]
            return Created(result, names[0] if names else "")
        return Dumped(result) if isinstance(result, str) else Done()
