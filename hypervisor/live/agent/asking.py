"""Lets one poll go on when a part of it is refused, and tells each refusal once."""

import errno
import os
from typing import Callable, Dict, List, Optional, TypeVar

from hypervisor.live.agent.errors import HypercallFailed

_Answer = TypeVar("_Answer")

_WHY = {
    errno.EPERM: "the hypervisor does not permit it",
    errno.EACCES: "the hypervisor's security policy denies it",
    errno.ENOSYS: "this hypervisor cannot do it",
}
_MOST_PROBLEMS = 64


class Asking:
    """What has been refused in one poll."""

    def __init__(self) -> None:
        self.problems: List[str] = []
        self._refused: Dict[str, int] = {}

    def ask(self, what: str, question: Callable[..., _Answer], *args: int) -> Optional[_Answer]:
        """Return the answer, or None if this or an earlier question of its kind was refused."""
        if what in self._refused:
            return None
        try:
            return question(*args)
        except HypercallFailed as error:
            self._refused[what] = error.errno
            self.tell(what, _WHY.get(error.errno, os.strerror(error.errno)))
            return None

    def has(self, what: str) -> bool:
        """Return whether nothing of this kind was refused."""
        return what not in self._refused

    def tell(self, what: str, why: str) -> None:
        """Note a problem, unless there are very many."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append("%s: %s" % (what, why))
