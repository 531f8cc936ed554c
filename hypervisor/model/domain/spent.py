"""Adds up running time by code path."""

from hypervisor.model.domain.modes import PathModes, user_kernel_ns


class Spent:
    """The time on one path, and the part of it that has been told."""

    __slots__ = ("ns", "told_ns")

    def __init__(self) -> None:
        self.ns = 0
        self.told_ns = 0


class SpentTimes:
    """The time on each path. Most paths have none, and most of these never will.

    An object for each path holds it as a number of the machine; in a list each change of it would
    make a new object.
    """

    __slots__ = ("_by_path",)

    def __init__(self, paths: int) -> None:
        self._by_path: list[Spent | None] = [None] * paths

    def add(self, path: int, ns: int) -> None:
        """Add to the time on a path."""
        spent = self._by_path[path]
        if spent is None:
            spent = self._by_path[path] = Spent()
        spent.ns += ns

    def of(self, path: int) -> int:
        """Return the time on a path."""
        spent = self._by_path[path]
        return 0 if spent is None else spent.ns

    def by_path(self) -> list[int]:
        """Return the time on each path."""
        return [0 if spent is None else spent.ns for spent in self._by_path]

    def put_back(self, by_path: list[int]) -> None:
        """Make these the times again, which `by_path` has returned."""
        for path, ns in enumerate(by_path):
            spent = self._by_path[path]
            if spent is not None:
                spent.ns = ns

    def tell(self, other: "SpentTimes") -> None:
        """Add to `other` by how much each time has changed since it was last told."""
        for path, spent in enumerate(self._by_path):
            if spent is not None and spent.ns != spent.told_ns:
                other.add(path, spent.ns - spent.told_ns)
                spent.told_ns = spent.ns

    def tell_modes(self, modes: PathModes) -> tuple[int, int, int]:
        """Return by how much (user, kernel, hypervisor) have grown since they were last told.

        The sums over all calls do not depend on the times of the calls: the whole time of each path
        is rounded, not its parts.
        """
        user_ns = kernel_ns = total_ns = 0
        for path, spent in enumerate(self._by_path):
            if spent is not None and spent.ns != spent.told_ns:
                user, kernel = user_kernel_ns(spent.ns, modes[path])
                told_user, told_kernel = user_kernel_ns(spent.told_ns, modes[path])
                user_ns += user - told_user
                kernel_ns += kernel - told_kernel
                total_ns += spent.ns - spent.told_ns
                spent.told_ns = spent.ns
        return user_ns, kernel_ns, total_ns - user_ns - kernel_ns

    def modes(self, modes: PathModes) -> tuple[int, int, int]:
        """Return the user, kernel and hypervisor time, each path's rounded down."""
        user_ns = kernel_ns = total_ns = 0
        for path, spent in enumerate(self._by_path):
            if spent is not None:
                user, kernel = user_kernel_ns(spent.ns, modes[path])
                user_ns += user
                kernel_ns += kernel
                total_ns += spent.ns
        return user_ns, kernel_ns, total_ns - user_ns - kernel_ns
