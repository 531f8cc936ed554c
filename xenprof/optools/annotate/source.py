"""Finds source files and annotates their lines."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from xenprof.optools.annotate.margin import counts_text, file_comment, margin, symbol_comment
from xenprof.optools.annotate.placed import PlacedSymbol, SourceFile


@dataclass(frozen=True, slots=True)
class SourceFinder:
    """Finds source files.

    Paths that start with one of `base_dirs` lose it and are looked for in `search_dirs`, as are
    relative ones. A file not found there is looked for below `root`, then at its own path.
    """

    search_dirs: Sequence[str] = ()
    base_dirs: Sequence[str] = ()
    root: str = ""

    def find(self, name: str) -> tuple[str, Path]:
        """Return the path that a file is shown with, and the path to read (it may be missing)."""
        relative = name
        if name.startswith("/"):
            for base in map(os.path.realpath, self.base_dirs):
                if name.startswith(base):
                    relative = name[len(base) :]
                    break
        for folder in self.search_dirs:
            there = os.path.realpath(f"{folder}/{relative}")
            if os.access(there, os.R_OK) and Path(there).is_file():
                return there, Path(there)
        inside = Path(f"{self.root}/{name.lstrip('/')}")
        if self.root and name.startswith("/") and inside.is_file():
            return os.path.normpath(name), inside
        own = os.path.realpath(name) if Path(name).exists() else name
        return own, Path(own)


@dataclass(frozen=True, slots=True)
class PathFilter:
    """A filter of source files, by shell patterns for their name or a folder's."""

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def accepts(self, path: str) -> bool:
        """Return whether `path` is wanted; exclusion overrides inclusion."""
        *folders, base = [part for part in path.split("/") if part] or [""]
        if _any(self.exclude, folders) or _any(self.exclude, [base]):
            return False
        if not self.include:
            return True
        return _any(self.include, [base]) or _any(self.include, folders)


def _any(patterns: Sequence[str], names: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def read_lines(path: Path) -> list[str] | None:
    """Return the lines of a source file, None if it cannot be read."""
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            return [line.removesuffix("\n") for line in file]
    except OSError:
        return None


def annotated(
    file: SourceFile, text: Iterable[str] | None, totals: Sequence[int], *, comment_first: bool
) -> Iterator[str]:
    """Yield the lines of `text` with samples, with a comment on the whole file above or below.

    Without the text the functions of the file are listed.
    """
    comment = [*file_comment(file.name, file.counts, totals), _line_zero(file, totals)]
    if comment_first:
        yield from comment
    if text is None:
        for place in sorted(file.symbols):
            for symbol in file.symbols[place]:
                yield symbol_comment(symbol.name, symbol.counts, totals)
    for number, line in enumerate(text or (), start=1):
        before = margin(file.lines.get(number), totals)
        yield f"{before}{line}{_symbols(file.symbols.get(number, []), totals)}"
    if not comment_first:
        yield from comment


def _line_zero(file: SourceFile, totals: Sequence[int]) -> str:
    counts = file.lines.get(0)
    return "" if counts is None else f"<credited to line zero> {margin(counts, totals)}"


def _symbols(symbols: Sequence[PlacedSymbol], totals: Sequence[int]) -> str:
    """Return the comment on the functions that start on a line, empty if none does."""
    if not symbols:
        return ""
    if len(symbols) == 1:
        return symbol_comment(symbols[0].name, symbols[0].counts, totals)
    sums = [sum(column) for column in zip(*(s.counts for s in symbols), strict=True)]
    each = "".join(f"{s.name} {counts_text(s.counts, totals)}, " for s in symbols)
    return f" /* {each}total: {counts_text(sums, totals)} */"
