"""Puts a recording of another tool into one archive per domain: sample files, images, stacks."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from xenprof import events
from xenprof.errors import UsageError
from xenprof.imports.archive import (
    NAME_BYTES,
    UNSYNCED,
    Archive,
    Archives,
    archive_path,
    check_free,
    loss_lines,
    new_archives,
)
from xenprof.imports.arcs import arcs
from xenprof.imports.images import COUNT_MAX
from xenprof.imports.naming import NO_FILE
from xenprof.imports.placing import Domain, sample_key
from xenprof.imports.recording import Recording
from xenprof.profile.flat import ImageName, SampleHeader, SampleKey
from xenprof.profile.stacks import Layer, StackProfile
from xenprof.store import samplefile, stackfile
from xenprof.store.samplepath import format_path

_PASSIVE = re.compile(r"domain(\d{1,5})-.*")
_U32 = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Plan:
    """The options of an import. `root` has the images of the machine, if it exists.

    `mtime` is given to images made of names, in Unix seconds.
    """

    output: Path
    root: Path | None = None
    separate: frozenset[str] = frozenset()
    cpu_type: str = "timer"
    mtime: int = 0


@dataclass(slots=True)
class Written:
    """The result of an import: samples stored by type, images by kind, archives by domain."""

    stored: list[int]
    archives: dict[str, Path] = field(default_factory=dict)
    samples: Counter[str] = field(default_factory=Counter)
    images: Counter[str] = field(default_factory=Counter)


def import_recording(recording: Recording, plan: Plan) -> Written:
    """Write the archives into a new directory. Raises: UsageError (exists, ...), StoreError."""
    check_free(plan.output)
    with new_archives(plan.output) as archives:
        return _write_all(recording, plan, archives)


def _write_all(recording: Recording, plan: Plan, archives: Archives) -> Written:
    written = Written([0] * len(recording.types))
    owners = [recording.steps[stack[-1]].domain for stack in recording.stacks]
    first = True
    for name in sorted({step.domain for step in recording.steps}):
        place = archive_path(plan.output, name)
        if len(place.name) > NAME_BYTES:
            raise UsageError(f"domain {name[:40]}...: its name is too long for a directory")
        rows = [row for row, owner in enumerate(owners) if owner == name]
        domain = Domain(recording, name, plan.root)
        archive = archives.begin(name)
        mtimes = _write_images(domain, archive, plan, written)
        for file in _files(recording, rows, domain, plan, mtimes):
            key, header, counts, column = file
            path = archive.session.current / format_path(key)
            offsets = np.array(list(counts), np.uint64)
            samplefile.merge(
                path, header, offsets, np.array(list(counts.values()), np.uint64), UNSYNCED
            )
            if column >= 0:
                written.stored[column] += sum(counts.values())
                written.samples[name] += sum(counts.values())
        if rows:
            before = _lost_before(recording, name, owners, is_first=first)
            _write_rest(recording, rows, archive, before, is_first=first)
            written.archives[name] = place
            first = False
    if passive := _passive_domains(recording):
        archives.note_domain_names(passive)
    return written


def _lost_before(
    recording: Recording, name: str, owners: Sequence[str], *, is_first: bool
) -> Counter[str]:
    """Return what is told as lost of a domain; with the first, also what has no session."""
    before = Counter(recording.lost_of.get(name, {}))
    if is_first:
        before.update(recording.lost_before)
        for other, lost in recording.lost_of.items():
            if other not in owners:
                before.update(lost)
    return before


def _write_rest(
    recording: Recording, rows: list[int], archive: Archive, before: Counter[str], *, is_first: bool
) -> None:
    """Write the stacks, and the lost samples: those of no domain into the first session."""
    session = archive.session
    lost = {reason: sum(counts) for reason, counts in recording.lost.items()} if is_first else {}
    lines = []
    if any(lost.values()) or before:
        if before:
            session.write_stats({"event_lost_overflow": before.total()})
        lines += loss_lines(Counter(lost) + before)
    if recording.is_first_main:
        lines.append(f"main_event {recording.types[0].text}")
    archive.note(lines)
    profile = StackProfile(
        tuple(step.frame for step in recording.steps),
        tuple(recording.stacks[row] for row in rows),
        recording.values[rows],
        recording.types,
        start_unix_ns=recording.start_unix_ns,
        duration_ns=recording.duration_ns,
        lost=lost,
    )
    # Steps at several addresses of a function are one frame.
    stackfile.merge(session.current, stackfile.added([profile]), UNSYNCED)


def _passive_domains(recording: Recording) -> dict[int, str]:
    """Return the names of passive domains by the id in their images' names."""
    ids: dict[int, str] = {}
    for step in recording.steps:
        if match := _PASSIVE.fullmatch(step.image.rpartition("/")[2]):
            ids.setdefault(int(match[1]), step.domain)
    return ids


def _write_images(
    domain: Domain, archive: Archive, plan: Plan, written: Written
) -> dict[ImageName, int]:
    """Write the images; return the mtime of each."""
    mtimes = {}
    for (layer, image), placed in domain.placed.items():
        name = domain.names.name(layer, image)
        mtimes[name] = plan.mtime
        if placed.source is not None:
            mtimes[name] = archive.copy_image(name.path, placed.source)
            written.images["real"] += 1
        elif placed.image is not None and (
            not NO_FILE.fullmatch(name.path) or any(step.symbol for step in placed.keys)
        ):
            archive.write_image(name.path, placed.image, plan.mtime)
            written.images["made of names"] += 1
    return mtimes


_File = tuple[SampleKey, SampleHeader, Mapping[int, int], int]


def _files(
    recording: Recording,
    rows: list[int],
    domain: Domain,
    plan: Plan,
    mtimes: Mapping[ImageName, int],
) -> Iterator[_File]:
    """Yield sample files: key, header, counts by offset, and the type (-1: a call graph's)."""
    found: dict[SampleKey, dict[int, int]] = {}
    excess: dict[SampleKey, dict[int, int]] = {}
    layers: dict[ImageName, Layer] = {}
    columns: dict[SampleKey, int] = {}
    for row in rows:
        task = recording.tasks[row]
        leaf = recording.steps[recording.stacks[row][-1]]
        place = domain.place(leaf, task)
        layers[place.image] = leaf.layer
        app = domain.app(leaf, place.image, task, plan.separate)
        for column, count in enumerate(recording.values[row].tolist()):
            if count:
                key = sample_key(recording, column, app, place.image, task, plan.separate)
                columns[key] = column
                counts = found.setdefault(key, {})
                counts[place.key] = counts.get(place.key, 0) + count
                if counts[place.key] > COUNT_MAX:
                    spares = excess.setdefault(key, {})
                    more = counts[place.key] - COUNT_MAX
                    spares[place.spare] = spares.get(place.spare, 0) + more
                    counts[place.key] = COUNT_MAX
    for key, counts in found.items():
        for spare, more in excess.get(key, {}).items():
            at = spare
            while more:
                counts[at] = min(more, COUNT_MAX)
                more -= counts[at]
                at += 1
        yield key, _header(key, layers, plan, mtimes), counts, columns[key]
    for key, counts in arcs(recording, rows, domain, plan.separate, layers).items():
        yield key, _header(key, layers, plan, mtimes), counts, -1


def _header(
    key: SampleKey,
    layers: Mapping[ImageName, Layer],
    plan: Plan,
    mtimes: Mapping[ImageName, int],
) -> SampleHeader:
    event = events.events(plan.cpu_type).get(key.event)
    return SampleHeader(
        plan.cpu_type,
        event.number if event else 0,
        min(key.unit_mask, _U32),
        min(key.count, _U32),
        layers[key.image] is not Layer.USER,
        0.0,
        mtimes.get(key.image, 0),
        key.image.start,
        key.callee is not None and layers[key.callee] is not Layer.USER,
        key.callee.start if key.callee else 0,
    )
