"""Checks which domains have which block devices."""

from collections.abc import Sequence
from typing import Protocol

from hypervisor.model.scenario.stores import FILES, Store, store_of
from hypervisor.toolstack.config.devices import DiskSpec, parse_disk


class _Guest(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def disk(self) -> tuple[str, ...]: ...


def check_disks(stores: Sequence[Store], guests: Sequence[_Guest]) -> None:
    """Raise ValueError for a device that is a file, or that another domain holds."""
    holders: dict[tuple[str, str], tuple[str, DiskSpec]] = {}
    for domain in guests:
        for text in domain.disk:
            disk = parse_disk(text)
            key = f"domain[{domain.name}].disk"
            store = store_of(stores, disk.path)
            if disk.type == "phy" and store is not None and store.kind in FILES:
                raise ValueError(
                    f"{key}: {disk.path} is a file on the store '{store.name}'; use file:, "
                    "tap:aio: or tap:qcow:"
                )
            if not disk.type or disk.is_tap or disk.mode == "w!":
                continue
            other = holders.setdefault((disk.type, disk.path), (domain.name, disk))
            modes = {disk.mode, other[1].mode}
            if other[1] is not disk and modes != {"r"}:
                raise ValueError(
                    f"{key}: {disk.path} is {other[1].frontend} of '{other[0]}', with mode "
                    f"{other[1].mode}; w! shares it all the same"
                )
