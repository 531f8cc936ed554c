"""What code takes from its neighbours: of its core, its cache, the memory and its guest's locks."""

from typing import Final

from hypervisor.model.codebook.locking import Claims

IDLE: Final = -1
"""The path of a pcpu that runs its idle vcpu."""


class Pressure:
    """What a piece of work takes, whole and in any part: its paths are executed in proportion.

    `path`: its first one; IDLE: it is no work. `gain`, `stall` and `moved` are those of `Sharing`.
    `crowd`: its misses for each usual one where so many share the cache, in 1/1024.
    """

    __slots__ = ("claims", "crowd", "gain", "moved", "path", "stall")

    def __init__(
        self, path: int, moved: int, stall: int, gain: int, crowd: list[int], claims: Claims
    ) -> None:
        self.path = path
        self.moved = moved
        self.stall = stall
        self.gain = gain
        self.crowd = crowd
        self.claims = claims

    def takes_as(self, other: "Pressure") -> bool:
        """Return whether another takes the same of core and memory; its locks may differ."""
        return (
            self.path == other.path
            and self.moved == other.moved
            and self.stall == other.stall
            and self.gain == other.gain
        )


NOTHING: Final = Pressure(IDLE, 0, 0, 0, [], [])
"""What an idle pcpu takes."""
