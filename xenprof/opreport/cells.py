"""Writes cells of tables as text, a million at a time: numbers to text without a loop.

Each function returns an array of ASCII codes, one row per number, and leaves cells that it cannot
write in the given width to its caller's slower way (see each).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from xenprof.opreport.percent import WIDTH, percent_text

Letters = npt.NDArray[np.uint8]

_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_SPACE, _ZERO, _POINT = (ord(letter) for letter in " 0.")
_DECIMALS = 4
_SAFE = 1e-3
"""A double this near to half of a last digit may round differently from its exact value."""


def hexadecimal(values: npt.NDArray[np.uint64], digits: int) -> Letters:
    """Return numbers with a given count of hexadecimal digits."""
    cells = np.empty((len(values), digits), np.uint8)
    for place in range(digits):
        shift = np.uint64(4 * (digits - 1 - place))
        cells[:, place] = _HEX[((values >> shift) & np.uint64(15)).astype(np.intp)]
    return cells


def integers(values: npt.NDArray[np.int64], width: int) -> Letters | None:
    """Return numbers, aligned left, in `width` columns; None if one does not fit."""
    most = int(values.max(initial=0))
    digits = len(str(most))
    if digits > width or int(values.min(initial=0)) < 0:
        return None
    cells = np.full((len(values), width), _SPACE, np.uint8)
    lengths = np.ones(len(values), np.int64)
    for place in range(1, digits):
        lengths += values >= 10**place
    rest = values
    for back in range(digits):
        last, rest = rest % 10, rest // 10
        at = lengths - 1 - back
        rows = np.flatnonzero(at >= 0)
        cells[rows, at[rows]] = (last[rows] + _ZERO).astype(np.uint8)
    return cells


def percents(values: npt.NDArray[np.float64]) -> Letters:
    """Return percentages as `percent_text` writes them, in seven columns."""
    scaled = values * 10.0**_DECIMALS
    rounded = np.rint(scaled)
    usual = (values > 0.0011) & (values < 99.9)
    usual &= np.abs(np.abs(scaled - rounded) - 0.5) > _SAFE
    rest = np.where(usual, rounded, 0).astype(np.int64)
    cells = np.empty((len(values), WIDTH), np.uint8)
    for place in (6, 5, 4, 3, 1, 0):
        last, rest = rest % 10, rest // 10
        cells[:, place] = last + _ZERO
    cells[:, 2] = _POINT
    cells[cells[:, 0] == _ZERO, 0] = _SPACE
    for row in np.flatnonzero(~usual).tolist():
        text = percent_text(float(values[row])).encode()
        if len(text) == WIDTH:
            cells[row] = np.frombuffer(text, np.uint8)
    return cells


def join(columns: Sequence[Letters], widths: Sequence[int], indent: int) -> Letters:
    """Return rows of cells padded to widths; the last cell is not padded and ends the line."""
    total = indent + sum(widths[:-1]) + columns[-1].shape[1] + 1
    lines = np.full((len(columns[0]), total), _SPACE, np.uint8)
    at = indent
    for column, width in zip(columns, widths, strict=True):
        lines[:, at : at + column.shape[1]] = column
        at += width
    lines[:, -1] = ord("\n")
    return lines
