"""Writes a recording as archives, one per domain: sample files, images, stacks.

They are made beside their directory and renamed, so that it is there whole or not at all.
"""

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from xenprof import events
from xenprof.errors import StoreError, UsageError
from xenprof.home import domain_root, note_domain_names
from xenprof.imports.arcs import arcs
from xenprof.imports.images import COUNT_MAX
from xenprof.imports.naming import NO_FILE
from xenprof.imports.placing import Domain, sample_key
from xenprof.imports.recording import Recording
from xenprof.profile.flat import ImageName, SampleHeader, SampleKey
from xenprof.profile.stacks import Layer, StackProfile
from xenprof.store import samplefile, stackfile
from xenprof.store.samplepath import format_path
from xenprof.store.sessiondir import SessionDir, domain_session
from xenprof.store.unseen import write_unseen

SEPARATE = ("none", "lib", "kernel", "thread", "cpu", "all")
_PASSIVE = re.compile(r"domain(\d{1,5})-.*")
_U32 = 0xFFFFFFFF
_NAME_BYTES = 255


@dataclass(frozen=True, slots=True)
class Plan:
    """How to write it. `root` has the images of the machine, if it is there.

    `mtime` is given to images made of names, in Unix seconds.
    """

    output: Path
    root: Path | None = None
    separate: frozenset[str] = frozenset()
    cpu_type: str = "timer"
    mtime: int = 0


@dataclass(slots=True)
class Written:
    """What became of a recording: samples stored by type, images by kind, archives by domain."""

    stored: list[int]
    archives: dict[str, Path] = field(default_factory=dict)
    samples: Counter[str] = field(default_factory=Counter)
    images: Counter[str] = field(default_factory=Counter)


def write(recording: Recording, plan: Plan) -> Written:
    """Write the archives. Raises: UsageError (exists, cannot be made), StoreError."""
    output = plan.output
    try:
        output.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:
        raise UsageError(f"--output: {getattr(error, 'strerror', None) or error}") from None
    else:
        raise UsageError(f"{output} exists already: remove it, or name another --output")
    temporary = output.parent / f".{output.name[:100]}.importing.{os.getpid()}"
    try:
        temporary.mkdir(parents=True)
        try:
            written = _write_all(recording, plan, temporary)
            temporary.rename(output)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror or error}") from None
    except StoreError as error:
        text = str(error).replace(str(temporary), str(output))
        raise StoreError(str(output), text) from None
    return written


def _write_all(recording: Recording, plan: Plan, folder: Path) -> Written:
    written = Written([0] * len(recording.types))
    owners = [recording.steps[stack[-1]].domain for stack in recording.stacks]
    first = True
    for name in sorted({step.domain for step in recording.steps}):
        root = folder / _folder_name(folder, name)
        if len(root.name) > _NAME_BYTES:
            raise UsageError(f"domain {name[:40]}...: its name is too long for a directory")
        rows = [row for row, owner in enumerate(owners) if owner == name]
        domain = Domain(recording, name, plan.root)
        session = domain_session(root)
        session.create()
        mtimes = _write_images(domain, root, plan, written)
        for file in _files(recording, rows, domain, plan, mtimes):
            key, header, counts, column = file
            path = session.current / format_path(key)
            offsets = np.array(list(counts), np.uint64)
            samplefile.merge(path, header, offsets, np.array(list(counts.values()), np.uint64))
            if column >= 0:
                written.stored[column] += sum(counts.values())
                written.samples[name] += sum(counts.values())
        if rows:
            _write_rest(recording, rows, session, is_first=first)
            written.archives[name] = plan.output / root.name
            first = False
    _write_ids(folder, recording)
    return written


def _folder_name(folder: Path, domain: str) -> str:
    """Return what a domain's archive is called; `domains` would look like a HOME to readers."""
    name = domain_root(folder, domain).name
    return "%64omains" if name == "domains" else name


def _write_rest(
    recording: Recording, rows: list[int], session: SessionDir, *, is_first: bool
) -> None:
    """Write the stacks, and into the first session what was lost."""
    lost = {reason: sum(counts) for reason, counts in recording.lost.items()}
    total = sum(lost.values()) + recording.lost_before
    if is_first and total:
        if recording.lost_before:
            session.write_stats({"event_lost_overflow": recording.lost_before})
        write_unseen(session.current, [f"lost_samples {total}"])
    profile = StackProfile(
        tuple(step.frame for step in recording.steps),
        tuple(recording.stacks[row] for row in rows),
        recording.values[rows],
        recording.types,
        start_unix_ns=recording.start_unix_ns,
        duration_ns=recording.duration_ns,
        lost=lost if is_first else {},
    )
    # Steps at several addresses of a function are one frame.
    stackfile.merge(session.current, stackfile.added([profile]))


def _write_ids(folder: Path, recording: Recording) -> None:
    """Note whose the images of passive domains are, as the service does."""
    ids: dict[int, str] = {}
    for step in recording.steps:
        if match := _PASSIVE.fullmatch(step.image.rpartition("/")[2]):
            ids.setdefault(int(match[1]), step.domain)
    if ids:
        note_domain_names(folder, ids)


def _write_images(domain: Domain, root: Path, plan: Plan, written: Written) -> dict[ImageName, int]:
    """Write the images; return the mtime of each."""
    mtimes = {}
    for (layer, image), placed in domain.placed.items():
        name = domain.names.name(layer, image)
        path = root / name.path.lstrip("/")
        mtimes[name] = plan.mtime
        if placed.source is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(placed.source, path)
            mtimes[name] = int(path.stat().st_mtime)
            written.images["real"] += 1
        elif placed.image is not None and (
            not NO_FILE.fullmatch(name.path) or any(step.symbol for step in placed.keys)
        ):
            samplefile.write_file(path, placed.image)
            os.utime(path, (plan.mtime, plan.mtime))
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
