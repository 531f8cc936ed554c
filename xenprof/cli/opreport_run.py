"""What opreport does with its options: checks them, reads the sessions, writes the report."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from hypervisor.errors import UnknownDomain
from xenprof.errors import UsageError
from xenprof.home import domain_root, home, resolve_domain
from xenprof.reports import FORMATS, load
from xenprof.reports.classes import Merge, classify, parse_merge
from xenprof.reports.errors import ReportError
from xenprof.reports.notes import overflow_warning, unseen
from xenprof.reports.order import SORT_KEYS
from xenprof.reports.request import Layout, Request
from xenprof.reports.select import Place, select, session_paths
from xenprof.reports.specification import Specification, parse, split_differential

DEMANGLE = ("none", "normal", "smart")
DEFAULT_DOMAIN = "Domain-0"
SESSION_DIR = Path("var", "lib", "oprofile")


@dataclass(slots=True)
class Arguments:
    """A parsed command line; `flags` are the long names of all options on it."""

    typed: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    flags: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)

    def listed(self, name: str) -> tuple[str, ...]:
        """Return the items of all comma lists given with an option."""
        lists = self.lists.get(name, [])
        return tuple(item for text in lists for item in text.split(",") if item)


def report(typed: Sequence[str], found: Sequence[tuple[str, str]], words: Sequence[str]) -> None:
    """Write the report that the options `found` and the specification `words` ask for.

    `typed` is the command line that they come from.

    Raises:
        UsageError: options that make no sense, or none together.
        XenprofError: no samples, or a file that cannot be read.
    """
    args = _arguments(found)
    args.typed, args.words = tuple(typed), tuple(words)
    _check_values(args)
    first, second = split_differential(words)
    _check_conflicts(args, is_differential=second is not None)
    specifications = [parse(part) for part in (first, second) if part is not None]
    places = [_place(args, specification) for specification in specifications]
    if "session-dir" not in args.flags:
        for directory in dict.fromkeys(place.session_dir for place in places):
            print(f"Using {directory}/samples/ for samples directory.", file=sys.stderr)
    request = _request(args, specifications, places)
    name = next((name for name in FORMATS if name in args.flags), "summary")
    with _output(args) as out:
        _write(out, load(name)(request))
    if not os.environ.get("XENPROF_NO_NOTES"):
        for place, specification in zip(places, specifications, strict=True):
            for session in session_paths(place, specification):
                for line in unseen(session):
                    print(line, file=sys.stderr)


def _arguments(found: Sequence[tuple[str, str]]) -> Arguments:
    args = Arguments()
    for name, value in found:
        args.flags.add(name)
        args.values[name] = value
        args.lists.setdefault(name, []).append(value)
    if args.flags & {"details", "callgraph"}:
        args.flags.add("symbols")
    if "details" in args.flags:
        args.flags.add("show-address")
    return args


def _check_values(args: Arguments) -> None:
    """Raises: UsageError for an option's value that makes no sense."""
    for key in args.listed("sort"):
        if key not in SORT_KEYS:
            raise UsageError(f"opreport error: unknown sort option: {key}")
    demangle = args.values.get("demangle", "normal")
    if demangle not in DEMANGLE:
        raise UsageError(f"opreport error: invalid option --demangle={demangle}")
    _threshold(args)
    _merge(args)


def _merge(args: Arguments) -> Merge:
    return parse_merge(",".join(args.listed("merge")))


def _threshold(args: Arguments) -> float:
    text = args.values.get("threshold", "0")
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 100.0:
        raise UsageError(f"illegal threshold value: {text} allowed range: [0-100]")
    return value


def _check_conflicts(args: Arguments, *, is_differential: bool) -> None:
    """Raises: UsageError for options that do not go together."""
    flags = args.flags
    has_symbols = bool(flags & {"symbols", "xml"})
    conflicts = (
        ({"callgraph", "details"} <= flags, "--callgraph is incompatible with --details"),
        (
            not has_symbols and "show-address" in flags,
            "--show-address is meaningless without --symbols",
        ),
        (
            not has_symbols and flags & {"debug-info", "accumulated"},
            "--debug-info and --accumulated are meaningless without --symbols",
        ),
        (
            not has_symbols and flags & {"exclude-symbols", "include-symbols"},
            "--exclude-symbols and --include-symbols are meaningless without --symbols",
        ),
        (
            not has_symbols and "vma" in args.listed("sort"),
            "--sort=vma is meaningless without --symbols",
        ),
        (
            {"symbols", "global-percent"} <= flags and not flags & {"details", "callgraph"},
            "--global-percent is meaningless with --symbols and without --details or --callgraph",
        ),
        (
            "exclude-dependent" in flags and {"lib", "library", "all"} & set(args.listed("merge")),
            "--merge=lib is meaningless with --exclude-dependent",
        ),
        (
            is_differential and not has_symbols,
            "different profiles are meaningless without --symbols",
        ),
        *(
            (
                is_differential and name in flags,
                f"differential profiles are incompatible with --{name}",
            )
            for name in ("callgraph", "details", "xml")
        ),
        *(
            ("xml" in flags and name in flags, f"--xml is not available with --{name}")
            for name in ("callgraph", "details")
        ),
    )
    for applies, message in conflicts:
        if applies:
            raise UsageError(message)


def _place(args: Arguments, specification: Specification) -> Place:
    """Return where to read: what the caller names, else the domain's own session directory."""
    archive = specification.archive
    if archive is not None:
        return Place(Path(archive) / SESSION_DIR, archive)
    if "session-dir" in args.flags:
        return Place(Path(args.values["session-dir"]).absolute())
    sessions = specification.sessions
    if sessions and all(session[0] in "/." for session in sessions):
        return Place(Path(sessions[0]).absolute().parent.parent)
    base = home()
    ref = args.values.get("domain") or os.environ.get("XENPROF_DOMAIN") or DEFAULT_DOMAIN
    name = resolve_domain(base, ref)
    root = domain_root(base, name)
    if not root.is_dir() and (base / "domains").is_dir():
        raise UnknownDomain(name)
    return Place(root / SESSION_DIR, str(root), (str(root / "lib" / "modules"),))


def _request(
    args: Arguments,
    specifications: Sequence[Specification],
    places: Sequence[Place],
) -> Request:
    merge = _merge(args)
    profiles = [
        select(
            place,
            specification,
            exclude_dependent="exclude-dependent" in args.flags,
            callgraph="callgraph" in args.flags,
        )
        for place, specification in zip(places, specifications, strict=True)
    ]
    columns = [classify((file.key for file in profile.files), merge) for profile in profiles]
    if columns[0] != columns[-1]:
        raise ReportError("profile classes are incompatible")
    for profile in profiles:
        for line in overflow_warning(profile.lost):
            _warn(line)
    flags = args.flags
    layout = Layout(
        sort=args.listed("sort") or ("sample",),
        reverse="reverse-sort" in flags,
        threshold_percent=_threshold(args),
        no_header="no-header" in flags,
        long_names="long-filenames" in flags,
        show_address="show-address" in flags,
        debug_info="debug-info" in flags,
        accumulated="accumulated" in flags,
        global_percent="global-percent" in flags,
        details="details" in flags,
        include_symbols=frozenset(args.listed("include-symbols")),
        exclude_symbols=frozenset(args.listed("exclude-symbols")),
    )
    return Request(
        profiles[-1],
        columns[0],
        merge,
        layout,
        _warn,
        image_path=(*args.listed("image-path"), *places[-1].image_path),
        root=args.values.get("root", "").rstrip("/"),
        baseline=profiles[0] if len(profiles) == 2 else None,
        command=args.typed,
        specification=args.words,
    )


def _warn(line: str) -> None:
    """Print a line for the user, behind what is already on the way to standard output."""
    sys.stdout.flush()
    print(line, file=sys.stderr)


def _write(out: TextIO, lines: Iterable[str]) -> None:
    """Write lines. Raises: BrokenPipeError (nobody reads), UsageError (no space, ...)."""
    try:
        out.writelines(f"{line}\n" for line in lines)
        out.flush()
    except OSError as error:
        if out is sys.stdout:  # or Python tries once more, and complains, when it flushes at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        message = f"opreport error: cannot write the report: {error.strerror}"
        raise UsageError(message) from error


@contextmanager
def _output(args: Arguments) -> Iterator[TextIO]:
    """Yield the file of --output-file, else standard output. Raises: UsageError."""
    if "output-file" not in args.flags:
        yield sys.stdout
        return
    path = Path(args.values["output-file"])
    try:
        file = path.open("w", encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise UsageError(f"opreport error: cannot write {path}: {error.strerror}") from None
    with file:
        yield file
