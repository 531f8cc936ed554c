"""Compares two profiles row by row, and tells differences from noise."""

from dataclasses import dataclass

import numpy as np

from xenprof.profile.stacks import StackProfile
from xenprof.report.views.paths import Ints
from xenprof.report.views.significance import LEVEL, Floats, holm, p_values
from xenprof.report.views.table import Key, table

MORE, LESS, NOISE = "more", "less", "noise"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows of two profiles, of one event each. `p` is corrected for the number of rows."""

    fields: Key
    keys: tuple[Key, ...]
    before: Ints
    after: Ints
    p: Floats

    @property
    def before_total(self) -> int:
        """Return the samples of the first profile."""
        return int(self.before.sum())

    @property
    def after_total(self) -> int:
        """Return the samples of the second profile."""
        return int(self.after.sum())

    @property
    def change(self) -> Floats:
        """Return the growth of each row's share in percentage points."""
        return 100 * (share(self.after, self.after_total) - share(self.before, self.before_total))

    def verdicts(self) -> list[str]:
        """Return whether each row's share is larger, smaller, or different only by noise."""
        change = self.change
        return [
            NOISE if p >= LEVEL else MORE if difference > 0 else LESS
            for p, difference in zip(self.p.tolist(), change.tolist(), strict=True)
        ]


def share(counts: Ints, total: int) -> Floats:
    """Return counts as fractions of a total, which may be 0."""
    return np.asarray(counts / max(total, 1), np.float64)


def compare(before: StackProfile, after: StackProfile, fields: Key) -> Comparison:
    """Return the comparison of two profiles' first events by rows; each sample is in one row."""
    tables = [table(profile, fields) for profile in (before, after)]
    keys = tuple(sorted({key for one in tables for key in one.keys}))
    number = {key: index for index, key in enumerate(keys)}
    counts = np.zeros((2, len(keys)), np.int64)
    for column, one in enumerate(tables):
        rows = [number[key] for key in one.keys]
        counts[column, rows] = one.own[:, 0]
    some = np.flatnonzero(counts.any(axis=0))
    keys = tuple(keys[row] for row in some.tolist())
    first, second = counts[0, some], counts[1, some]
    p = holm(p_values(first, second, int(first.sum()), int(second.sum())))
    return Comparison(fields, keys, first, second, p)


def largest_change_first(of: Comparison) -> Ints:
    """Return the rows ordered: differences before noise, then by the size of the change."""
    is_noise = of.p >= LEVEL
    return np.lexsort((np.arange(len(of.keys)), -np.abs(of.change), is_noise))
