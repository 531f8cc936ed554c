"""The order of symbols in a report."""

import numpy as np

from xenprof.reports.names import display_name
from xenprof.reports.request import Layout
from xenprof.reports.symbols import Ints, SymbolTable

SORT_KEYS = ("sample", "image", "app-name", "symbol", "debug", "vma")


def order(table: SymbolTable, layout: Layout) -> Ints:
    """Return the rows of `table` in the order that --sort and --reverse-sort ask for.

    The keys asked for lead, the others follow in their fixed order. Samples (of the first
    class) sort descending, all else ascending; reversing inverts every key.
    """
    keys = dict.fromkeys((*layout.sort, *SORT_KEYS))
    columns = [_ranks(table, key, long=layout.long_names) for key in keys]
    if layout.reverse:
        columns = [-column for column in columns]
    return np.lexsort(columns[::-1])


def _ranks(table: SymbolTable, key: str, *, long: bool) -> Ints:
    """Return numbers that sort as `key` does."""
    if key == "sample":
        return -table.counts[:, 0]
    if key == "vma":
        return np.unique(table.vmas, return_inverse=True)[1]
    if key == "symbol":
        return _rank(table.names)
    if key == "image":
        return _rank([display_name(image, long=long) for image in table.images])[table.image_of]
    if key == "app-name":
        return _rank([display_name(app, long=long) for app in table.apps])[table.app_of]
    return np.zeros(len(table.names), np.int64)  # debug: no line numbers are known


def _rank(texts: list[str]) -> Ints:
    """Return the place of each text among the distinct ones."""
    place = {text: i for i, text in enumerate(sorted(set(texts)))}
    return np.array([place[text] for text in texts], np.int64)
