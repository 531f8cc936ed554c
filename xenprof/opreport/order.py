"""Orders the symbols of a report."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from xenprof.opreport.labels import Labels
from xenprof.opreport.names import display_name
from xenprof.opreport.request import Layout
from xenprof.opreport.symbols import Ints, SymbolTable
from xenprof.profile.flat import ImageName

SORT_KEYS = ("sample", "image", "app-name", "symbol", "debug", "vma")


def order(table: SymbolTable, layout: Layout, labels: Labels) -> Ints:
    """Return the rows of `table` in the order that --sort and --reverse-sort ask for.

    The requested keys come first, the others follow in their fixed order. Samples (of the first
    class) sort descending, all else ascending; reversing inverts every key.
    """
    keys = dict.fromkeys((*layout.sort, *SORT_KEYS))
    columns = [_ranks(table, key, layout, labels) for key in keys]
    if layout.reverse:
        columns = [-column for column in columns]
    return np.lexsort(columns[::-1])


def _ranks(table: SymbolTable, key: str, layout: Layout, labels: Labels) -> Ints:
    """Return numbers that sort in the order of `key`."""
    if key == "sample":
        return -table.counts[:, 0]
    if key == "vma":
        return np.unique(table.vmas, return_inverse=True)[1]
    if key == "symbol":
        return _rank(labels.symbols)
    if key == "image":
        return _images(table.images, layout)[table.image_of]
    if key == "app-name":
        return _images(table.apps, layout)[table.app_of]
    if labels.locations is None:
        return np.zeros(len(table.names), np.int64)
    files = [place.file for place in labels.locations]
    if not layout.long_names:
        files = [file.rpartition("/")[2] for file in files]
    return _rank([(f, place.line) for f, place in zip(files, labels.locations, strict=True)])


def _images(images: Sequence[ImageName], layout: Layout) -> Ints:
    return _rank([display_name(image, long=layout.long_names) for image in images])


_Value = TypeVar("_Value", str, tuple[str, int])


def _rank(values: Sequence[_Value]) -> Ints:
    """Return the place of each value among the distinct ones."""
    place = {value: i for i, value in enumerate(sorted(set(values)))}
    return np.array([place[value] for value in values], np.int64)
