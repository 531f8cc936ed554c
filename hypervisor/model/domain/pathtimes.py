"""Keeps running time by code path, and divides it into modes."""

from collections.abc import Sequence

PathModes = Sequence[tuple[int, int, int]]
"""For each path: its user, kernel and total cycles."""


class PathTimes:
    """The running time of one domain on one pcpu, by code path."""

    __slots__ = ("_seen_ns", "spent_ns")

    def __init__(self, paths: int) -> None:
        self.spent_ns = [0] * paths
        self._seen_ns = [0] * paths  # the part that `news` has returned

    def news(self, modes: PathModes) -> tuple[int, int, int]:
        """Return (user, kernel, hypervisor) ns since the last call.

        The sums over all calls do not depend on the times of the calls: the whole time of each path
        is rounded, not its parts.
        """
        user_ns = kernel_ns = total_ns = 0
        seen = self._seen_ns
        for path, spent_ns in enumerate(self.spent_ns):
            seen_ns = seen[path]
            if spent_ns != seen_ns:
                seen[path] = spent_ns
                user, kernel, total = modes[path]
                user_ns += spent_ns * user // total - seen_ns * user // total
                kernel_ns += spent_ns * kernel // total - seen_ns * kernel // total
                total_ns += spent_ns - seen_ns
        return user_ns, kernel_ns, total_ns - user_ns - kernel_ns
