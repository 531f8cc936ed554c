"""Keeps running time by code path, and divides it into modes."""

from collections.abc import Sequence

PathMode = tuple[int, int, int]
PathModes = Sequence[PathMode]
"""For each path: its user, kernel and all cycles."""


def user_kernel_ns(spent_ns: int, mode: PathMode) -> tuple[int, int]:
    """Return how much of the time on a path was user and kernel time; the rest is Xen's."""
    user, kernel, total = mode
    return spent_ns * user // total, spent_ns * kernel // total


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
                user, kernel = user_kernel_ns(spent_ns, modes[path])
                seen_user, seen_kernel = user_kernel_ns(seen_ns, modes[path])
                user_ns += user - seen_user
                kernel_ns += kernel - seen_kernel
                total_ns += spent_ns - seen_ns
        return user_ns, kernel_ns, total_ns - user_ns - kernel_ns
