"""Gives a scheduler access to the machine: who runs where, and how to have that changed."""

from collections.abc import Callable

from hypervisor.model.cpu.topology import Topology
from hypervisor.model.domain.domain import Pcpu, Vcpu
from hypervisor.model.domain.runstate import NEVER, RUNNABLE
from hypervisor.model.timing.clock import Clock


class SchedContext:
    """The machine as a scheduler sees it. Of `clock` a scheduler reads only `now`.

    `park` pauses a vcpu because of its cap (3.1): it stops at once and its runstate is offline.
    `unpark` undoes that; the machine calls `wake` if the vcpu wants to run. A scheduler that leaves
    such a vcpu runnable, and does not let it run, tells `hold` instead.
    """

    __slots__ = ("_decide", "clock", "park", "pcpus", "tickled", "topology", "unpark")

    def __init__(
        self,
        clock: Clock,
        topology: Topology,
        pcpus: list[Pcpu],
        decide: Callable[[], None],
        park: Callable[[Vcpu], None],
        unpark: Callable[[Vcpu], None],
    ) -> None:
        """`decide` makes the decisions of all pcpus in `tickled`, and empties that list."""
        self.clock = clock
        self.topology = topology
        self.pcpus = pcpus
        self.tickled: list[Pcpu] = []  # those that are to decide after the present event
        self._decide = decide
        self.park = park
        self.unpark = unpark

    def current(self, pcpu: int) -> Vcpu | None:
        """Return the vcpu that runs on `pcpu`; None stands for its idle vcpu."""
        return self.pcpus[pcpu].current

    def hold(self, vcpu: Vcpu, *, is_held: bool) -> None:
        """Note whether a vcpu, while it is runnable, is held back by a limit of its own."""
        vcpu.runstate.hold(RUNNABLE if is_held else NEVER, self.clock.now)

    def tickle(self, pcpu: int) -> None:
        """Make `pcpu` decide again after the present event (Xen: SCHEDULE_SOFTIRQ)."""
        target = self.pcpus[pcpu]
        if not target.is_tickled:
            target.is_tickled = True
            if not self.tickled:
                self.clock.defer(self._decide)
            self.tickled.append(target)
