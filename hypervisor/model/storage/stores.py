"""The stores of a host: devices of domain 0, layers on them, and where each virtual disk lies."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from hypervisor.model.scenario.stores import SYSTEM_DISK, Store, kernel_names, store_of
from hypervisor.model.storage.array import Array
from hypervisor.model.storage.disk import Disk
from hypervisor.model.storage.drive import Drive
from hypervisor.model.storage.drives import DRIVES
from hypervisor.model.storage.request import AnyDiskRequest, Device
from hypervisor.model.storage.target import TARGETS, Target
from hypervisor.model.timing.clock import Clock
from hypervisor.model.timing.random_stream import Streams
from hypervisor.toolstack.config.devices import DISK_SECTORS, SYSTEM_SECTORS, DiskSpec
from hypervisor.toolstack.config.locations import place_of

# Names in `elevator=` that are not those in sysfs.
_ELEVATORS: Final[Mapping[str, str]] = {"as": "anticipatory"}
# The code path that domain 0 runs for each request to a store of a kind, besides the queue's own.
LAYERS: Final[Mapping[str, str]] = {
    "lvm": "device_mapper_request",
    "ext3": "file_system_request",
    "gfs": "gfs_request",
}
# The same for each KiB that comes from or goes to a store of a kind.
LINKS: Final[Mapping[str, str]] = {
    "iscsi": "iscsi_kib",
    "gnbd": "gnbd_kib",
    "nfs": "nfs_kib",
}


class Place(NamedTuple):
    """Where a virtual disk lies, and the code paths that a request to it runs in domain 0."""

    disk: Disk
    base_sector: int
    per_request: tuple[str, ...]
    per_kib: tuple[str, ...]

    def layer_costs(self, requests: int) -> list[tuple[str, int]]:
        """Return what so many requests cost domain 0 in the layers above the device."""
        return [(path, requests) for path in self.per_request]

    def link_costs(self, requests: Sequence[AnyDiskRequest]) -> list[tuple[str, int]]:
        """Return what the transfer of these requests costs domain 0 while it goes on."""
        if not self.per_kib:
            return []
        kib = sum(request.bytes for request in requests) // 1024
        return [(path, kib) for path in self.per_kib]


class _Level(NamedTuple):
    """A store: the device at the bottom, and what the layers above it cost."""

    disk: Disk
    per_request: tuple[str, ...]
    per_kib: tuple[str, ...]


class Stores:
    """Makes the stores of a scenario, and finds the one of a path."""

    def __init__(
        self, clock: Clock, streams: Streams, stores: Sequence[Store], elevator: str, hz: int
    ) -> None:
        """`elevator` is that of devices without a choice of their own; `hz`: see `BlockQueue`."""
        self._clock = clock
        self._streams = streams
        self._elevator = elevator
        self._hz = hz
        system = [one for one in stores if one.name == SYSTEM_DISK]
        first = system[0] if system else Store(name=SYSTEM_DISK, kind="disk")
        self._names = kernel_names(stores) | {SYSTEM_DISK: SYSTEM_DISK}
        self.system = self._device(first)
        self._levels = {SYSTEM_DISK: _Level(self.system, (), ())}
        self._stores = stores
        self._taken: dict[Disk, int] = {}
        self._places: dict[str, Place] = {}  # of virtual disks, by where they are
        for store in stores:
            if store.name != SYSTEM_DISK:
                self._levels[store.name] = self._level(store)
        found = dict.fromkeys(level.disk for level in self._levels.values())
        self.disks = [disk for disk in found if disk.is_shown]
        """The block devices of domain 0."""

    def _level(self, store: Store) -> _Level:
        if store.kind in LAYERS:
            below = self._levels[store.on]
            return below._replace(per_request=(*below.per_request, LAYERS[store.kind]))
        per_kib = (LINKS[store.kind],) if store.kind in LINKS else ()
        return _Level(self._device(store), (), per_kib)

    def _device(self, store: Store) -> Disk:
        elevator = store.elevator or self._elevator
        elevator = "noop" if store.kind == "nfs" else _ELEVATORS.get(elevator, elevator)
        name = self._names.get(store.name, store.name)  # nfs has no device
        disk = Disk(self._clock, name, self._hardware(store), elevator, self._hz)
        if store.kind in TARGETS:
            disk.queue.max_bytes = TARGETS[store.kind].max_kib * 1024
        disk.is_shown = store.kind != "nfs"  # a file on a server has no queue of its own
        return disk

    def _hardware(self, store: Store) -> Device:
        model = DRIVES[store.drive]
        name = "disk" if store.name == SYSTEM_DISK else f"disk/{store.name}"
        if store.kind == "disk":
            stream = self._streams.stream(name)
            caches, depth = store.write_cache, store.queue_depth
            return Drive(self._clock, stream, model, caches_writes=caches, depth=depth)
        kind = TARGETS[store.kind]
        streams = [self._streams.stream(f"{name}/{n}") for n in range(store.spindles)]
        array = Array(
            self._clock,
            [Drive(self._clock, one, model, caches_writes=False) for one in streams],
            cache_bytes=store.cache_mib << 20,
            is_write_back=kind.is_write_back,
            cached_read_ns=kind.cached_read_ns,
            cached_write_ns=kind.cached_write_ns,
        )
        return Target(self._clock, kind, array, link_mbit=store.link_mbit, depth=store.queue_depth)

    def place(self, spec: DiskSpec) -> Place:
        """Return where a virtual disk lies: at first, the next free 8 GiB of its store's device.

        Whoever attaches the same disk later, or besides, finds it there.
        """
        key = place_of(spec.path) if spec.path else ""
        place = self._places.get(key)
        if place is None:
            place = self._next_place(self._levels[self.store_of(spec.path)])
            if key:
                self._places[key] = place
        return place

    def lun(self, store: str) -> Place:
        """Return where a new LUN of a store lies, which a guest attaches itself."""
        return self._next_place(self._levels[store])

    def _next_place(self, level: _Level) -> Place:
        disk = level.disk
        taken = self._taken.get(disk, 0)
        self._taken[disk] = taken + 1
        first = SYSTEM_SECTORS if disk is self.system else 0
        room = max(1, (disk.sectors - first) // DISK_SECTORS)
        return Place(disk, first + taken % room * DISK_SECTORS, level.per_request, level.per_kib)

    def store_of(self, path: str) -> str:
        """Return the name of the store on which a disk of this path is."""
        store = store_of(self._stores, path)
        return SYSTEM_DISK if store is None else store.name
