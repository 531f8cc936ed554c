"""Counts samples by domain, layer, image or symbol, as rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xenprof.profile.stacks import Frame, StackProfile
from xenprof.report.views.paths import Ints, paths, relabelled, symbol_text

FIELDS = ("domain", "layer", "image", "symbol")
BY = {
    "domain": ("domain",),
    "layer": ("layer",),
    "image": ("domain", "layer", "image"),
    "symbol": FIELDS,
}
"""The subjects of rows. Images and symbols of two domains are never the same.

Several fields, joined by commas, are rows by these alone.
"""

Key = tuple[str, ...]


def fields_of(subject: str) -> Key | None:
    """Return the fields of a subject of rows, or of several fields as typed; None: of neither."""
    words = tuple(subject.split(","))
    if len(words) == 1:
        return BY.get(subject)
    return words if set(words) <= set(FIELDS) and len(set(words)) == len(words) else None


@dataclass(frozen=True, slots=True)
class Table:
    """One row for each key. Columns of `own` and `total` are the profile's events.

    `own` are the samples that were taken there, `total` those taken there or in what was called
    from there; a stack counts once, however often it passes there.
    """

    fields: Key
    keys: tuple[Key, ...]
    own: Ints
    total: Ints

    def take(self, rows: Ints) -> "Table":
        """Return some of the rows, in this order."""
        keys = tuple(self.keys[row] for row in rows.tolist())
        return replace(self, keys=keys, own=self.own[rows], total=self.total[rows])


def grouping(frames: Sequence[Frame], fields: Key) -> tuple[tuple[Key, ...], Ints]:
    """Return the distinct keys of frames, sorted, and which of them each frame has."""
    read = {
        "domain": lambda frame: frame.domain,
        "layer": lambda frame: str(frame.layer),
        "image": lambda frame: frame.image,
        "symbol": symbol_text,
    }
    readers = [read[field] for field in fields]
    keys = [tuple(reader(frame) for reader in readers) for frame in frames]
    number = {key: index for index, key in enumerate(sorted(set(keys)))}
    return tuple(number), np.array([number[key] for key in keys], np.int64)


def table(profile: StackProfile, fields: Key) -> Table:
    """Return the samples of a profile by the values of some fields, rows sorted by key."""
    keys, codes = grouping(profile.frames, fields)
    of = relabelled(paths(profile.stacks), codes)
    own = np.zeros((len(keys), len(profile.types)), np.int64)
    total = np.zeros_like(own)
    leaves = of.leaves()
    np.add.at(own, leaves[leaves >= 0], profile.values[leaves >= 0])
    seen = np.unique(of.owners * max(len(keys), 1) + of.steps)
    stack, row = np.divmod(seen, max(len(keys), 1))
    np.add.at(total, row, profile.values[stack])
    return Table(fields, keys, own, total)


def largest_first(of: Table, column: int) -> Ints:
    """Return the rows ordered by descending samples of one event: own, then total; then by key."""
    return np.lexsort((np.arange(len(of.keys)), -of.total[:, column], -of.own[:, column]))
