"""Divides running time by code path into modes."""

from collections.abc import Sequence

PathMode = tuple[int, int, int]
PathModes = Sequence[PathMode]
"""For each path: its user, kernel and all cycles."""


def user_kernel_ns(spent_ns: int, mode: PathMode) -> tuple[int, int]:
    """Return how much of the time on a path was user and kernel time; the rest is Xen's.

    Kernel time is a part of what is no user time, so that no mode has less when more is spent: both
    rounded from the whole, two of them could grow by the one nanosecond that was spent.
    """
    user, kernel, total = mode
    user_ns = spent_ns * user // total
    return user_ns, (spent_ns - user_ns) * kernel // max(1, total - user)
