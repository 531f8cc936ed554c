"""Frees memory for a new domain: waits for scrubbing, and takes memory from domain 0.

Source: tools/python/xen/xend/balloon.py, free (3.0.3).
"""

from collections.abc import Callable

from hypervisor.errors import HostError, Refused
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.records.steps import Steps
from hypervisor.toolstack.records.xendlog import Messages
from hypervisor.toolstack.timers import MILLISECOND_NS
from hypervisor.toolstack.xendcontext import XendContext

RETRIES = 20
RETRIES_PER_GIB = 5
SLEEP_GROWTH_NS = 100 * MILLISECOND_NS
KIB_PER_GIB = 1 << 20
STEP = "free memory"
_HVM_VIDEO_KIB = (4 + 8) * 1024
_HVM_KIB_PER_GIB = 2458  # 2.4 MB: its P2M table and shadow pages


def needed_kib(spec: DomainSpec) -> int:
    """Return the memory that a domain needs free: its own, and for HVM shadow and video memory."""
    if spec.kind != "hvm":
        return spec.memory_kib
    return spec.memory_kib + _HVM_KIB_PER_GIB * spec.memory_kib // KIB_PER_GIB + _HVM_VIDEO_KIB


class MemoryFreeing:
    """Waits until enough memory is free; ends with `freed(None)` or `freed(error)`.

    It looks at the free memory at growing intervals.
    """

    def __init__(
        self,
        xend: XendContext,
        need_kib: int,
        freed: Callable[[HostError | None], object],
        steps: Steps,
    ) -> None:
        """`steps` are those of the operation, one of which this is."""
        self._steps = steps
        self._xend = xend
        self._need_kib = need_kib
        self._freed = freed
        self._tries = 0
        self._limit = RETRIES
        self._target_kib: int | None = None  # the last target set for domain 0
        self._wanted_kib = 0

    def start(self) -> None:
        """Look at the free memory for the first time."""
        self._steps.begin(STEP)
        self._look(None)

    def _look(self, _: object) -> None:
        xend, need = self._xend, self._need_kib
        info = xend.hypervisor.physical_info()
        if info.free_kib >= need:
            xend.log.debug(Messages.balloon_enough, info.free_kib, need)
            self._end(None)
            return
        if not self._tries:
            self._limit += RETRIES_PER_GIB * ((need - info.free_kib) // KIB_PER_GIB)
            xend.log.debug(Messages.balloon_wait, info.free_kib, info.scrub_kib, need, self._limit)
        if info.free_kib + info.scrub_kib < need and xend.minimum_domain0_kib:
            self._shrink_domain0(need - info.free_kib - info.scrub_kib)
        if self._tries >= self._limit or self._is_hopeless(info.free_kib + info.scrub_kib):
            self._end(self._refusal(info.free_kib, info.scrub_kib))
            return
        self._tries += 1
        xend.timers.schedule(xend.timers.now + self._tries * SLEEP_GROWTH_NS, self._look)

    def _end(self, error: HostError | None) -> None:
        self._steps.end(STEP)
        self._freed(error)

    def _shrink_domain0(self, missing_kib: int) -> None:
        xend = self._xend
        wanted_mib = (xend.hypervisor.domain_state(0).memory_kib - missing_kib) // 1024
        self._wanted_kib = wanted_mib * 1024
        if self._wanted_kib >= xend.minimum_domain0_kib and self._wanted_kib != self._target_kib:
            self._target_kib = self._wanted_kib
            xend.log.debug(Messages.balloon_dom0, self._wanted_kib // 1024)
            xend.infos[0].target_kib = self._wanted_kib
            xend.store.write(f"{xend.infos[0].path}/memory/target", self._wanted_kib)

    def _is_hopeless(self, coming_kib: int) -> bool:
        """Return whether waiting is useless: no memory is being scrubbed or given up."""
        if coming_kib >= self._need_kib or self._target_kib is not None:
            return False
        minimum = self._xend.minimum_domain0_kib
        return not minimum or self._wanted_kib < minimum

    def _refusal(self, free_kib: int, scrub_kib: int) -> Refused:
        minimum = self._xend.minimum_domain0_kib
        if not minimum:
            return Refused(
                "Not enough free memory and dom0_min_mem is 0, so I cannot release any more.  "
                f"I need {self._need_kib} KiB but only have {free_kib}."
            )
        if self._wanted_kib < minimum:
            state = self._xend.hypervisor.domain_state(0)
            left_kib = free_kib + scrub_kib + state.memory_kib - minimum
            return Refused(
                f"I need {self._need_kib} KiB, but dom0_min_mem is {minimum} and shrinking to "
                f"{minimum} KiB would leave only {left_kib} KiB free."
            )
        return Refused("The privileged domain did not balloon!")
