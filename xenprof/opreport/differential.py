"""Makes the difference of two tables of symbols."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from xenprof.opreport.names import long_name
from xenprof.opreport.percent import percent_text
from xenprof.opreport.symbols import Ints, SymbolTable

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


_Key = tuple[str, str, str, int]
"""Application, image and name of a symbol, and its number among those of that name."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows of both tables. All arrays have a row for each symbol, a column for each class.

    Counts are the second table's, or the first's where the symbol is gone. `changes` are in
    percent of the first share.
    """

    table: SymbolTable
    changes: Floats
    is_gone: Flags
    is_new: Flags

    def take(self, rows: Ints) -> "Difference":
        """Return the difference with only `rows`, in this order."""
        return Difference(
            self.table.take(rows),
            self.changes[rows],
            self.is_gone[rows],
            self.is_new[rows],
        )

    def reaches(self, percent: float) -> Flags:
        """Return whether symbols came, went or changed by at least a given amount (first class)."""
        flags: Flags = self.is_gone[:, 0] | self.is_new[:, 0]
        flags |= np.abs(self.changes[:, 0]) >= percent
        return flags

    def texts(self, column: int) -> list[str]:
        """Return the texts of the column `diff %` for a class."""
        return [
            "---" if is_gone else "+++" if is_new else percent_text(change, signed=True)
            for change, is_gone, is_new in zip(
                self.changes[:, column].tolist(),
                self.is_gone[:, column].tolist(),
                self.is_new[:, column].tolist(),
                strict=True,
            )
        ]


def difference(old: SymbolTable, new: SymbolTable) -> Difference:
    """Return the difference from `old` to `new`.

    Symbols pair by application, image and name; of several of one name the first by address
    pair with each other, then the next. Source: oprofile libpp/diff_container.cpp.
    """
    rows: dict[_Key, int] = {}
    places = [_places(table, rows) for table in (old, new)]
    named = {long_name(image): image for table in (old, new) for image in table.images}
    named |= {long_name(app): app for table in (old, new) for app in table.apps}
    counts = np.zeros((2, len(rows), new.counts.shape[1]), np.int64)
    vmas = np.zeros(len(rows), np.uint64)
    for side, (table, place) in enumerate(zip((old, new), places, strict=True)):
        np.add.at(counts[side], place, table.counts)
        vmas[place] = table.vmas
    before, after = counts
    had: Flags = before.sum(axis=1) > 0
    has: Flags = after.sum(axis=1) > 0
    # Classes behind the last one that has samples count as unchanged.
    counts_here = np.where(has[:, None], after, before)
    is_used = np.cumsum((counts_here > 0)[:, ::-1], axis=1)[:, ::-1] > 0
    is_gone = (had & ~has)[:, None] & is_used
    is_new = (has & ~had)[:, None] & is_used
    old_shares = before / np.maximum(old.totals, 1)
    new_shares = after / np.maximum(new.totals, 1)
    known = (before > 0) & has[:, None]
    base = np.where(known, old_shares, 1.0)
    changes = np.where(known, (new_shares - old_shares) / base * 100.0, 0.0)
    index = {name: i for i, name in enumerate(named)}
    everything = tuple(named.values())
    table = replace(
        new,
        images=everything,
        apps=everything,
        image_of=np.array([index[image] for _, image, _, _ in rows], np.int64),
        app_of=np.array([index[app] for app, _, _, _ in rows], np.int64),
        names=[name for _, _, name, _ in rows],
        vmas=vmas,
        counts=counts_here,
        ranges=None,
    )
    return Difference(table, changes, is_gone, is_new)


def _places(table: SymbolTable, rows: dict[_Key, int]) -> Ints:
    """Return each symbol's row in the difference; new ones are added to `rows`."""
    places = np.empty(len(table.names), np.int64)
    seen: Counter[tuple[str, str, str]] = Counter()
    apps = [long_name(app) for app in table.apps]
    images = [long_name(image) for image in table.images]
    app_of, image_of = table.app_of.tolist(), table.image_of.tolist()
    for row in np.argsort(table.vmas, kind="stable").tolist():
        symbol = (apps[app_of[row]], images[image_of[row]], table.names[row])
        places[row] = rows.setdefault((*symbol, seen[symbol]), len(rows))
        seen[symbol] += 1
    return places
