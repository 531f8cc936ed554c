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
from xenprof.opreport.classes import Classes, classify, parse_merge
from xenprof.opreport.errors import NothingSelectedError
from xenprof.opreport.names import long_name
from xenprof.opreport.request import Layout, Request
from xenprof.opreport.select import Place, select
from xenprof.opreport.specification import Specification
from xenprof.opreport.symboliser import Symboliser
from xenprof.opreport.symbols import SymbolTable, symbol_table
from xenprof.optools import gmon
from xenprof.optools.gmon import Arc
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
    profile, classes, image = _only_image(where, specification)
    request = Request(
        profile, classes, ALL, Layout(details=True), warn,
        image_path=image_path(line, where),
        root=root(line),
        hidden_prefix=where.archive if where.is_domain else "",
    )  # fmt: skip
    symboliser = Symboliser(profile, request)
    mtime = profile.files[0].header.mtime
    symbols = symboliser.symbols(image, mtime)
    if symbols is None:
        raise ImageError(long_name(image), f"error: {long_name(image)} has no symbols for gprof")
    table = symbol_table(profile, classes, ALL, symboliser, details=True)
    addresses, counts = _samples(table, threshold_percent(line))
    is_64, order = _word(symbols)
    made = gmon.encode(addresses, counts, _arcs(profile, image, symbols), is_64=is_64, order=order)
    if made.capped:
        warn(f"Warning: capping sample count by {made.capped}")
    path = Path(line.values.get("output-filename", "gmon.out"))
    write_whole(path, made.data)
    return 0


def _only_image(where: Place, specification: Specification) -> tuple[Profile, Classes, ImageName]:
    """Return the selected files of the only image; dependent images count only if no others do.

    Raises: UsageError for several images or events; NoSamplesError, NothingSelectedError.
    """
    try:
        found = _try_image(where, specification, exclude_dependent=True)
    except NothingSelectedError:
        found = None
    found = found or _try_image(where, specification, exclude_dependent=False)
    if found is None:
        raise UsageError(_NOT_ONE)
    return found


def _try_image(
    where: Place, specification: Specification, *, exclude_dependent: bool
) -> tuple[Profile, Classes, ImageName] | None:
    profile = select(
        where,
        specification,
        exclude_dependent=exclude_dependent,
        callgraph=True,
        merge=ALL,
        warn=warn if exclude_dependent else _said_already,
    )
    plain = [file for file in profile.files if file.key.callee is None] or list(profile.files)
    images = {file.key.image for file in plain}
    if len(images) != 1 or len({(file.key.event, file.key.count) for file in plain}) != 1:
        return None
    image = plain[0].key.image
    files = tuple(file for file in profile.files if file.key.image == image)
    return profile.select(files), classify((file.key for file in files), ALL), image


def _said_already(line: str) -> None:
    """Drop a warning of the second try: the first one printed it."""


def _samples(table: SymbolTable, percent: float) -> tuple[gmon.Words, gmon.Words]:
    """Return addresses and counts of the symbols whose share is large enough."""
    details = table.details
    assert details is not None
    least = percent * max(table.totals[0], 1) / 100.0
    rows = np.flatnonzero(table.counts[:, 0] >= least).tolist()
    spans = [np.arange(details.first[row], details.last[row]) for row in rows]
    at = np.concatenate([np.empty(0, np.int64), *spans]).astype(np.int64)
    return details.addresses[at], details.counts[at, 0].astype(np.uint64)


def _arcs(profile: Profile, image: ImageName, symbols: ImageSymbols) -> list[Arc]:
    """Return the calls inside the image; gprof cannot show others."""
    arcs = []
    low = np.uint64(0xFFFFFFFF)
    for file in profile.files:
        if file.key.callee != image:
            continue
        callers = _addresses(symbols, file.offsets >> np.uint64(32), file.header.is_kernel)
        callees = _addresses(symbols, file.offsets & low, file.header.callee_is_kernel)
        for caller, callee, count in zip(callers, callees, file.counts.tolist(), strict=True):
            if caller is not None and callee is not None:
                arcs.append(Arc(caller, callee, count))
    return arcs


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
