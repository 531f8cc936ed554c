"""Grant tables: the entries that a domain's frontends hold, and the backends' operations on them.

Source: xen/common/grant_table.c (4 frames of 512 entries), drivers/xen/core/gnttab.c.
"""

from typing import Final

from hypervisor.errors import Refused

ENTRIES: Final = 2048
RESERVED: Final = 8  # gnttab.c, NR_RESERVED_ENTRIES


class GrantTable:
    """Counts the grant entries of one domain, and the operations on them."""

    __slots__ = ("_rings", "copied", "free", "mapped", "transferred")

    def __init__(self) -> None:
        self.free = ENTRIES - RESERVED
        self._rings: set[int] = set()  # references of shared ring pages
        self.mapped = 0  # pages mapped by a backend, each unmapped again when it is done
        self.copied = 0
        self.transferred = 0

    @property
    def used(self) -> int:
        """Return the number of entries in use."""
        return ENTRIES - RESERVED - self.free

    def claim(self, entries: int, what: str) -> None:
        """Take entries. Raises: Refused when there are not enough."""
        if entries > self.free:
            raise Refused(f"{what}: no grant references left ({self.free} of {ENTRIES} are free)")
        self.free -= entries

    def claim_rings(self, rings: int, slots: int, what: str) -> tuple[int, ...]:
        """Take the entries of shared ring pages and of `slots` buffers; return the ring references.

        The references are the next unused ones of the free list as it was at boot. Raises: Refused.
        """
        candidate = ENTRIES - self.free + slots
        self.claim(rings + slots, what)
        found: list[int] = []
        while len(found) < rings:
            candidate = candidate if candidate < ENTRIES else RESERVED
            if candidate not in self._rings:
                found.append(candidate)
            candidate += 1
        self._rings.update(found)
        return tuple(found)

    def release_rings(self, refs: tuple[int, ...], slots: int) -> None:
        """Undo `claim_rings`."""
        self._rings.difference_update(refs)
        self.release(len(refs) + slots)

    def release(self, entries: int) -> None:
        """Give entries back."""
        assert self.free + entries <= ENTRIES - RESERVED
        self.free += entries
