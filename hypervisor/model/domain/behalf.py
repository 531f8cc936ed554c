"""Keeps the running time of a driver domain on one pcpu by the domain that it worked for.

The modes of each beneficiary's time are rounded down by path. So those of the domain are added up
from them in a snapshot, and may differ by nanoseconds from its share in those of the pcpus.
"""

from collections.abc import Container, Iterable
from typing import Final

from hypervisor.model.domain.modes import PathMode, PathModes
from hypervisor.model.domain.spent import SpentTimes

ITSELF: Final = -1
ENDED: Final = -2


class Share:
    """The running time for one beneficiary, by code path and in all."""

    __slots__ = ("_modes", "_modes_total_ns", "_told_total_ns", "spent", "total_ns")

    def __init__(self, paths: int) -> None:
        self.spent = SpentTimes(paths)
        self.total_ns = 0
        self._told_total_ns = 0
        self._modes: PathMode = (0, 0, 0)  # of `_modes_total_ns`
        self._modes_total_ns = 0

    def modes(self, path_modes: PathModes) -> PathMode:
        """Return the user, kernel and hypervisor time, which sum to the total."""
        if self._modes_total_ns != self.total_ns:
            self._modes = self.spent.modes(path_modes)
            self._modes_total_ns = self.total_ns
        return self._modes

    def add_news(self, spent: SpentTimes) -> None:
        """Change `spent` as the times by path have changed since the last call."""
        if self._told_total_ns != self.total_ns:
            self.spent.tell(spent)
            self._told_total_ns = self.total_ns

    def put_back(self, by_path: list[int], total_ns: int) -> None:
        """Undo what was added since it had these times."""
        self.spent.put_back(by_path)
        self.total_ns = total_ns
        self._told_total_ns = self._modes_total_ns = -1


class Behalf:
    """The shares of all beneficiaries, each a domid or ITSELF."""

    __slots__ = ("_ended_ns", "_paths", "shares")

    def __init__(self, paths: int) -> None:
        self._paths = paths
        self.shares: dict[int, Share] = {}
        self._ended_ns = [0, 0, 0]  # for domains that ended: user, kernel, hypervisor

    def of(self, beneficiary: int) -> Share:
        """Return the share of a beneficiary, to be added to."""
        share = self.shares.get(beneficiary)
        if share is None:
            share = self.shares[beneficiary] = Share(self._paths)
        return share

    def add_news(self, spent: SpentTimes) -> None:
        """Change `spent`, by path, as the shares have changed since the last call."""
        for share in self.shares.values():
            share.add_news(spent)

    def forget(self, living: Container[int], path_modes: PathModes, spent: SpentTimes) -> None:
        """Keep only the modes of what was done for domains that do not live any more.

        Its times by path are added to `spent`, as by `add_news`.
        """
        for domid in [one for one in self.shares if one >= 0 and one not in living]:
            share = self.shares.pop(domid)
            share.add_news(spent)
            for mode, mode_ns in enumerate(share.modes(path_modes)):
                self._ended_ns[mode] += mode_ns

    def add_to(self, found: dict[int, list[int]], path_modes: PathModes) -> None:
        """Add the times of beneficiaries that got some, ENDED included, by mode to `found`."""
        for beneficiary, share in self.shares.items():
            if share.total_ns:
                _add(found, beneficiary, share.modes(path_modes))
        user_ns, kernel_ns, hypervisor_ns = self._ended_ns
        if user_ns or kernel_ns or hypervisor_ns:
            _add(found, ENDED, (user_ns, kernel_ns, hypervisor_ns))


def added_up(pcpus: Iterable[Behalf], path_modes: PathModes) -> dict[int, list[int]]:
    """Return the times of all pcpus by beneficiary and mode (user, kernel, hypervisor)."""
    found: dict[int, list[int]] = {}
    for behalf in pcpus:
        behalf.add_to(found, path_modes)
    return found


def _add(found: dict[int, list[int]], beneficiary: int, times_ns: PathMode) -> None:
    mine = found.get(beneficiary)
    if mine is None:
        found[beneficiary] = list(times_ns)
    else:
        user_ns, kernel_ns, hypervisor_ns = times_ns
        mine[0] += user_ns
        mine[1] += kernel_ns
        mine[2] += hypervisor_ns
