"""The stores of a host as they stand in a scenario: `[[host.store]]`."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from hypervisor.model.scenario.scsinames import MOST_DISKS, scsi_index, scsi_name
from hypervisor.model.scenario.table import Table, first_again
from hypervisor.nearest import hint, some
from hypervisor.toolstack.config.locations import absolute, place_of

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
_SCSI: Final = ("disk", "fc", "iscsi")  # kinds that the kernel has as SCSI disks
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

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,31}$")]
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
        if self.path is not None and not self.path.isprintable():
            raise ValueError("path has a character that cannot be printed; leave it out")
        if self.kind not in FILES and not self.prefix.startswith("/dev/"):
            raise ValueError(
                f"a store of kind '{self.kind}' is a block device, so that its path is below /dev; "
                "files need a store of kind 'ext3' or 'gfs' on it"
            )
        return self

    @property
    def prefix(self) -> str:
        """Return the path at or below which disks are on this store."""
        return absolute(self.path or f"/dev/{self.name}")

    def has(self, path: str) -> bool:
        """Return whether an absolute path is that of the store, or below it.

        What is mounted above /dev has none of the devices there.
        """
        prefix = self.prefix
        rest = path.removeprefix(prefix)
        if rest == path or (
            self.kind in FILES and path.startswith("/dev/") and not prefix.startswith("/dev/")
        ):
            return False
        is_partition = self.kind not in FILES and rest.isdigit()
        return not rest or prefix[-1] == "/" or rest[0] == "/" or is_partition


def store_of(stores: Sequence[Store], path: str) -> Store | None:
    """Return the store with the longest path at or below which `path` lies; None: the disk sda."""
    spellings = {absolute(path), place_of(path)}
    found = [one for one in stores if any(map(one.has, spellings))]
    return max(found, key=lambda one: len(one.prefix), default=None)


def kernel_names(stores: Sequence[Store]) -> dict[str, str]:
    """Return the name that domain 0's kernel gives to each device, by the name of its store.

    SCSI disks are sda, sdb, ... in their order, but for one that has such a name already.
    """
    named = {one.name for one in stores if one.kind in _SCSI and scsi_index(one.name) is not None}
    free = (scsi_name(index) for index in range(1, MOST_DISKS))
    unnamed = (name for name in free if name not in named)
    names: dict[str, str] = {}
    for store in stores:
        if store.kind == "gnbd":
            names[store.name] = f"gnbd/{store.name}"
        elif store.kind in _SCSI:
            names[store.name] = store.name if store.name in named else next(unnamed)
    return names


def check_stores(stores: tuple[Store, ...]) -> None:
    """Raise ValueError for stores that do not fit together."""
    if again := first_again(store.name for store in stores):
        raise ValueError(f"two stores are called '{again}'")
    if sum(store.kind in _SCSI for store in stores) > MOST_DISKS - 1:
        raise ValueError(f"the kernel has numbers for {MOST_DISKS} SCSI disks, sda among them")
    kinds: dict[str, Kind] = {SYSTEM_DISK: "disk"}  # of the stores before
    for store in stores:
        if "on" in KEYS[store.kind]:
            _check_base(store, kinds)
        kinds[store.name] = store.kind
        if store.name == SYSTEM_DISK and store.kind != "disk":
            raise ValueError(f"store '{SYSTEM_DISK}' is the disk of domain 0; its kind is 'disk'")
    if again := first_again(place_of(store.prefix) for store in stores):
        raise ValueError(f"two stores have the path '{again}'")


def _check_base(store: Store, kinds: Mapping[str, Kind]) -> None:
    """Raise ValueError where a layer is on no device; `kinds` are those of the stores before."""
    if store.on not in kinds:
        raise ValueError(
            f"store '{store.name}' is on '{store.on}', which is no store before it"
            f"{hint(store.on, kinds)}; there are {some(kinds)}"
        )
    if kinds[store.on] in FILES:
        devices = [name for name, kind in kinds.items() if kind not in FILES]
        raise ValueError(
            f"store '{store.name}' of kind '{store.kind}' needs a block device, and "
            f"'{store.on}' has files; there are {some(devices)}"
        )


def check_lun(lun: str, stores: Sequence[Store], *, is_domain0: bool, has_vif: bool) -> None:
    """Raise ValueError for a LUN that a domain cannot attach itself."""
    names = [store.name for store in stores if store.kind == "iscsi"]
    if lun not in names:
        raise ValueError(
            f"lun '{lun}' is no store of kind 'iscsi'{hint(lun, names)}; "
            f"there are {some(names) or 'none'}"
        )
    if is_domain0:
        raise ValueError(f"lun '{lun}' is a disk of domain 0 already; lun is for guests")
    if not has_vif:
        raise ValueError(f"lun '{lun}' needs a vif, through which the guest logs in")
