"""Profile -> functions and the calls between them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from xenprof.images import ImageSymbols
from xenprof.profile import ImageName, Profile
from xenprof.reports.classes import Classes, Merge, class_of
from xenprof.reports.names import long_name
from xenprof.reports.symboliser import Symboliser
from xenprof.reports.symbols import Ints, SymbolTable, Words, symbol_table

Function = tuple[ImageName, ImageName, str, int]
"""Application, image, name and address of a function."""


@dataclass(frozen=True, slots=True)
class CallGraph:
    """`table` has a row for each function, also for those that were only called through.

    `callers[row]` and `callees[row]` hold samples by class of the calls to and from other rows.
    """

    table: SymbolTable
    callers: Mapping[int, Mapping[int, Ints]]
    callees: Mapping[int, Mapping[int, Ints]]


def call_graph(
    profile: Profile, classes: Classes, merge: Merge, symboliser: Symboliser
) -> CallGraph:
    """Return own samples from plain files, and calls from call-graph files."""
    own = symbol_table(profile, classes, merge, symboliser)
    rows: dict[Function, int] = {
        (own.apps[app], own.images[image], name, vma): row
        for row, (app, image, name, vma) in enumerate(
            zip(
                own.app_of.tolist(),
                own.image_of.tolist(),
                own.names,
                own.vmas.tolist(),
                strict=True,
            )
        )
    }
    columns = {column: i for i, column in enumerate(classes.columns)}
    callers: dict[int, dict[int, Ints]] = {}
    callees: dict[int, dict[int, Ints]] = {}
    low = np.uint64(0xFFFFFFFF)
    for file in profile.files:
        key, header = file.key, file.header
        if key.callee is None:
            continue
        sides = (
            (key.image, file.offsets >> np.uint64(32), header.is_kernel),
            (key.callee, file.offsets & low, header.callee_is_kernel),
        )
        places = []
        for image, offsets, is_kernel in sides:
            app = image if merge.lib else key.app
            # The header's mtime is the caller's.
            symbols = symboliser.symbols(image, header.mtime if image == key.image else None)
            places.append(_rows(rows, app, image, symbols, offsets, is_kernel))
        column = columns[class_of(key, merge)]
        for caller, callee, count in zip(places[0], places[1], file.counts.tolist(), strict=True):
            if caller >= 0 and callee >= 0:
                for side, row, other in ((callers, callee, caller), (callees, caller, callee)):
                    arc = side.setdefault(row, {}).setdefault(
                        other, np.zeros(len(columns), np.int64)
                    )
                    arc[column] += count
    return CallGraph(_extend(own, rows), callers, callees)


def _rows(
    rows: dict[Function, int],
    app: ImageName,
    image: ImageName,
    symbols: ImageSymbols | None,
    offsets: Words,
    is_kernel: bool,
) -> list[int]:
    """Return the row of each offset's function, -1 for none; new ones are added to `rows`."""
    if symbols is None:
        return [rows.setdefault((app, image, long_name(image), 0), len(rows))] * len(offsets)
    found = []
    for symbol in symbols.lookup(offsets, is_kernel).tolist():
        if symbol < 0:
            found.append(-1)
            continue
        function = (app, image, symbols.names[symbol], int(symbols.vmas[symbol]))
        found.append(rows.setdefault(function, len(rows)))
    return found


def _extend(own: SymbolTable, rows: Mapping[Function, int]) -> SymbolTable:
    """Return `own` with rows of no samples for the functions that it lacks."""
    more = list(rows)[len(own.names) :]
    apps = tuple(dict.fromkeys((*own.apps, *(function[0] for function in more))))
    images = tuple(dict.fromkeys((*own.images, *(function[1] for function in more))))
    return replace(
        own,
        apps=apps,
        images=images,
        app_of=np.append(own.app_of, [apps.index(f[0]) for f in more]).astype(np.int64),
        image_of=np.append(own.image_of, [images.index(f[1]) for f in more]).astype(np.int64),
        names=own.names + [function[2] for function in more],
        vmas=np.append(own.vmas, np.array([function[3] for function in more], np.uint64)),
        counts=np.vstack([own.counts, np.zeros((len(more), own.counts.shape[1]), np.int64)]),
    )
