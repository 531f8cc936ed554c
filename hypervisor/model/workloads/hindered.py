"""A program that could not start, because its packets have no way to the other end."""

from collections.abc import Mapping
from typing import Any


class Hindered:
    """Does nothing, and says why."""

    def __init__(self, kind: str, why: str) -> None:
        """`kind` is that of the workload which stands here in the scenario."""
        self._kind = kind
        self._why = why

    def start(self) -> None:
        """Do nothing."""

    def results(self) -> Mapping[str, Any]:
        """Return the kind, and what hinders it."""
        return {"kind": self._kind, "hindered": self._why}
