"""Reads the files of symbols that options name: one table, or kernels by domain."""

from collections.abc import Iterable

from xenprof.errors import UsageError
from xenprof.imports.xenoprof.inputs import numbered, read_file
from xenprof.imports.xenoprof.symbols import SymbolTable, parse


def symbols_in(path: str) -> SymbolTable:
    """Return the symbols in a file. Raises: InputError."""
    return parse(read_file(path), path)


def kernels_in(arguments: Iterable[str]) -> dict[int | None, SymbolTable]:
    """Return the symbols of each `[N=]FILE` by domain id; None stands for all other domains.

    Raises: InputError; UsageError: a kernel was given twice.
    """
    tables: dict[int | None, SymbolTable] = {}
    for domid, path in map(numbered, arguments):
        if domid in tables:
            raise UsageError(f"--kallsyms {path}: that kernel's symbols were given already")
        tables[domid] = symbols_in(path)
    return tables
