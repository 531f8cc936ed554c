"""Divides the running time of a driver domain by the domain that it worked for, and by mode."""

from collections.abc import Container
from typing import Final

from hypervisor.model.codebook.work import Parts
from hypervisor.model.domain.pathtimes import PathModes, user_kernel_ns

ITSELF: Final = -1
ENDED: Final = -2


class Behalf:
    """The running time of one domain by beneficiary: a domid, ITSELF, or ENDED for all that ended.

    When a path's time grows, its beneficiary gets what the modes of that path grow by, as they are
    rounded for the domain. So the beneficiaries' modes sum to those of the domain, and none falls.
    """

    __slots__ = ("_charged", "mode_ns")

    def __init__(self) -> None:
        self.mode_ns: dict[int, list[int]] = {}  # user, kernel, hypervisor
        # By pcpu, for each path: its whole, user and kernel time that has been charged.
        self._charged: dict[int, list[tuple[int, int, int]]] = {}

    def charge(
        self, beneficiary: int, pcpu: int, path_ns: list[int], parts: Parts, modes: PathModes
    ) -> None:
        """Charge the time by which the paths of `parts` have grown on a pcpu."""
        mine = self.mode_ns.get(beneficiary)
        if mine is None:
            mine = self.mode_ns[beneficiary] = [0, 0, 0]
        charged = self._charged.get(pcpu)
        if charged is None:
            charged = self._charged[pcpu] = [(0, 0, 0)] * len(path_ns)
        for path, _ in parts:
            spent_ns = path_ns[path]
            was_spent_ns, was_user_ns, was_kernel_ns = charged[path]
            user_ns, kernel_ns = user_kernel_ns(spent_ns, modes[path])
            inside_ns = user_ns - was_user_ns + kernel_ns - was_kernel_ns
            mine[0] += user_ns - was_user_ns
            mine[1] += kernel_ns - was_kernel_ns
            mine[2] += spent_ns - was_spent_ns - inside_ns
            charged[path] = (spent_ns, user_ns, kernel_ns)

    def forget(self, living: Container[int]) -> None:
        """Count what was done for domains that do not live any more as done for ENDED."""
        for domid in [one for one in self.mode_ns if one >= 0 and one not in living]:
            ended = self.mode_ns.setdefault(ENDED, [0, 0, 0])
            for mode, spent_ns in enumerate(self.mode_ns.pop(domid)):
                ended[mode] += spent_ns

    def copy(self) -> "Behalf":
        """Return a copy that does not change with this one."""
        twin = Behalf()
        twin.mode_ns = {one: list(spent_ns) for one, spent_ns in self.mode_ns.items()}
        twin._charged = {pcpu: list(charged) for pcpu, charged in self._charged.items()}
        return twin
