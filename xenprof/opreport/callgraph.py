"""Turns a Profile into functions and the calls between them, by opreport's rules (and gaps)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from xenprof.images import ImageSymbols
from xenprof.opreport.classes import Classes, Merge, class_of
from xenprof.opreport.names import long_name
from xenprof.opreport.symboliser import Symboliser
from xenprof.opreport.symbols import Ints, SymbolTable, Words, symbol_table
from xenprof.profile.flat import ImageName, Profile, SampleFile

Function = tuple[ImageName, ImageName, str, int]
"""Application, image, name and address of a function."""


@dataclass(frozen=True, slots=True)
class CallGraph:
    """`table` has a row for each function, also for those that were only called through.

    `callers[row]` and `callees[row]` hold samples by class of the calls to and from other rows.
    `ranks` orders functions as opreport first met their images, applications and names, which
    decides between equal counts.
    """

    table: SymbolTable
    callers: Mapping[int, Mapping[int, Ints]]
    callees: Mapping[int, Mapping[int, Ints]]
    ranks: Mapping[int, tuple[int, int, int, int]]


@dataclass(slots=True)
class _Functions:
    """The functions met so far, and numbers for their images, applications and names."""

    rows: dict[Function, int]
    images: dict[str, int]
    names: dict[str, int]

    def row(self, function: Function) -> int:
        """Return the row of a function, which is added if it is new."""
        app, image, name, _ = function
        self.images.setdefault(long_name(image), len(self.images))
        self.images.setdefault(long_name(app), len(self.images))
        self.names.setdefault(name, len(self.names))
        return self.rows.setdefault(function, len(self.rows))

    def ranks(self) -> dict[int, tuple[int, int, int, int]]:
        """Return the sort key of each row."""
        return {
            row: (self.images[long_name(image)], self.images[long_name(app)], self.names[name], vma)
            for (app, image, name, vma), row in self.rows.items()
        }


def call_graph(
    profile: Profile,
    classes: Classes,
    merge: Merge,
    symboliser: Symboliser,
    warn: Callable[[str], None],
    accept: Callable[[str], bool] | None = None,
) -> CallGraph:
    """Return own samples from plain files, and calls from call-graph files.

    `accept` tells whose own samples count.
    """
    own = symbol_table(profile, classes, merge, symboliser, accept=accept)
    functions = _Functions({}, {}, {})
    for app, image, name, vma in zip(
        own.app_of.tolist(), own.image_of.tolist(), own.names, own.vmas.tolist(), strict=True
    ):
        functions.row((own.apps[app], own.images[image], name, vma))
    columns = {column: i for i, column in enumerate(classes.columns)}
    callers: dict[int, dict[int, Ints]] = {}
    callees: dict[int, dict[int, Ints]] = {}
    for file in profile.files:
        if file.key.callee is None:
            continue
        column = columns[class_of(file.key, merge)]
        for caller, callee, count in _arcs(file, merge, symboliser, functions, warn):
            for side, row, other in ((callers, callee, caller), (callees, caller, callee)):
                arc = side.setdefault(row, {}).setdefault(other, np.zeros(len(columns), np.int64))
                arc[column] += count
    return CallGraph(_extend(own, functions.rows), callers, callees, functions.ranks())


def _arcs(
    file: SampleFile,
    merge: Merge,
    symboliser: Symboliser,
    functions: _Functions,
    warn: Callable[[str], None],
) -> list[tuple[int, int, int]]:
    """Return the rows of caller and callee, and the samples, of a call-graph file's entries.

    opreport finds no arcs of a caller that starts where the offsets count from: a kernel's
    first function, or the pseudo-symbol of an image without symbols.
    """
    key, header = file.key, file.header
    assert key.callee is not None
    images = (key.image, key.callee)
    symbols = [symboliser.symbols(image, None) for image in images]
    if header.is_kernel and symbols[0] is None:
        return []
    app = key.image if merge.lib else key.app
    low = np.uint64(0xFFFFFFFF)
    order = np.lexsort((file.offsets & low, file.offsets >> np.uint64(32)))
    offsets, counts = file.offsets[order], file.counts[order]
    callers = _caller_spots(symbols[0], offsets >> np.uint64(32), header.is_kernel)
    callees = _callee_spots(
        symbols[1], offsets & low, header.callee_is_kernel, long_name(key.callee), warn, callers
    )
    found = []
    for caller, callee, count in zip(callers, callees, counts.tolist(), strict=True):
        if caller >= 0 and callee >= 0:
            pair = [
                functions.row(_function(app, image, table, spot))
                for image, table, spot in zip(images, symbols, (caller, callee), strict=True)
            ]
            found.append((pair[0], pair[1], count))
    return found


def _function(
    app: ImageName, image: ImageName, symbols: ImageSymbols | None, spot: int
) -> Function:
    if symbols is None or not len(symbols.names):
        return app, image, long_name(image), 0
    return app, image, symbols.names[spot], int(symbols.vmas[spot])


def _caller_spots(symbols: ImageSymbols | None, offsets: Words, is_kernel: bool) -> list[int]:
    if symbols is None or not len(symbols.names):
        return [-1] * len(offsets)
    shift = symbols.text_offset if is_kernel else 0
    spots = symbols.lookup(offsets, is_kernel)
    spots[(spots >= 0) & (symbols.starts[spots] <= shift)] = -1
    return list(map(int, spots))


def _callee_spots(
    symbols: ImageSymbols | None,
    offsets: Words,
    is_kernel: bool,
    name: str,
    warn: Callable[[str], None],
    callers: list[int],
) -> list[int]:
    """Return the symbol at or before each offset; warn of offsets behind its end and drop them."""
    if symbols is None or not len(symbols.names):
        return [0] * len(offsets)
    places = offsets + np.uint64(symbols.text_offset if is_kernel else 0)
    spots = np.maximum(np.searchsorted(symbols.starts, places, side="right").astype(int) - 1, 0)
    found = list(map(int, spots))
    for i in np.flatnonzero(places >= symbols.ends[spots]).tolist():
        if callers[i] >= 0:
            end = int(symbols.ends[spots[i]])
            warn(
                f"warning: dropping hyperspace sample at offset {int(places[i]):x} >= {end:x} "
                f"for binary {name}"
            )
        found[i] = -1
    return found


def _extend(own: SymbolTable, rows: Mapping[Function, int]) -> SymbolTable:
    """Return `own` with rows without samples for the functions that it lacks."""
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
        ranges=None,
    )
