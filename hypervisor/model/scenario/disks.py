"""Checks which domains have which block devices."""

from collections.abc import Sequence
from typing import Final, Protocol

from hypervisor.model.scenario.stores import FILES, Store, store_of
from hypervisor.toolstack.config.devices import parse_disk
from hypervisor.toolstack.config.locations import Holders, may_share

MOST_DISKS: Final = 256
"""The disks of a guest, all partitions of all xvda to xvdp among them."""


class _Guest(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def disk(self) -> tuple[str, ...]: ...


def check_disks(stores: Sequence[Store], guests: Sequence[_Guest]) -> None:
    """Raise ValueError for a device that is a file, or that another domain holds."""
    holders = Holders()
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
            for owner, other, how in holders.beside(disk):
                if not may_share(disk, other):
                    raise ValueError(
                        f"{key}: {disk.path} {how} {other.frontend} of '{owner}', with mode "
                        f"{other.mode}; w! shares it all the same"
                    )
            holders.add(domain.name, disk)
