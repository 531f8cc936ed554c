"""xenstore-ls, xenstore-list and xenstore-read: the store of the running host, read only."""

import getopt
import os
import sys
from collections.abc import Callable, Iterator, Sequence

from xenprof.cli.stdout import ends_well
from xenprof.client import Client, ServiceError
from xenprof.errors import XenprofError
from xenprof.home import home
from xenprof.wire.answers import Store
from xenprof.wire.paths import XENSTORE

WIDTH = 80  # xenstore-ls's width when it does not write to a terminal
_MARGIN = 2  # columns that it leaves free in a terminal
_CUT = ' = "..."'

Entries = Sequence[tuple[str, str]]


class _Failure(XenprofError):
    """The text after `PROGRAM: `."""


@ends_well("xenstore-ls")
def ls_main(argv: Sequence[str]) -> int:
    """Run `xenstore-ls [-f] [PATH...]`."""
    return _main("xenstore-ls", "[-h] [-f] [path]", "f", argv, _ls)


@ends_well("xenstore-list")
def list_main(argv: Sequence[str]) -> int:
    """Run `xenstore-list [-p] PATH...`."""
    return _main("xenstore-list", "[-h] [-p] key [...]", "p", argv, _list)


@ends_well("xenstore-read")
def read_main(argv: Sequence[str]) -> int:
    """Run `xenstore-read [-p] PATH...`."""
    return _main("xenstore-read", "[-h] [-p] key [...]", "p", argv, _read)


Run = Callable[[Entries, list[str], bool], None]


def _main(program: str, usage: str, flag: str, argv: Sequence[str], run: Run) -> int:
    """Run one of the programs, whose only option is `-FLAG`; return its exit code, 0 or 1."""
    try:
        try:
            options, paths = getopt.gnu_getopt(list(argv), f"h{flag}s", ["help"])
        except getopt.GetoptError as error:
            raise _Failure(f"{error.msg}\nUsage: {program} {usage}") from None
        flags = {name for name, _ in options}
        if flags & {"-h", "--help"} or not (paths or program == "xenstore-ls"):
            raise _Failure(f"Usage: {program} {usage}")
        entries = Client(home()).get(XENSTORE, Store).entries
        run(entries, paths or ["/"], f"-{flag}" in flags)
    except (_Failure, ServiceError) as error:
        sys.stdout.flush()
        print(f"{program}: {error}", file=sys.stderr)
        return 1
    return 0


def _ls(entries: Entries, paths: list[str], is_flat: bool) -> None:
    for path in paths:
        if not _exists(entries, path):
            raise _Failure(f"xs_directory ({path}): No such file or directory")
        lines = flat_lines(entries, path) if is_flat else tree_lines(entries, path, _width())
        for line in lines:
            print(line)


def _list(entries: Entries, paths: list[str], with_path: bool) -> None:
    for path in paths:
        if not _exists(entries, path):
            raise _Failure(f"could not list path {path}")
        for name, _ in _below(entries, path):
            if "/" not in name:
                print(f"{path}/{name}" if with_path else name)


def _read(entries: Entries, paths: list[str], with_path: bool) -> None:
    values = {path: value for path, value in entries}
    for path in paths:
        value = values.get(_absolute(path))
        if value is None:
            raise _Failure(f"couldn't read path {path}")
        print(f"{path}: {escaped(value)}" if with_path else escaped(value))


def tree_lines(entries: Entries, path: str, width: int) -> Iterator[str]:
    """Yield the nodes below `path`, each level one blank deeper, cut to `width` columns.

    Source: tools/xenstore/xsls.c; values are escaped as its successors do.
    """
    for name, value in _below(entries, path):
        depth = name.count("/")
        room = width - len(_CUT) - depth
        shown = " " * depth + name.rpartition("/")[2][: max(room, 0)]
        text = escaped(value)
        room = width - len(_CUT) - len(shown)
        yield (
            f'{shown} = "{text}"' if len(text) <= room else f'{shown} = "{text[: max(room, 0)]}..."'
        )


def flat_lines(entries: Entries, path: str) -> Iterator[str]:
    """Yield the nodes below `path` with full paths, not cut."""
    start = path if path.endswith("/") else f"{path}/"
    for name, value in _below(entries, path):
        yield f'{start}{name} = "{escaped(value)}"'


def escaped(value: str) -> str:
    """Return a value with backslash sequences, in octal, for what a terminal cannot show."""
    return "".join(map(_escaped, value))


def _escaped(character: str) -> str:
    if " " <= character <= "~" and character != "\\":
        return character
    short = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\"}.get(character)
    return short or "".join(f"\\{byte:o}" for byte in character.encode("utf-8", "replace"))


def _below(entries: Entries, path: str) -> Iterator[tuple[str, str]]:
    """Yield name and value of the nodes below `path`, in the store's order."""
    start = _absolute(path).rstrip("/") + "/"
    for name, value in entries:
        if name.startswith(start) and len(name) > len(start):
            yield name[len(start) :], value


def _exists(entries: Entries, path: str) -> bool:
    wanted = _absolute(path)
    return wanted == "/" or any(name == wanted for name, _ in entries)


def _absolute(path: str) -> str:
    """Return the path of a node; a path without a leading slash starts at the root too."""
    return "/" + path.strip("/")


def _width() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns - _MARGIN
    except (OSError, ValueError):
        return WIDTH
