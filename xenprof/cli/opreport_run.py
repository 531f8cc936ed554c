"""Does opreport's work: checks its options, reads the sessions, writes the report."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from xenprof.cli.postprocess import find_place, image_path, root, say_place, threshold_percent
from xenprof.cli.program import CommandLine, warn
from xenprof.cli.stdout import drop_stdout
from xenprof.errors import UsageError
from xenprof.images.demangle import demangle
from xenprof.images.stlnames import smart
from xenprof.opreport import FORMATS, load
from xenprof.opreport.classes import Merge, classify, parse_merge
from xenprof.opreport.errors import ReportError
from xenprof.opreport.header import unknown_events
from xenprof.opreport.notes import unseen
from xenprof.opreport.order import SORT_KEYS
from xenprof.opreport.request import Layout, Request
from xenprof.opreport.select import Place, image_names, select, session_paths
from xenprof.opreport.specification import Specification, parse, split_differential

DEMANGLE: dict[str, Callable[[str], str]] = {"none": str, "normal": demangle, "smart": smart}


def report(args: CommandLine) -> None:
    """Write the report that a command line asks for. Checks come in opreport's order.

    Raises:
        UsageError: options that make no sense, alone or together.
        XenprofError: no samples, or a file that cannot be read.
    """
    if args.flags & {"details", "callgraph"}:
        args.flags.add("symbols")
    if "details" in args.flags:
        args.flags.add("show-address")
    first, second = split_differential(args.words)
    _check_sort(args)
    _merge(args)
    with _output(args) as out:
        _demangle(args)
        _check_conflicts(args, is_differential=second is not None)
        specifications = [parse(part) for part in (first, second) if part is not None]
        places = [find_place(args, specification) for specification in specifications]
        request = _request(args, specifications, places)
        name = next((name for name in FORMATS if name in args.flags), "summary")
        _write(out, load(name)(request))
    if not os.environ.get("XENPROF_NO_NOTES"):
        for place, specification in zip(places, specifications, strict=True):
            for session in session_paths(place, specification):
                for line in unseen(session):
                    print(line, file=sys.stderr)


def _check_sort(args: CommandLine) -> None:
    """Refuse an unknown sort key. Raises: ReportError."""
    if "xml" in args.flags and args.listed("sort"):
        del args.values["sort"]
        warn("warning: sort options ignored because they are incompatible with --xml")
    for key in args.listed("sort"):
        if key not in SORT_KEYS:
            raise ReportError(f"unknown sort option: {key}\n")


def _demangle(args: CommandLine) -> Callable[[str], str]:
    """Return the function that turns symbols' names into those shown. Raises: ReportError."""
    how = args.values.get("demangle", "normal")
    if how not in DEMANGLE:
        raise ReportError(f"invalid option --demangle={how}")
    return DEMANGLE[how]


def _merge(args: CommandLine) -> Merge:
    """Return what the report adds up. Raises: UsageError."""
    words = args.listed("merge")
    merge = parse_merge(",".join(words))
    if "exclude-dependent" in args.flags and merge.lib and "all" not in words:
        raise UsageError("--merge=lib is meaningless with --exclude-dependent")
    return merge


def _check_conflicts(args: CommandLine, *, is_differential: bool) -> None:
    """Refuse options that exclude each other. Raises: UsageError that names all of them."""
    flags = args.flags
    has_symbols = "symbols" in flags
    conflicts = (
        ({"callgraph", "details"} <= flags, "--callgraph is incompatible with --details"),
        (
            is_differential and "callgraph" in flags,
            "differential profiles are incompatible with --callgraph",
        ),
        ({"xml", "callgraph"} <= flags, "--xml is not available with --callgraph"),
        ({"xml", "accumulated"} <= flags, "--accumulated is incompatible with --xml"),
        ({"xml", "global-percent"} <= flags, "--global_percent is incompatible with --xml"),
        (
            is_differential and "details" in flags,
            "differential profiles are incompatible with --details",
        ),
        (
            is_differential and not has_symbols,
            "different profiles are meaningless without --symbols",
        ),
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
    )
    found = [message for applies, message in conflicts if applies]
    if not found and is_differential and "xml" in flags:
        found = ["differential profiles are incompatible with --xml"]
    if found:
        raise UsageError("\n".join(found))


def _request(
    args: CommandLine,
    specifications: Sequence[Specification],
    places: Sequence[Place],
) -> Request:
    merge = _merge(args)
    profiles, columns = [], []
    for place, specification in zip(places, specifications, strict=True):
        searched = image_path(args, place)
        say_place(args, place)
        profile = select(
            place,
            specification,
            exclude_dependent="exclude-dependent" in args.flags,
            callgraph="callgraph" in args.flags,
            merge=merge,
            warn=warn,
            names=image_names(place, searched, root(args)),
        )
        is_xml = "xml" in args.flags
        classes = classify((file.key for file in profile.files), merge, one_axis=not is_xml)
        for line in unknown_events(profile, classes, merge, for_xml=is_xml):
            warn(line)
        profiles.append(profile)
        columns.append(classes)
    if not columns[0].matches(columns[-1]):
        raise UsageError("profile classes are incompatible")
    flags = args.flags
    layout = Layout(
        sort=args.listed("sort") or ("sample",),
        reverse="reverse-sort" in flags,
        threshold_percent=threshold_percent(args),
        no_header="no-header" in flags,
        long_names="long-filenames" in flags,
        show_address="show-address" in flags,
        debug_info="debug-info" in flags,
        accumulated="accumulated" in flags,
        global_percent="global-percent" in flags,
        details="details" in flags,
        demangle=_demangle(args),
        include_symbols=frozenset(args.listed("include-symbols")),
        exclude_symbols=frozenset(args.listed("exclude-symbols")),
    )
    return Request(
        profiles[-1],
        columns[0],
        merge,
        layout,
        warn,
        image_path=searched,
        root=root(args),
        baseline=profiles[0] if len(profiles) == 2 else None,
        command=args.typed,
        specification=args.words,
        later_classes=columns[-1],
        hidden_prefix=places[-1].archive if places[-1].is_domain else "",
        options=_xml_options(args),
    )


def _xml_options(args: CommandLine) -> tuple[tuple[str, str], ...]:
    """Return the options that an XML report repeats."""
    common, _ = split_differential(args.words)
    texts = {
        "session": ",".join(common),
        "debuginfo": "true" if "debug-info" in args.flags else "",
        "details": "true" if "details" in args.flags else "",
        "imagepath": ",".join(args.listed("image-path")),
        "merge": ",".join(args.listed("merge")),
        "excludedependent": "true" if "exclude-dependent" in args.flags else "",
        "excludesymbols": ",".join(args.listed("exclude-symbols")),
        "includesymbols": ",".join(args.listed("include-symbols")),
    }
    return tuple((name, text) for name, text in texts.items() if text)


def _write(out: TextIO, lines: Iterable[str]) -> None:
    """Write the lines. Raises: BrokenPipeError (nobody reads), ReportError (no space, ...)."""
    try:
        out.writelines(f"{line}\n" for line in lines)
        out.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        if out is sys.stdout:
            drop_stdout()
        raise ReportError(f"cannot write the report: {error.strerror}") from error


@contextmanager
def _output(args: CommandLine) -> Iterator[TextIO]:
    """Yield the file of --output-file, else standard output. Raises: UsageError."""
    if "output-file" not in args.flags:
        yield sys.stdout
        return
    path = Path(args.values["output-file"])
    try:
        file = path.open("w", encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise UsageError(f'Couldn\'t open "{path}" for writing.') from error
    with file:
        yield file
