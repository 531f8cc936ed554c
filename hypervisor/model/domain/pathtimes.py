"""Keeps running time by code path, and tells how its modes grow."""

from hypervisor.model.domain.behalf import Behalf
from hypervisor.model.domain.modes import PathModes
from hypervisor.model.domain.spent import SpentTimes


class PathTimes:
    """The running time of one domain on one pcpu, by code path.

    That of a driver domain is added to the shares of `behalf`, of others to `spent`.
    `softirq_ns` is what interrupts have spent of it in softirqs.
    """

    __slots__ = ("behalf", "softirq_ns", "spent")

    def __init__(self, paths: int, *, is_driver: bool = False) -> None:
        self.spent = SpentTimes(paths)
        self.softirq_ns = 0
        self.behalf = Behalf(paths) if is_driver else None

    def by_path(self) -> list[int]:
        """Return the time on each path."""
        return self._whole().by_path()

    def news(self, modes: PathModes) -> tuple[int, int, int]:
        """Return (user, kernel, hypervisor) ns since the last call; see `SpentTimes.tell_modes`."""
        return self._whole().tell_modes(modes)

    def _whole(self) -> SpentTimes:
        if self.behalf is not None:
            self.behalf.add_news(self.spent)
        return self.spent
