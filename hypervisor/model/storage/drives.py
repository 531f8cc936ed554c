"""The drives that a host can have, from their data sheets.

Seeks are those of reads; a head settles longer before it writes. Rates are sustained.
Source: Seagate's data sheets of these models, 2004 to 2007, recalled; sizes are common ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SECTORS_PER_MIB: Final = 2048


@dataclass(frozen=True, slots=True)
class DriveModel:
    """The mechanics of a drive. Rates in bytes per second, times in ns."""

    sectors: int
    rotation_ns: int
    seek_track_ns: int
    seek_average_ns: int  # over a third of the stroke
    seek_full_ns: int
    write_settle_ns: int  # what an average seek takes longer before a write
    inner_rate: int
    outer_rate: int
    cache_bytes: int
    caches_writes: bool
    queue_depth: int
    bus_rate: int
    # Command processing and bus: 0.1 to 0.2 ms (judgement).
    overhead_ns: int = 150_000


def _sectors(size_gb: int) -> int:
    """Return the size of a drive that is sold as one of so many GB, in whole MiB."""
    return (size_gb * 1_000_000_000 >> 20) * SECTORS_PER_MIB


def _scsi(
    size_gb: int,
    rpm: int,
    seeks_us: tuple[int, int, int],
    settle_us: int,
    rates_mb: tuple[int, int],
    cache_mib: int,
) -> DriveModel:
    """Return a SCSI, FC or SAS drive: it queues 32 commands, and its write cache is off."""
    track, average, full = (us * 1000 for us in seeks_us)
    return DriveModel(
        sectors=_sectors(size_gb),
        rotation_ns=60_000_000_000 // rpm,
        seek_track_ns=track,
        seek_average_ns=average,
        seek_full_ns=full,
        write_settle_ns=settle_us * 1000,
        inner_rate=rates_mb[0] * 1_000_000,
        outer_rate=rates_mb[1] * 1_000_000,
        cache_bytes=cache_mib << 20,
        caches_writes=False,
        queue_depth=32,
        bus_rate=320_000_000,
    )


def _sata(
    size_gb: int,
    seeks_us: tuple[int, int, int],
    settle_us: int,
    rates_mb: tuple[int, int],
    cache_mib: int,
) -> DriveModel:
    """Return a SATA drive of 7200 rpm: AHCI queues 31 commands, and its write cache is on."""
    track, average, full = (us * 1000 for us in seeks_us)
    return DriveModel(
        sectors=_sectors(size_gb),
        rotation_ns=60_000_000_000 // 7200,
        seek_track_ns=track,
        seek_average_ns=average,
        seek_full_ns=full,
        write_settle_ns=settle_us * 1000,
        inner_rate=rates_mb[0] * 1_000_000,
        outer_rate=rates_mb[1] * 1_000_000,
        cache_bytes=cache_mib << 20,
        caches_writes=True,
        queue_depth=31,
        bus_rate=300_000_000,
    )


DRIVES: Final[Mapping[str, DriveModel]] = {
    "cheetah-15k.4": _scsi(146, 15_000, (200, 3_500, 7_400), 500, (58, 96), 8),
    "cheetah-15k.5": _scsi(146, 15_000, (200, 3_500, 7_400), 500, (73, 125), 16),
    "cheetah-10k.7": _scsi(146, 10_000, (300, 4_700, 9_700), 600, (39, 80), 8),
    "savvio-10k.1": _scsi(73, 10_000, (300, 4_100, 8_500), 400, (38, 63), 8),
    "savvio-10k.2": _scsi(146, 10_000, (300, 3_800, 8_500), 600, (55, 89), 16),
    "barracuda-7200.9": _sata(500, (800, 8_500, 17_500), 1_000, (35, 65), 8),
    "barracuda-es": _sata(750, (800, 8_500, 17_500), 1_000, (44, 78), 16),
}
DEFAULT_DRIVE: Final = "cheetah-10k.7"
