"""Tells where disks are: when two locations are one place, however they are spelled.

Source: tools/examples/{block,block-common.sh} (3.0.3), which compare device numbers and files.
"""

import posixpath
import re
from typing import Final

from hypervisor.toolstack.config.devices import DiskSpec

_MAPPED: Final = "/dev/mapper/"
_PARTITION: Final = re.compile(
    r"(?:(/dev/(?:[hs]d|xvd)[a-z]+)|(/dev/disk/by-\w+/.+)-part|(/dev/\w+/c\d+d\d+)p)[1-9]\d*",
    re.ASCII,
)
_ELSEWHERE: Final = ("nbd", "enbd")  # their locations are those of servers


def absolute(path: str) -> str:
    """Return a path without detours; the scripts of domain 0 run in its root folder."""
    if path[:1] == "/" and "//" not in path and "/." not in path and path[-1] != "/":
        return path
    return "/" + posixpath.normpath("/" + path).lstrip("/")


def place_of(path: str) -> str:
    """Return the one spelling of a location: absolute, and of a volume /dev/GROUP/VOLUME.

    The device mapper joins group and volume by a hyphen and doubles those within. Source:
    libdevmapper, dm_build_dm_name.
    """
    path = absolute(path)
    group, hyphen, volume = path.removeprefix(_MAPPED).replace("--", "\0").partition("-")
    if not (path.startswith(_MAPPED) and group and hyphen and volume) or "-" in volume:
        return path
    return f"/dev/{group}/{volume}".replace("\0", "-")


def whole_disk(place: str) -> str:
    """Return the disk of which a place is a partition; "" if it is none."""
    match = _PARTITION.fullmatch(place) if place.startswith("/dev/") else None
    return match[match.lastindex or 0] if match else ""


def overlap(one: DiskSpec, other: DiskSpec) -> str:
    """Return how `one` and `other` are the same data, as part of a sentence; "" if they are not.

    An empty drive has none.
    """
    kinds = {one.type, other.type}
    if not (one.path and other.path) or (len(kinds) > 1 and kinds.intersection(_ELSEWHERE)):
        return ""
    mine, theirs = place_of(one.path), place_of(other.path)
    if mine == theirs:
        return "is"
    if whole_disk(mine) == theirs:
        return f"is a partition of {theirs}, which is"
    return f"has the partition {theirs}, which is" if whole_disk(theirs) == mine else ""


def may_share(one: DiskSpec, other: DiskSpec) -> bool:
    """Return whether `one` may be attached beside `other`, which has the same data.

    The script of tap: disks looks for no other; what the model adds is that one image is not
    served by tapdisk, which goes past domain 0's page cache, and by a loop device at once.
    """
    is_read_only = one.mode == "r" and other.mode == "r"
    return one.mode == "w!" or is_read_only or (one.is_tap and other.is_tap)
