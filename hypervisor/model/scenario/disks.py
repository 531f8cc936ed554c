"""Checks which domains have which block devices."""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from hypervisor.model.scenario.stores import FILES, Store, store_of
from hypervisor.toolstack.config.devices import DiskSpec, parse_disk
from hypervisor.toolstack.config.locations import may_share, overlap, place_of, whole_disk

MOST_DISKS: Final = 256
"""The disks of a guest, all partitions of all xvda to xvdp among them."""


class _Guest(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def disk(self) -> tuple[str, ...]: ...


class _Holders:
    """Who holds which data of domain 0."""

    def __init__(self) -> None:
        self._by_place: dict[str, list[tuple[str, DiskSpec]]] = {}

    def beside(self, disk: DiskSpec) -> Iterator[tuple[str, DiskSpec]]:
        """Yield all that may have the same data as a disk."""
        place = place_of(disk.path)
        for key in dict.fromkeys((place, whole_disk(place) or place)):
            yield from self._by_place.get(key, ())

    def add(self, owner: str, disk: DiskSpec) -> None:
        """Enter a disk under its place, and under that of the disk of which it is a part."""
        place = place_of(disk.path)
        for key in dict.fromkeys((place, whole_disk(place) or place)):
            self._by_place.setdefault(key, []).append((owner, disk))


def check_disks(stores: Sequence[Store], guests: Sequence[_Guest]) -> None:
    """Raise ValueError for a device that is a file, or that another domain holds."""
    holders = _Holders()
    for domain in guests:
        if len(domain.disk) > MOST_DISKS:
            raise ValueError(f"domain[{domain.name}].disk: {MOST_DISKS} disks are the most")
        for text in domain.disk:
            disk = parse_disk(text)
            key = f"domain[{domain.name}].disk"
            store = store_of(stores, disk.path)
            if disk.type == "phy" and store is not None and store.kind in FILES:
                raise ValueError(
                    f"{key}: {disk.path} is a file on the store '{store.name}'; use file:, "
                    "tap:aio: or tap:qcow:"
                )
            if not disk.type:
                continue
            for owner, other in holders.beside(disk):
                how = "" if may_share(disk, other) else overlap(disk, other)
                if how:
                    raise ValueError(
                        f"{key}: {disk.path} {how} {other.frontend} of '{owner}', with mode "
                        f"{other.mode}; w! shares it all the same"
                    )
            holders.add(domain.name, disk)
