"""The stores of a host as they stand in a scenario: `[[host.store]]`."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from hypervisor.model.scenario.table import Table
from hypervisor.nearest import hint

SYSTEM_DISK: Final = "sda"  # it is there without a table

DriveName = Literal[
    "cheetah-15k.4",
    "cheetah-15k.5",
    "cheetah-10k.7",
    "savvio-10k.1",
    "savvio-10k.2",
    "barracuda-7200.9",
    "barracuda-es",
]
ElevatorName = Literal["noop", "anticipatory", "as", "deadline", "cfq"]
Kind = Literal["disk", "fc", "iscsi", "gnbd", "nfs", "lvm", "ext3", "gfs"]

_DRIVES: Final = ("drive", "write_cache", "elevator", "queue_depth")
_REMOTE: Final = ("drive", "elevator", "queue_depth", "link_mbit", "spindles", "cache_mib")
FILES: Final = ("nfs", "ext3", "gfs")  # kinds whose disks are files
# The keys of each kind besides name, kind and path.
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "disk": _DRIVES,
    "fc": _REMOTE,
    "iscsi": _REMOTE,
    "gnbd": _REMOTE,
    "nfs": ("drive", "link_mbit", "spindles", "cache_mib"),
    "lvm": ("on",),
    "ext3": ("on",),
    "gfs": ("on",),
}


class Store(Table):
    """Something that stores disks of guests: a device, or a layer on another store.

    Disks whose paths lie at or below `path` are there; without one it is /dev/NAME.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,32}$")]
    kind: Kind
    path: Annotated[str, Field(pattern=r"^/\S*$")] | None = None
    on: str = SYSTEM_DISK
    drive: DriveName = "cheetah-10k.7"
    write_cache: bool | None = None  # None: as such drives are delivered
    elevator: ElevatorName | None = None  # None: that of domain 0
    queue_depth: Annotated[int, Field(ge=1, le=254)] | None = None
    link_mbit: Annotated[int, Field(ge=1, le=100_000)] | None = None  # None: usual for the kind
    spindles: Annotated[int, Field(ge=1, le=64)] = 8
    cache_mib: Annotated[int, Field(ge=1, le=2**20)] = 512

    @model_validator(mode="after")
    def _keys_fit(self) -> "Store":
        allowed = KEYS[self.kind]
        for key in self.model_fields_set - {"name", "kind", "path"}:
            if key not in allowed:
                raise ValueError(f"a store of kind '{self.kind}' has no {key}; it has "
                                 f"{', '.join(('path', *allowed))}")  # fmt: skip
        if self.kind in FILES and self.path is None and self.name != SYSTEM_DISK:
            raise ValueError(
                f"a store of kind '{self.kind}' needs path, its mount point, as in /mnt"
            )
        return self

    @property
    def prefix(self) -> str:
        """Return the path at or below which disks are on this store."""
        return self.path or f"/dev/{self.name}"


def store_of(stores: Sequence[Store], path: str) -> Store | None:
    """Return the store with the longest path at or below which `path` lies; None: the disk sda."""
    best: Store | None = None
    for store in stores:
        prefix = store.prefix
        rest = path.removeprefix(prefix)
        is_below = rest != path and (not rest or prefix[-1] == "/" or rest[0] in "/0123456789")
        if is_below and (best is None or len(prefix) > len(best.prefix)):
            best = store
    return best


def check_stores(stores: tuple[Store, ...]) -> None:
    """Raise ValueError for stores that do not fit together."""
    names: list[str] = []
    for store in stores:
        if store.name in names:
            raise ValueError(f"two stores are called '{store.name}'")
        bases = [*dict.fromkeys([SYSTEM_DISK, *names])]
        if "on" in KEYS[store.kind] and store.on not in bases:
            raise ValueError(
                f"store '{store.name}' is on '{store.on}', which is no store before it"
                f"{hint(store.on, bases)}; there are {', '.join(bases)}"
            )
        names.append(store.name)
        if store.name == SYSTEM_DISK and store.kind != "disk":
            raise ValueError(f"store '{SYSTEM_DISK}' is the disk of domain 0; its kind is 'disk'")
    prefixes = [store.prefix for store in stores]
    for prefix in prefixes:
        if prefixes.count(prefix) > 1:
            raise ValueError(f"two stores have the path '{prefix}'")


def check_lun(lun: str, stores: Sequence[Store], *, is_domain0: bool, has_vif: bool) -> None:
    """Raise ValueError for a LUN that a domain cannot attach itself."""
    names = [store.name for store in stores if store.kind == "iscsi"]
    if lun not in names:
        raise ValueError(
            f"lun '{lun}' is no store of kind 'iscsi'{hint(lun, names)}; "
            f"there are {', '.join(names) or 'none'}"
        )
    if is_domain0:
        raise ValueError(f"lun '{lun}' is a disk of domain 0 already; lun is for guests")
    if not has_vif:
        raise ValueError(f"lun '{lun}' needs a vif, through which the guest logs in")
