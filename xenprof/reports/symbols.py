"""Profile -> samples of each symbol, as columns."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from xenprof.images import ImageSymbols
from xenprof.profile import ImageName, Profile, SampleFile
from xenprof.reports.classes import Classes, Merge, class_of
from xenprof.reports.errors import ReportError
from xenprof.reports.names import long_name

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


class SymbolSource(Protocol):
    """Whatever knows the symbols of images."""

    def symbols(self, image: ImageName, mtime: int | None) -> ImageSymbols | None:
        """Return the symbols of an image whose sample files give it this mtime, None if none."""
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
    and a column for each class. `apps` are the applications of the whole selection.
    """

    images: tuple[ImageName, ...]
    apps: tuple[ImageName, ...]
    image_of: Ints
    app_of: Ints
    names: list[str]
    vmas: Words
    counts: Ints
    details: Details | None = None

    @property
    def totals(self) -> list[int]:
        """Return the samples of all symbols for each class: the 100 % of a report."""
        return [int(total) for total in self.counts.sum(axis=0)]

    def take(self, rows: Ints) -> "SymbolTable":
        """Return the table with only `rows`, in this order."""
        details = self.details
        if details is not None:
            details = replace(details, first=details.first[rows], last=details.last[rows])
        return replace(
            self,
            image_of=self.image_of[rows],
            app_of=self.app_of[rows],
            names=[self.names[row] for row in rows.tolist()],
            vmas=self.vmas[rows],
            counts=self.counts[rows],
            details=details,
        )


@dataclass(slots=True)
class _Rows:
    """The columns of a table while it grows, image by image."""

    counts: list[Ints]
    image_of: list[Ints] = field(default_factory=lambda: [np.empty(0, np.int64)])
    app_of: list[Ints] = field(default_factory=lambda: [np.empty(0, np.int64)])
    names: list[str] = field(default_factory=list)
    vmas: list[Words] = field(default_factory=lambda: [np.empty(0, np.uint64)])
    first: list[Ints] = field(default_factory=list)
    last: list[Ints] = field(default_factory=list)
    addresses: list[Words] = field(default_factory=list)
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
    """Return the samples of `profile` by symbol, those in no symbol left out.

    An image that is missing or has no symbols counts as one symbol named like the image.
    `accept` says which symbol names are wanted.

    Raises:
        ReportError: files of one image and class come from different versions of it.
    """
    columns = {column: i for i, column in enumerate(classes.columns)}
    groups: dict[tuple[ImageName, ImageName], list[tuple[int, SampleFile]]] = {}
    for file in profile.files:
        if file.key.callee is None:
            app = file.key.image if merge.lib else file.key.app
            column = columns[class_of(file.key, merge)]
            groups.setdefault((app, file.key.image), []).append((column, file))
    apps = tuple(sorted({app for app, _ in groups}))
    images = tuple(sorted({image for _, image in groups}))
    app_index = {app: i for i, app in enumerate(apps)}
    image_index = {image: i for i, image in enumerate(images)}
    rows = _Rows(counts=[np.empty((0, len(columns)), np.int64)])
    for (app, image), files in sorted(groups.items()):
        _check_headers(image, files)
        symbols = symboliser.symbols(image, files[0][1].header.mtime)
        counts = _count(files, symbols, len(columns))
        used = np.flatnonzero(counts.any(axis=1))
        all_names = [long_name(image)] if symbols is None else symbols.names
        if accept is not None:
            wanted = [accept(all_names[row]) for row in used.tolist()]
            used = used[np.array(wanted, dtype=bool)]
        rows.names += [all_names[row] for row in used.tolist()]
        rows.app_of.append(np.full(len(used), app_index[app]))
        rows.image_of.append(np.full(len(used), image_index[image]))
        rows.vmas.append(np.zeros(len(used), np.uint64) if symbols is None else symbols.vmas[used])
        rows.counts.append(counts[used])
        if details:
            _add_details(rows, files, symbols, used, len(columns))
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
    )


def _check_headers(image: ImageName, files: list[tuple[int, SampleFile]]) -> None:
    """Refuse to add up files of one image and column that disagree about the image."""
    seen: dict[int, tuple[int, bool]] = {}
    for column, file in files:
        mine = (file.header.mtime, file.header.is_kernel)
        if seen.setdefault(column, mine) != mine:
            what = "timestamps" if seen[column][0] != mine[0] else "is_kernel flags"
            raise ReportError(f"error: header {what} are different ({long_name(image)})")


def _rows_of(file: SampleFile, symbols: ImageSymbols | None) -> Ints:
    """Return the symbol of each offset, -1 for none."""
    if symbols is None:
        return np.zeros(len(file.offsets), np.int64)
    return symbols.lookup(file.offsets, file.header.is_kernel)


def _count(files: list[tuple[int, SampleFile]], symbols: ImageSymbols | None, width: int) -> Ints:
    """Return samples by symbol and class. Shape: (symbols, width)."""
    height = 1 if symbols is None else len(symbols.names)
    counts = np.zeros((height, width), np.int64)
    for column, file in files:
        row = _rows_of(file, symbols)
        # Row -1 is counted in a slot in front of the others, and dropped. Doubles are exact
        # up to 2^53 samples.
        sums = np.bincount(row + 1, weights=file.counts, minlength=height + 1)
        counts[:, column] += sums[1:].astype(np.int64)
    return counts


def _add_details(
    rows: _Rows,
    files: list[tuple[int, SampleFile]],
    symbols: ImageSymbols | None,
    used: Ints,
    width: int,
) -> None:
    """Add the distinct addresses of one image's symbols `used`."""
    symbol = np.concatenate([_rows_of(file, symbols) for _, file in files])
    offset = np.concatenate([_image_offsets(file, symbols) for _, file in files])
    column = np.repeat([column for column, _ in files], [len(f.offsets) for _, f in files])
    weight = np.concatenate([file.counts for _, file in files])
    inside = (symbol >= 0) & (weight > 0)
    symbol, offset, column, weight = (a[inside] for a in (symbol, offset, column, weight))
    offsets, place = np.unique(offset, return_inverse=True)
    counts = np.zeros((len(offsets), width), np.int64)
    np.add.at(counts, (place, column), weight.astype(np.int64))
    symbol_of = np.zeros(len(offsets), np.int64)
    symbol_of[place] = symbol
    # Symbols are sorted by offset, so the addresses of one are neighbours.
    rows.first.append(np.searchsorted(symbol_of, used, "left") + rows.address_total)
    rows.last.append(np.searchsorted(symbol_of, used, "right") + rows.address_total)
    if symbols is not None:
        offsets = symbols.vmas[symbol_of] + (offsets - symbols.starts[symbol_of])
    rows.addresses.append(offsets)
    rows.address_counts.append(counts)
    rows.address_total += len(offsets)


def _image_offsets(file: SampleFile, symbols: ImageSymbols | None) -> Words:
    """Return file offsets: the offsets of kernel files count from the start of .text."""
    if symbols is None or not file.header.is_kernel:
        return file.offsets
    return file.offsets + np.uint64(symbols.text_offset)
