"""Aligns the cells of a table that a program prints."""

from collections.abc import Iterator, Sequence


def aligned(rows: Sequence[Sequence[str]], is_right: Sequence[bool]) -> Iterator[str]:
    """Yield the rows as lines. `is_right` says for each column whether it ends at its right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, is_right, strict=True)
        yield "  ".join(
            cell.rjust(width) if right else cell.ljust(width) for cell, width, right in cells
        ).rstrip()
