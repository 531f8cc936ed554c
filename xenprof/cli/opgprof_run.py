"""Does opgprof's work: chooses one image, places its samples and calls, writes gmon.out."""

from pathlib import Path

import numpy as np

from xenprof.cli.postprocess import (
    image_path,
    one_specification,
    place,
    root,
    threshold_percent,
)
from xenprof.cli.program import CommandLine, warn
from xenprof.cli.wholefile import write_whole
from xenprof.errors import ImageError, UsageError
from xenprof.images import ImageSymbols
from xenprof.images.finder import Lookup
from xenprof.opreport.classes import Classes, classify, parse_merge
from xenprof.opreport.errors import NothingSelectedError
from xenprof.opreport.header import unknown_events
from xenprof.opreport.imagewarnings import ImageWarnings
from xenprof.opreport.names import long_name
from xenprof.opreport.request import Layout, Request
from xenprof.opreport.select import Place, image_names, select
from xenprof.opreport.specification import Names, Specification
from xenprof.opreport.symboliser import Symboliser
from xenprof.opreport.symbols import SymbolTable, symbol_table
from xenprof.optools import gmon
from xenprof.optools.gmon import Arc, Samples
from xenprof.profile.flat import ImageName, Profile

ALL = parse_merge("all")
_NOT_ONE = (
    "error: specify exactly one binary to process and give an event: or count: specification "
    "if necessary"
)


def write_gmon(line: CommandLine) -> int:
    """Write gmon.out; return the exit code. Raises: XenprofError."""
    specification = one_specification(line)
    where = place(line, specification)
    places = image_path(line, where)
    names = image_names(where, places, root(line))
    profile, classes, image = _only_image(where, specification, names)
    plain = profile.select(tuple(file for file in profile.files if file.key.callee is None))
    request = Request(
        plain, classes, ALL, Layout(details=True), warn,
        image_path=places,
        root=root(line),
        hidden_prefix=where.archive if where.is_domain else "",
    )  # fmt: skip
    symboliser = Symboliser(plain, request, ImageWarnings(warn, is_strict=True))
    symbols = symboliser.symbols(image, plain.files[0].header.mtime if plain.files else None)
    if symbols is None:
        raise ImageError(long_name(image), f"error: {long_name(image)} {Lookup.MISSING.value}")
    table = symbol_table(plain, classes, ALL, symboliser, details=True)
    is_64, order = _word(symbols)
    made = gmon.encode(
        _samples(table, threshold_percent(line)),
        _arcs(profile, image, symbols),
        is_64=is_64,
        order=order,
    )
    for count in made.capped:
        warn(f"Warning: capping sample count by {count}")
    path = Path(line.values.get("output-filename", "gmon.out"))
    write_whole(path, made.data)
    return 0


def _only_image(
    where: Place, specification: Specification, names: Names
) -> tuple[Profile, Classes, ImageName]:
    """Return the selected files of the only image; dependent images count only if no others do.

    Raises: UsageError for several images or events; NoSamplesError, NothingSelectedError.
    """
    try:
        found = _try_image(where, specification, names, exclude_dependent=True)
    except NothingSelectedError:
        found = None
    found = found or _try_image(where, specification, names, exclude_dependent=False)
    if found is None:
        raise UsageError(_NOT_ONE)
    return found


def _try_image(
    where: Place, specification: Specification, names: Names, *, exclude_dependent: bool
) -> tuple[Profile, Classes, ImageName] | None:
    """Return the selected files if they are of one image and event; warnings are of each try."""
    profile = select(
        where,
        specification,
        exclude_dependent=exclude_dependent,
        callgraph=True,
        merge=ALL,
        warn=warn,
        names=names,
    )
    classes = classify((file.key for file in profile.files), ALL)
    for text in unknown_events(profile, classes, ALL):
        warn(text)
    images = {file.key.image for file in profile.files}
    if len(images) != 1 or len(classes.columns) != 1:
        return None
    return profile, classes, images.pop()


def _samples(table: SymbolTable, percent: float) -> Samples:
    """Return all samples in symbols, and which of them are of symbols with a large enough share."""
    details = table.details
    assert details is not None
    least = percent * max(table.totals[0], 1) / 100.0
    spans = [
        np.arange(first, last)
        for first, last in zip(details.first.tolist(), details.last.tolist(), strict=True)
    ]
    shown = [
        np.full(len(span), count >= least)
        for span, count in zip(spans, table.counts[:, 0].tolist(), strict=True)
    ]
    at = np.concatenate([np.empty(0, np.int64), *spans]).astype(np.int64)
    addresses = details.addresses[at]
    by_address = np.argsort(addresses, kind="stable")
    return Samples(
        addresses[by_address],
        details.counts[at, 0].astype(np.uint64)[by_address],
        np.concatenate([np.empty(0, np.bool_), *shown])[by_address],
    )


def _arcs(profile: Profile, image: ImageName, symbols: ImageSymbols) -> list[Arc]:
    """Return the calls inside the image by their addresses; gprof cannot show others."""
    arcs: dict[tuple[int, int], int] = {}
    low = np.uint64(0xFFFFFFFF)
    for file in profile.files:
        if file.key.callee != image:
            continue
        callers = _addresses(symbols, file.offsets >> np.uint64(32), file.header.is_kernel)
        callees = _addresses(symbols, file.offsets & low, file.header.callee_is_kernel)
        for caller, callee, count in zip(callers, callees, file.counts.tolist(), strict=True):
            if caller is not None and callee is not None:
                arcs[caller, callee] = arcs.get((caller, callee), 0) + count
    return [Arc(*ends, count) for ends, count in sorted(arcs.items())]


def _addresses(symbols: ImageSymbols, offsets: gmon.Words, is_kernel: bool) -> list[int | None]:
    """Return the addresses of offsets; None for an offset that is in no symbol."""
    shift = symbols.text_offset if is_kernel else 0
    places = symbols.lookup(offsets, is_kernel)
    return [
        None if row < 0 else int(symbols.vmas[row]) + offset + shift - int(symbols.starts[row])
        for row, offset in zip(places.tolist(), offsets.tolist(), strict=True)
    ]


def _word(symbols: ImageSymbols) -> tuple[bool, str]:
    """Return whether addresses have 64 bits, and the byte order."""
    image = symbols.image
    return (True, "<") if image is None else (image.is_64, image.order)
