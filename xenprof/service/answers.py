"""The answers of commands: those that are ready at once, and those that take model time."""

from dataclasses import asdict
from typing import Any

from hypervisor.control import Operation
from hypervisor.host import Host
from xenprof.wire.answers import Created

Answer = dict[str, object]


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

    def __init__(self, host: Host, operation: Operation) -> None:
        self._host = host
        self._operation = operation

    @property
    def is_done(self) -> bool:
        """Return whether the operation has ended."""
        return self._operation.is_done

    def result(self) -> Answer:
        """Return the answer. Raises: the error with which the operation has ended."""
        return to_answer(self._host, self._operation.result())


def to_answer(host: Host, result: Any) -> Answer:
    """Return the answer for the result of an operation: a domain's id, a path, or nothing."""
    if isinstance(result, int):
        names = [one.name for one in host.telemetry.snapshot().domains if one.domid == result]
        return asdict(Created(result, names[0] if names else ""))
    return {"path": result} if isinstance(result, str) else {}
