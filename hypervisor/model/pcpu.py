"""A logical processor: what runs on it, how fast, and where its time went."""

from typing import TYPE_CHECKING

from hypervisor.model.clock import Timer

if TYPE_CHECKING:
    from hypervisor.model.domain import Vcpu

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
        "path_seen_ns",
        "rate_q",
        "sibling",
        "slice_end_ns",
        "slice_timer",
    )

    def __init__(self, number: int, paths: int) -> None:
        self.number = number
        self.current: Vcpu | None = None
        self.sibling: Pcpu | None = None  # the other hyper-thread of its core
        self.is_tickled = False
        self.rate_q = 0  # work cycles_q per ns, now
        self.slice_end_ns = 0
        self.slice_timer: Timer | None = None
        self.path_ns = [0] * paths  # busy time by code path
        self.path_seen_ns = [0] * paths  # as far as it is in mode_ns
        self.mode_ns = [0, 0, 0]
