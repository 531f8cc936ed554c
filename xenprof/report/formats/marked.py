"""Marks each change of domain in stacks by a step, for formats that know only names."""

from dataclasses import dataclass

import numpy as np

from xenprof.profile.stacks import StackProfile
from xenprof.report.views.paths import Paths, paths, relabelled, with_marks
from xenprof.report.views.table import FIELDS, Key, grouping

_NOTHING: Key = ("",) * len(FIELDS)


@dataclass(frozen=True, slots=True)
class Marked:
    """Stacks whose steps index `keys`: (domain, layer, image, symbol).

    A domain's mark has only the first part; of an image's mark only the last part is empty.
    """

    keys: tuple[Key, ...]
    paths: Paths


def marked(profile: StackProfile, *, with_images: bool = False) -> Marked:
    """Return the stacks with domains marked, and images too on request.

    Keys are in the order of names, so that siblings sorted by key are sorted by visible name.
    """
    found, codes = grouping(profile.frames, FIELDS)
    order = sorted(range(len(found)), key=lambda code: (found[code][::-1], code))
    rank = np.empty(len(found), np.int64)
    rank[order] = np.arange(len(found))
    keys = [found[code] for code in order]
    of = relabelled(paths(profile.stacks), rank[codes] if len(codes) else codes)
    for kept in (3, 1) if with_images else (1,):
        names = [(*key[:kept], *_NOTHING[kept:]) for key in keys]
        number = {name: len(keys) + index for index, name in enumerate(sorted(set(names)))}
        group = np.array([number[name] - len(keys) for name in names], np.int64)
        of = with_marks(of, group, np.array(list(number.values()), np.int64))
        keys += number
    return Marked(tuple(keys), of)
