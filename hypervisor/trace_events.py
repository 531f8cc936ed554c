"""Declares the events of the hypervisor's trace rings: ids, classes and masks, and their status.

Source: xen/include/public/trace.h (3.0.3). A mask selects by class (bits 16 and up) and by
subclass (bits 12 to 15); `is_selected` says which events pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

IDLE_DOMAIN: Final = 32767

GENERAL: Final = 0x0001F000
SCHED: Final = 0x0002F000
DOM0OP: Final = 0x0004F000
VMX: Final = 0x0008F000
MEM: Final = 0x000AF000
ALL: Final = 0xFFFFF000

CLASSES: Final[Mapping[str, int]] = {
    "gen": GENERAL, "sched": SCHED, "dom0op": DOM0OP, "vmx": VMX, "mem": MEM, "all": ALL,
}  # fmt: skip
"""The names of the masks in the option `-e`."""

LOST_RECORDS: Final = 0x1F001
DOM_ADD, DOM_REM, SLEEP, WAKE, YIELD, BLOCK, SHUTDOWN, CTL = range(0x2F001, 0x2F009)
ADJDOM, SWITCH, S_TIMER, T_TIMER, DOM_TIMER, SWITCH_INFPREV, SWITCH_INFNEXT = range(
    0x2F009, 0x2F010
)
GRANT_MAP, GRANT_UNMAP, GRANT_TRANSFER = 0xAF001, 0xAF002, 0xAF003
# Our extension: one record for each hypercall of a balloon driver; data is domain, pages.
DECREASE_RESERVATION, INCREASE_RESERVATION = 0xAF005, 0xAF006

RECORD_WORDS: Final = 5
RECORD_BYTES: Final = 56  # struct t_rec on x86_64
RING_HEADER_BYTES: Final = 8  # struct t_buf: cons, prod
PAGE_BYTES: Final = 4096
DEFAULT_RING_PAGES: Final = 20  # xentrace -S
DEFAULT_POLL_NS: Final = 100_000_000  # xentrace -s


def is_selected(event: int, event_mask: int) -> bool:
    """Return whether a mask selects an event.

    Classes are bits, and the class of memory events is two of them: a mask of scheduler events
    selects memory events as well. Source: xen/common/trace.c (trace).
    """
    return bool(event_mask >> 16 & event >> 16) and bool(event_mask >> 12 & event >> 12 & 0xF)


def ring_records(pages: int) -> int:
    """Return how many records a ring of `pages` pages holds."""
    return (pages * PAGE_BYTES - RING_HEADER_BYTES) // RECORD_BYTES


@dataclass(frozen=True, slots=True)
class TraceStatus:
    """The status of the rings. Tuples have an entry for each pcpu; emitted = read + lost + held."""

    ring_pages: int  # 0: the rings do not exist yet
    event_mask: int
    pcpu_mask: int
    poll_ns: int
    threshold: int
    emitted: tuple[int, ...]  # records that the masks have selected
    read: tuple[int, ...]
    lost: tuple[int, ...]
    held: tuple[int, ...]  # in the rings, or taken from them and not read yet
