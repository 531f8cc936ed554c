"""Keeps running time by code path, and tells how its modes grow."""

from hypervisor.model.domain.behalf import Behalf
from hypervisor.model.domain.modes import PathModes, user_kernel_ns


class PathTimes:
    """The running time of one domain on one pcpu, by code path.

    That of a driver domain is added to the shares of `behalf`, of others to `spent_ns`.
    `softirq_ns` is what interrupts have spent of it in softirqs.
    """

    __slots__ = ("_seen_ns", "behalf", "softirq_ns", "spent_ns")

    def __init__(self, paths: int, *, is_driver: bool = False) -> None:
        self.spent_ns = [0] * paths
        self.softirq_ns = 0
        self.behalf = Behalf(paths) if is_driver else None
        self._seen_ns = [0] * paths  # the part that `news` has returned

    def by_path(self) -> list[int]:
        """Return the time on each path."""
        if self.behalf is not None:
            self.behalf.add_news(self.spent_ns)
        return self.spent_ns

    def news(self, modes: PathModes) -> tuple[int, int, int]:
        """Return (user, kernel, hypervisor) ns since the last call.

        The sums over all calls do not depend on the times of the calls: the whole time of each path
        is rounded, not its parts.
        """
        user_ns = kernel_ns = total_ns = 0
        seen = self._seen_ns
        for path, spent_ns in enumerate(self.by_path()):
            seen_ns = seen[path]
            if spent_ns != seen_ns:
                seen[path] = spent_ns
                user, kernel = user_kernel_ns(spent_ns, modes[path])
                seen_user, seen_kernel = user_kernel_ns(seen_ns, modes[path])
                user_ns += user - seen_user
                kernel_ns += kernel - seen_kernel
                total_ns += spent_ns - seen_ns
        return user_ns, kernel_ns, total_ns - user_ns - kernel_ns
