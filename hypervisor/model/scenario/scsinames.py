"""Names and numbers that the kernel gives to SCSI disks: sda to sdz, then sdaa, sdab, ..."""

import re
from typing import Final

MOST_DISKS: Final = 256
"""The disks of all majors: 16 of each. Source: drivers/scsi/sd.c, SD_MAJORS (2.6.18)."""
_NAME: Final = re.compile(r"sd([a-z]{1,2})", re.ASCII)
_MAJORS: Final[tuple[int, ...]] = (8, *range(65, 72), *range(128, 136))


def scsi_name(index: int) -> str:
    """Return the name of a disk; the first has the index 0. Source: drivers/scsi/sd.c, sd_probe."""
    first, last = divmod(index, 26)
    return f"sd{chr(ord('a') + first - 1) if first else ''}{chr(ord('a') + last)}"


def scsi_index(name: str) -> int | None:
    """Return the index of the disk with this name; None where there can be none."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    index = 0
    for letter in match[1]:
        index = 26 * index + ord(letter) - ord("a") + 1
    return index - 1 if index <= MOST_DISKS else None


def scsi_number(index: int) -> int:
    """Return major and minor of a disk, as one number. Source: drivers/scsi/sd.c, sd_major."""
    return _MAJORS[index // 16] << 8 | index % 16 * 16
