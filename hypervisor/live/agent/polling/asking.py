"""Lets one poll go on when a part of it is refused, and tells each refusal once."""

from typing import Callable, List, Optional, Set, TypeVar

from hypervisor.live.agent.errors import HypercallFailed

_Answer = TypeVar("_Answer")

_MOST_PROBLEMS = 64


class Asking:
    """What has been refused in one poll."""

    def __init__(self) -> None:
        self.problems: List[str] = []
        self._refused: Set[str] = set()

    def ask(self, what: str, question: Callable[..., _Answer], *args: int) -> Optional[_Answer]:
        """Return the answer, or None if the question was refused."""
        try:
            return question(*args)
        except HypercallFailed as error:
            self.refused(what, error)
            return None

    def refused(self, what: str, error: HypercallFailed) -> None:
        """Note that a question was refused; the first of its kind is told."""
        if what not in self._refused:
            self._refused.add(what)
            self.tell(what, str(error))

    def has(self, what: str) -> bool:
        """Return whether nothing of this kind was refused."""
        return what not in self._refused

    def tell(self, what: str, why: str) -> None:
        """Note a problem, unless there are very many."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append("%s: %s" % (what, why))
