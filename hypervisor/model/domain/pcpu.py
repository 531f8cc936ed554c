"""A logical processor: what runs on it, how fast, and where its time went."""

from typing import TYPE_CHECKING

from hypervisor.model.timing.clock import Timer

if TYPE_CHECKING:
    from hypervisor.model.domain.domain import Domain, Vcpu

# Speed of each hyper-thread while both of a core are busy, in percent of the core alone:
# together 1.24 times one thread. Source: Marr et al., Intel Technology Journal 6(1) 2002
# (gains of 16 to 28 % on server loads); the point inside that range is our judgement.
SHARED_CORE_PERCENT = 62


class Pcpu:
    """One logical processor. `current` None is its idle vcpu."""

    __slots__ = (
        "current",
        "is_tickled",
        "mode_ns",
        "number",
        "path_ns",
        "rate_q",
        "sibling",
        "slice_end_ns",
        "slice_timer",
        "visitors",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        self.current: Vcpu | None = None
        self.sibling: Pcpu | None = None  # the other hyper-thread of its core
        self.is_tickled = False
        self.rate_q = 0  # work cycles_q per ns, now
        self.slice_end_ns = 0
        self.slice_timer: Timer | None = None
        self.path_ns: list[int] = []  # of the domain that runs here: see Domain.path_ns
        self.visitors: set[Domain] = set()  # whose time is not all in mode_ns yet
        self.mode_ns = [0, 0, 0]  # user, kernel, hypervisor
