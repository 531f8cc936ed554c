"""What has become of samples: of those that a writer of files was given, and of all taken."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from xenprof.errors import StoreError, StoreFull


@dataclass(frozen=True, slots=True)
class Outcome:
    """Each sample handed over is stored, held for the next write, or lost, as `excess` is."""

    stored: int = 0
    held: int = 0
    lost: int = 0
    excess: int = 0
    """Samples that found no place in the 32 bits of a count; they are lost as well."""
    problem: str | None = None
    """One line about what the last write could not do, None if it did all."""
    cause: str | None = None
    """The part of `problem` that says why."""

    def after_write(
        self,
        stored: int,
        held: int,
        lost: int,
        problem: str | None,
        excess: int = 0,
        cause: str | None = None,
    ) -> "Outcome":
        """Return the outcome after a write that has tried all that was held as well."""
        return Outcome(
            self.stored + stored, held, self.lost + lost, self.excess + excess, problem, cause
        )

    def after_discard(self) -> "Outcome":
        """Return the outcome when all that was held has been given up."""
        return replace(self, held=0, lost=self.lost + self.held)


@dataclass(frozen=True, slots=True)
class Balance:
    """Where the samples taken are: taken = stored + in_memory + all of lost, at any time."""

    taken: int
    stored: int
    in_memory: int
    lost: Mapping[str, int]


def can_pass(error: StoreError) -> bool:
    """Tell whether a later attempt may succeed: damaged files stay damaged, full disks do not."""
    return isinstance(error, StoreFull) or type(error) is StoreError
