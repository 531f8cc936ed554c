"""Defines Profile, the value that recording and reporting share.

A profile is a set of sample files, each a histogram of offsets in one image for one
(application, event, task, cpu). Stores make profiles from a session directory; reports
turn a profile into bytes and do not know where it came from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

ImageKind = Literal["root", "kern", "anon"]


@dataclass(frozen=True, slots=True, order=True)
class ImageName:
    """The name of an image in a sample file.

    root: `path` is absolute in the domain. kern: `path` is a bare name (`no-vmlinux`,
    `domain1-kernel`, a module). anon: `path` is the kind of memory (`anon`, `[heap]`), and
    `tgid`, `start`, `end` tell whose memory it is and where.
    """

    kind: ImageKind
    path: str
    tgid: int = 0
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True, order=True)
class SampleKey:
    """The subject of one sample file. None in tgid, tid, cpu means `all`.

    `callee` is set in call-graph files only; `image` is then the caller.
    """

    app: ImageName
    image: ImageName
    event: str
    count: int
    unit_mask: int
    tgid: int | None = None
    tid: int | None = None
    cpu: int | None = None
    callee: ImageName | None = None


@dataclass(frozen=True, slots=True)
class SampleHeader:
    """The header of a sample file; `cpu_type` is oprofile's name, e.g. `i386/p4-ht`."""

    cpu_type: str
    event_number: int
    unit_mask: int
    count: int
    is_kernel: bool
    cpu_mhz: float
    mtime: int = 0
    anon_start: int = 0
    callee_is_kernel: bool = False
    callee_anon_start: int = 0


@dataclass(frozen=True, slots=True)
class SampleFile:
    """A histogram: `counts[i]` samples at `offsets[i]` (the store's docs explain offsets).

    Offsets need be neither sorted nor unique. In a call-graph file an offset is
    (caller << 32) | callee.
    """

    key: SampleKey
    header: SampleHeader
    offsets: npt.NDArray[np.uint64]
    counts: npt.NDArray[np.uint64]

    @property
    def total(self) -> int:
        """Return the number of samples."""
        return int(self.counts.sum())


@dataclass(frozen=True, slots=True)
class Profile:
    """Sample files, the counts of lost samples, and the directory of the images.

    `archive` is the directory that image paths start from ("" = the root directory).
    `lost` counts samples by reason (`event_lost_overflow`, ...), as in the session's stats.
    """

    files: tuple[SampleFile, ...]
    archive: str = ""
    lost: Mapping[str, int] = field(default_factory=dict)

    def select(self, files: tuple[SampleFile, ...]) -> "Profile":
        """Return the same profile with only `files`."""
        return replace(self, files=files)
