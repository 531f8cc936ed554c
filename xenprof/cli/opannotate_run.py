"""Does opannotate's work: reads the samples, finds sources and code, writes the annotation."""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from xenprof.cli.opreport_run import DEMANGLE
from xenprof.cli.postprocess import (
    find_place,
    image_path,
    one_specification,
    place,
    root,
    threshold_percent,
)
from xenprof.cli.program import CommandLine, warn
from xenprof.errors import UsageError
from xenprof.opreport.classes import Merge, classify, parse_merge
from xenprof.opreport.errors import ReportError
from xenprof.opreport.header import unknown_events
from xenprof.opreport.names import long_name, symbol_text
from xenprof.opreport.request import Layout, Request
from xenprof.opreport.select import image_names, select
from xenprof.opreport.symboliser import Symboliser
from xenprof.opreport.symbols import SymbolTable, symbol_table
from xenprof.optools.annotate import assembly, source
from xenprof.optools.annotate.assembly import Listing, SourceText
from xenprof.optools.annotate.disassembly import open_code
from xenprof.optools.annotate.margin import run_comment
from xenprof.optools.annotate.placed import SourceFile, source_files
from xenprof.optools.annotate.source import PathFilter, SourceFinder, read_lines
from xenprof.profile.flat import ImageName

_INTEL = frozenset({"-Mintel", "--disassembler-options=intel"})
_RAW = "--show-raw-insn"
_SOURCE = frozenset({"-S", "--source"})
_NOTHING = frozenset({"-d", "--disassemble", "--no-show-raw-insn", "-w", "--wide"})


@dataclass(frozen=True, slots=True)
class Annotation:
    """Everything that is to be shown: symbols with their samples, and their images' places."""

    line: CommandLine
    request: Request
    table: SymbolTable
    symboliser: Symboliser
    finder: SourceFinder


def annotate(line: CommandLine) -> int:
    """Annotate source or assembly; return the exit code. Raises: XenprofError."""
    specification = one_specification(line)
    searched = image_path(line, find_place(line, specification))
    where = place(line, specification)
    profile = select(
        where,
        specification,
        exclude_dependent="exclude-dependent" in line.flags,
        merge=Merge(lib=True),
        warn=warn,
        names=image_names(where, searched, root(line)),
    )
    demangle = line.values.get("demangle", "normal")
    if demangle not in DEMANGLE:
        raise ReportError(f"invalid option --demangle={demangle}")
    for word in line.listed("merge"):
        if word in ("lib", "library"):
            raise UsageError(f"unknown merge option: {word}")
    merge = replace(parse_merge(",".join(line.listed("merge"))), lib=True)
    layout = Layout(
        threshold_percent=threshold_percent(line),
        details=True,
        demangle=DEMANGLE[demangle],
        include_symbols=frozenset(line.listed("include-symbols")),
        exclude_symbols=frozenset(line.listed("exclude-symbols")),
    )
    classes = classify((file.key for file in profile.files), merge)
    for warning in unknown_events(profile, classes, merge):
        warn(warning)
    request = Request(
        profile, classes, merge, layout, warn,
        image_path=searched,
        root=root(line),
        command=line.typed, specification=line.words,
        hidden_prefix=where.archive if where.is_domain else "",
    )  # fmt: skip
    symboliser = Symboliser(profile, request)
    table = symbol_table(profile, classes, merge, symboliser, details=True, accept=layout.accepts)
    finder = SourceFinder(
        line.listed("search-dirs"), line.listed("base-dirs"), where.archive or root(line)
    )
    annotation = Annotation(line, request, table, symboliser, finder)
    return _assembly(annotation) if "assembly" in line.flags else _source(annotation)


def _tell_of_lines(annotation: Annotation) -> None:
    """Warn if no image has line numbers; note those that have none."""
    table, symboliser = annotation.table, annotation.symboliser
    if not any(symboliser.has_lines(image) for image in table.images):
        warn(
            "opannotate (warning): no debug information available for any binary selected, and "
            "--assembly not requested."
        )
    for image in (table.images[index] for index in np.unique(table.image_of).tolist()):
        is_found = symboliser.symbols(image, None) is not None
        if is_found and not symboliser.has_lines(image):
            warn(f"note: no debug information in {long_name(image)}")


def _call(annotation: Annotation, name: str) -> str:
    """Return the name that a symbol is shown with."""
    return symbol_text(name, annotation.request.layout.demangle)


def _source(annotation: Annotation) -> int:
    """Write annotated source files, to standard output or below --output-dir."""
    line, request, totals = annotation.line, annotation.request, annotation.table.totals
    _tell_of_lines(annotation)
    folder = _output_dir(line)
    if folder is None:
        _print(run_comment(request, "opannotate", _about_source(request)))
    wanted = PathFilter(line.listed("include-file"), line.listed("exclude-file"))
    code = 0
    least = request.layout.threshold_percent / 100.0
    names = [_call(annotation, name) for name in annotation.table.names]
    table, lines = annotation.table, annotation.symboliser.lines
    for file in source_files(table, names, lines):
        shown, path = annotation.finder.find(file.name)
        if file.share(totals) < least or not wanted.accepts(shown):
            continue
        text = _read(shown, path)
        if folder is None:
            _print(source.annotated(file, text, totals, comment_first=True))
        else:
            code |= _write_file(annotation, folder, file, shown, text)
    return code


def _read(shown: str, path: Path) -> list[str] | None:
    """Return the lines of a source file; None, with a warning, if it cannot be read."""
    lines = read_lines(path)
    if lines is None:
        warn(f"opannotate (warning): unable to open for reading: {shown}")
    return lines


def _about_source(request: Request) -> list[str]:
    least = request.layout.threshold_percent
    which = f"Output files where samples count reach {least:g}% of the samples"
    return ["Output annotated source file with samples", which if least else "Output all files"]


def _output_dir(line: CommandLine) -> Path | None:
    """Return the directory of --output-dir, which is made if it is missing. Raises: UsageError."""
    if "output-dir" not in line.flags:
        return None
    folder = Path(os.path.realpath(line.values["output-dir"]))
    if folder == Path("/"):
        raise UsageError("Output path of / would over-write the source files")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"unable to create {folder} directory: {error.strerror}") from None
    return folder


def _write_file(
    annotation: Annotation, folder: Path, file: SourceFile, shown: str, text: list[str] | None
) -> int:
    """Write one annotated file at its own path below `folder`; return 1 if that fails."""
    target = Path(os.path.realpath(f"{folder}/{shown.lstrip('/')}"))
    if not target.is_relative_to(folder):
        if text is not None:
            warn(f"refusing to create file {target} outside of output directory {folder}/")
        return 1
    if target.exists() and Path(shown).exists() and target.samefile(shown):
        warn(f"input and output files are identical: {target}")
        return 1
    request, totals = annotation.request, annotation.table.totals
    lines = source.annotated(file, text, totals, comment_first=False)
    about = run_comment(request, "opannotate", _about_source(request))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        warn(f'unable to create file: "{target.parent}": {error.strerror}')
        return 1
    try:
        with target.open("w", encoding="utf-8", errors="surrogateescape") as out:
            out.writelines(f"{each}\n" for each in (*lines, *about))
    except OSError as error:
        warn(f'unable to open output file "{target}": {error.strerror}')
        return 1
    return 0


def _parameters(line: CommandLine) -> list[str]:
    """Return the parameters for objdump; `-M intel` becomes one word."""
    words = " ".join(line.listed("objdump-params")).split()
    return " ".join(words).replace("-M ", "-M").split()


def _assembly(annotation: Annotation) -> int:
    """Print the annotated functions of each image in turn."""
    line, request, table = annotation.line, annotation.request, annotation.table
    parameters = _parameters(line)
    for word in parameters:
        if word not in _INTEL | _SOURCE | _NOTHING | {_RAW}:
            warn(f"opannotate (warning): {word} has no effect: the code is not read by objdump")
    about = ["Output annotated assembly listing with samples"]
    if parameters:
        given = "".join(f"{word} " for word in line.listed("objdump-params"))
        about.append(f'Passing the following additional arguments to objdump ; "{given}"')
    shares = table.counts * 100.0 / np.maximum(np.array(table.totals), 1)
    is_large = (shares >= request.layout.threshold_percent).any(axis=1)
    is_empty = True
    for index, image in enumerate(table.images):
        kept = np.flatnonzero(is_large & (table.image_of == index))
        if not len(kept):
            continue
        is_empty = False
        rows = np.array(sorted(kept.tolist(), key=partial(_rank, annotation)), np.int64)
        _print(run_comment(request, "opannotate", about))
        listing = _listing(annotation, image, parameters)
        if listing is not None:
            _print(assembly.annotated(listing, table.take(rows)))
    if is_empty:
        warn("selected image set doesn't contain any of the selected symbol")
    return 0


def _rank(annotation: Annotation, row: int) -> tuple[int, str, int]:
    """Return the sort key of functions: most samples of the first class first."""
    table = annotation.table
    return -int(table.counts[row, 0]), _call(annotation, table.names[row]), int(table.vmas[row])


def _listing(annotation: Annotation, image: ImageName, parameters: list[str]) -> Listing | None:
    """Return how to list an image; None, with the original's message, if it has no code."""
    symboliser = annotation.symboliser
    name = symboliser.display(image, long=True)
    symbols = symboliser.symbols(image, None)
    if symbols is None or symbols.image is None:
        is_file = symboliser.path(image) is not None
        problem = f"{name}: file format not recognized" if is_file else f"'{name}': No such file"
        warn(f"An error occur during the execution of objdump:\n\nobjdump: {problem}\n")
        return None
    code = open_code(symbols.image, intel=bool(_INTEL & set(parameters)))
    if code is None:
        warn(f"opannotate (warning): {name} is for a machine that is not known here")
        return None
    text = None
    if "source" in annotation.line.flags or _SOURCE & set(parameters):
        text = SourceText(
            partial(annotation.symboliser.lines, image), partial(_text, annotation.finder)
        )
    return Listing(
        name, code, symbols, annotation.table.totals, partial(_call, annotation),
        show_raw=_RAW in parameters, source=text,
    )  # fmt: skip


def _text(finder: SourceFinder, file: str) -> list[str]:
    return read_lines(finder.find(file)[1]) or []


def _print(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
