"""Counts the samples of each symbol of a Profile, as columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from xenprof.images import ImageSymbols
from xenprof.opreport.classes import Classes, Merge, class_of
from xenprof.opreport.errors import ReportError
from xenprof.opreport.names import long_name
from xenprof.opreport.select import path_of
from xenprof.profile.flat import ImageName, Profile, SampleFile, SampleHeader

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


class SymbolSource(Protocol):
    """A source of the symbols of images."""

    def symbols(self, image: ImageName, mtime: int | None) -> ImageSymbols | None:
        """Return the symbols of an image that has this mtime in its sample files; None if none."""
        ...


@dataclass(frozen=True, slots=True)
class Details:
    """Samples by address: those of row r are at first[r]:last[r], addresses ascending."""

    first: Ints
    last: Ints
    addresses: Words
    counts: Ints


@dataclass(frozen=True, slots=True)
class SymbolTable:
    """One row for each symbol that has samples, in no particular order.

    `image_of` and `app_of` index `images` and `apps`; `counts` has a row for each symbol
    and a column for each class. `apps` are the applications of the whole selection. `names` are
    as images have them; `ranges` are file offsets [first, last) of each symbol.
    """

    images: tuple[ImageName, ...]
    apps: tuple[ImageName, ...]
    image_of: Ints
    app_of: Ints
    names: list[str]
    vmas: Words
    counts: Ints
    details: Details | None = None
    ranges: Words | None = None

    @property
    def totals(self) -> list[int]:
        """Return the samples of all symbols for each class: 100 % in a report."""
        return [int(total) for total in self.counts.sum(axis=0)]

    def take(self, rows: Ints) -> "SymbolTable":
        """Return the table with only `rows`, in this order."""
        details, ranges = self.details, self.ranges
        if details is not None:
            details = replace(details, first=details.first[rows], last=details.last[rows])
        if ranges is not None:
            ranges = ranges[rows]
        return replace(
            self,
            image_of=self.image_of[rows],
            app_of=self.app_of[rows],
            names=[self.names[row] for row in rows.tolist()],
            vmas=self.vmas[rows],
            counts=self.counts[rows],
            details=details,
            ranges=ranges,
        )


@dataclass(slots=True)
class _Rows:
    """The columns of a table while it grows, image by image."""

    counts: list[Ints]
    image_of: list[Ints] = field(default_factory=lambda: [np.empty(0, np.int64)])
    app_of: list[Ints] = field(default_factory=lambda: [np.empty(0, np.int64)])
    names: list[str] = field(default_factory=list)
    vmas: list[Words] = field(default_factory=lambda: [np.empty(0, np.uint64)])
    ranges: list[Words] = field(default_factory=lambda: [np.empty((0, 2), np.uint64)])
    first: list[Ints] = field(default_factory=lambda: [np.empty(0, np.int64)])
    last: list[Ints] = field(default_factory=lambda: [np.empty(0, np.int64)])
    addresses: list[Words] = field(default_factory=lambda: [np.empty(0, np.uint64)])
    address_counts: list[Ints] = field(default_factory=list)
    address_total: int = 0


def symbol_table(
    profile: Profile,
    classes: Classes,
    merge: Merge,
    symboliser: SymbolSource,
    *,
    details: bool = False,
    accept: Callable[[str], bool] | None = None,
) -> SymbolTable:
    """Return the samples of `profile` by symbol, without those in no symbol.

    An image that is missing or has no symbols counts as one symbol named like the image.
    `accept` says which symbol names are wanted.

    Raises:
        ReportError: files of one image and class come from different versions of it.
    """
    columns = {column: i for i, column in enumerate(classes.columns)}
    width = len(columns)
    groups: dict[ImageName, dict[ImageName, list[tuple[int, SampleFile]]]] = {}
    for file in profile.files:
        if file.key.callee is None:
            app = file.key.image if merge.lib else file.key.app
            column = columns[class_of(file.key, merge)]
            groups.setdefault(file.key.image, {}).setdefault(app, []).append((column, file))
    apps = tuple(sorted({app for found in groups.values() for app in found}))
    images = tuple(sorted(groups))
    app_index = {app: i for i, app in enumerate(apps)}
    image_index = {image: i for i, image in enumerate(images)}
    rows = _Rows(
        counts=[np.empty((0, width), np.int64)], address_counts=[np.empty((0, width), np.int64)]
    )
    for image, by_app in sorted(groups.items(), key=_by_name):
        mtime = list(by_app.values())[-1][-1][1].header.mtime
        symbols = symboliser.symbols(image, mtime)
        for app, files in by_app.items():
            if not merge.lib:
                _check_headers(files)
            spots = [_spots(file, symbols) for _, file in files]
            counts = _count(files, spots, symbols, width)
            used = np.flatnonzero(counts.any(axis=1))
            names = _names(image, symbols)
            if accept is not None:
                wanted = [accept(names[row]) for row in used.tolist()]
                used = used[np.array(wanted, dtype=bool)]
            rows.app_of.append(np.full(len(used), app_index[app]))
            rows.image_of.append(np.full(len(used), image_index[image]))
            rows.counts.append(counts[used])
            _add_symbols(rows, names, symbols, used)
            if details:
                _add_details(rows, files, spots, symbols, used)
    return SymbolTable(
        images,
        apps,
        np.concatenate(rows.image_of),
        np.concatenate(rows.app_of),
        rows.names,
        np.concatenate(rows.vmas),
        np.concatenate(rows.counts),
        Details(
            np.concatenate(rows.first),
            np.concatenate(rows.last),
            np.concatenate(rows.addresses),
            np.concatenate(rows.address_counts),
        )
        if details
        else None,
        np.concatenate(rows.ranges),
    )


def _add_symbols(
    rows: _Rows, names: Sequence[str], symbols: ImageSymbols | None, used: Ints
) -> None:
    """Add the names and places of the symbols `used` of one image."""
    rows.names += [names[row] for row in used.tolist()]
    if symbols is None or not len(symbols.names):
        rows.vmas.append(np.zeros(len(used), np.uint64))
        rows.ranges.append(np.zeros((len(used), 2), np.uint64))
        return
    rows.vmas.append(symbols.vmas[used])
    rows.ranges.append(np.stack([symbols.starts[used], symbols.ends[used]], axis=1))


def _by_name(item: tuple[ImageName, object]) -> str:
    return long_name(item[0])


def _names(image: ImageName, symbols: ImageSymbols | None) -> Sequence[str]:
    """Return the names of an image's symbols; the image's name where it has none."""
    return symbols.names if symbols is not None and len(symbols.names) else [long_name(image)]


def _check_headers(files: list[tuple[int, SampleFile]]) -> None:
    """Refuse to add up files of one image and column that disagree about the image.

    Raises: ReportError.
    """
    seen: dict[int, SampleHeader] = {}
    for column, file in files:
        first = seen.setdefault(column, file.header)
        if file.header.mtime != first.mtime:
            raise ReportError(
                "header timestamps are different "
                f"({file.header.mtime}, {first.mtime}) for {path_of(file)}\n"
            )
        if file.header.is_kernel != first.is_kernel:
            raise ReportError(f"header is_kernel flags are different for {path_of(file)}\n")


def _spots(file: SampleFile, symbols: ImageSymbols | None) -> Ints:
    """Return the symbol of each offset, -1 for none.

    The one pseudo-symbol of an image without symbols is as long as its file, and none of a
    kernel-side image's offsets are in it. Source: oprofile libpp/profile.cpp, samples_range().
    """
    header = file.header
    if symbols is None:
        return np.zeros(len(file.offsets), np.int64)
    if not len(symbols.names):
        spots = np.zeros(len(file.offsets), np.int64)
        spots[file.offsets >= symbols.file_size] = -1
        if header.is_kernel and symbols.text_offset:
            spots[:] = -1
        return spots
    if header.anon_start:
        return symbols.lookup(file.offsets + np.uint64(header.anon_start), is_kernel=False)
    return symbols.lookup(file.offsets, header.is_kernel)


def _count(
    files: list[tuple[int, SampleFile]],
    spots: list[Ints],
    symbols: ImageSymbols | None,
    width: int,
) -> Ints:
    """Return samples by symbol and class. Shape: (symbols, width)."""
    height = 1 if symbols is None else max(len(symbols.names), 1)
    counts = np.zeros((height, width), np.int64)
    for (column, file), spot in zip(files, spots, strict=True):
        if len(spot) * 8 < height:  # a small file: touch only its own rows
            inside = spot >= 0
            np.add.at(counts[:, column], spot[inside], file.counts[inside].astype(np.int64))
            continue
        # Row -1 is counted in a slot in front of the others, and dropped. Doubles are exact
        # up to 2^53 samples.
        sums = np.bincount(spot + 1, weights=file.counts, minlength=height + 1)
        counts[:, column] += sums[1:].astype(np.int64)
    return counts


def _add_details(
    rows: _Rows,
    files: list[tuple[int, SampleFile]],
    spots: list[Ints],
    symbols: ImageSymbols | None,
    used: Ints,
) -> None:
    """Add the distinct addresses in the symbols `used` of one image."""
    width = rows.counts[0].shape[1]
    symbol = np.concatenate(spots)
    offset = np.concatenate([_image_offsets(file, symbols) for _, file in files])
    weight = np.concatenate([file.counts for _, file in files]).astype(np.int64)
    order = np.argsort(offset, kind="stable")
    order = order[symbol[order] >= 0]
    symbol, offset, weight = symbol[order], offset[order], weight[order]
    is_first = np.ones(len(offset), bool)
    is_first[1:] = offset[1:] != offset[:-1]
    starts = np.flatnonzero(is_first)
    counts = np.zeros((len(starts), width), np.int64)
    if width == 1:
        if len(starts):
            counts[:, 0] = np.add.reduceat(weight, starts)
    else:
        lengths = [len(file.offsets) for _, file in files]
        column = np.repeat([column for column, _ in files], lengths)[order]
        np.add.at(counts, (np.cumsum(is_first) - 1, column), weight)
    offsets, symbol_of = offset[starts], symbol[starts]
    # Symbols are sorted by offset, so the addresses of one are neighbours.
    rows.first.append(np.searchsorted(symbol_of, used, "left") + rows.address_total)
    rows.last.append(np.searchsorted(symbol_of, used, "right") + rows.address_total)
    if symbols is not None and len(symbols.names):
        offsets = symbols.vmas[symbol_of] + (offsets - symbols.starts[symbol_of])
    rows.addresses.append(offsets)
    rows.address_counts.append(counts)
    rows.address_total += len(offsets)


def _image_offsets(file: SampleFile, symbols: ImageSymbols | None) -> Words:
    """Return file offsets: the offsets of kernel files count from the start of .text."""
    if symbols is None or not len(symbols.names):
        return file.offsets
    if file.header.anon_start:
        return file.offsets + np.uint64(file.header.anon_start)
    if not file.header.is_kernel:
        return file.offsets
    return file.offsets + np.uint64(symbols.text_offset)
