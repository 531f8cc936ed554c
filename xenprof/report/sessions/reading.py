"""Reads sessions as a StackProfile: flat samples as stacks of one frame, and recorded stacks."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from xenprof.errors import CorruptSampleFile, StoreError, VersionMismatch
from xenprof.home import DOMAIN_0
from xenprof.images.demangle import demangle
from xenprof.profile.flat import ImageName, Profile, SampleFile
from xenprof.profile.stacks import Frame, SampleType, StackProfile
from xenprof.report.sessions.attribution import Attribution, Owner, passive_domain, symbol_rows
from xenprof.report.sessions.places import Place
from xenprof.report.views.merge import merged
from xenprof.store.losses import not_kept
from xenprof.store.placing import damaged_files, was_set_aside
from xenprof.store.sessiondir import read_profile
from xenprof.store.stackfile import read_stacks, stack_path
from xenprof.store.unseen import check_unseen, read_unseen


def read_place(
    place: Place,
    *,
    domains: frozenset[str] = frozenset(),
    image_path: tuple[str, ...] = (),
    warn: Callable[[str], None],
) -> StackProfile:
    """Return the samples of all sessions of a place.

    Only stacks that pass through one of `domains` (empty: any) are kept. Samples of a passive
    domain are in domain 0's session; an archive of such a domain repeats them and is not read.

    Damaged files are left out with a warning, and stacks that cannot be read for the sample files.

    Raises: StoreError (a sample file cannot be opened, or there are damaged ones only).
    """
    parts: list[StackProfile] = []
    damaged: list[StoreError] = []
    known_passive: frozenset[int] = frozenset()
    for source in place.sources:
        try:
            check_unseen(source.session)
        except StoreError as error:
            warn(f"{error}: what was lost may be missing")
        if aside := damaged_files(source.session):
            warn(f"{source.session}: {aside} damaged files were set aside")
        try:
            # New stacks after damaged ones lack the samples of those; the sample files have all.
            is_whole = not was_set_aside(source.session, stack_path(source.session))
            part = read_stacks(source.session) if is_whole else None
        except StoreError as error:  # the sample files have the same samples
            damaged.append(error)
            part = None
        if part is None:
            try:
                profile = read_profile(
                    source.session,
                    str(source.session.absolute()),
                    select=lambda key: key.callee is None,
                    warn=warn,
                )
            except (CorruptSampleFile, VersionMismatch) as error:
                damaged.append(error)
                continue
            passive = {passive_domain(file.key.image) for file in profile.files} - {None}
            files = profile.files
            if source.domain == DOMAIN_0:
                known_passive = frozenset(number for number in passive if number is not None)
            else:
                files = tuple(
                    file for file in files if passive_domain(file.key.image) not in known_passive
                )
                if profile.files and not files:  # its losses are repeated as well
                    continue
            attribution = Attribution(source, place.names, place.roots, image_path, warn)
            part = flat(profile.select(files), attribution)
        parts.append(replace(part, lost=not_kept(source.session, part.lost)))
    if damaged and not parts:
        raise damaged[0]
    for each in damaged:
        warn(f"{each}: left out")
    found = merged(parts)
    return _main_first(passing(found, domains) if domains else found, place)


def flat(profile: Profile, attribution: Attribution) -> StackProfile:
    """Return sample files as a stack profile; samples outside any symbol keep their image."""
    types = sorted(
        {SampleType(f.key.event, f.key.count, f.key.unit_mask) for f in profile.files},
        key=lambda kind: (kind.event, kind.period, kind.unit_mask),
    )
    column = {kind: index for index, kind in enumerate(types)}
    counts: dict[Frame, list[int]] = {}
    for (image, owner), files in _by_image(profile.files, attribution):
        symbols = attribution.symbols(image, owner)
        for file in files:
            kind = SampleType(file.key.event, file.key.count, file.key.unit_mask)
            rows = symbol_rows(file, symbols) + 1
            sums = np.zeros(int(rows.max(initial=0)) + 1, np.int64)
            np.add.at(sums, rows, file.counts.astype(np.int64))
            for row in np.flatnonzero(sums).tolist():
                name = demangle(symbols.names[row - 1]) if row and symbols is not None else ""
                frame = Frame(name, _shown(image), owner.layer, owner.domain)
                counts.setdefault(frame, [0] * len(types))[column[kind]] += int(sums[row])
    frames = tuple(sorted(counts))
    values = np.array([counts[frame] for frame in frames], np.int64).reshape(
        len(frames), len(types)
    )
    speeds = [file.header.cpu_mhz for file in profile.files]
    return StackProfile(
        frames,
        tuple((index,) for index in range(len(frames))),
        values,
        tuple(types),
        cpu_mhz=max(speeds, default=0.0),
    )


def passing(profile: StackProfile, domains: frozenset[str]) -> StackProfile:
    """Return the stacks that have a frame of one of `domains`."""
    wanted = [frame.domain in domains for frame in profile.frames]
    rows = [row for row, stack in enumerate(profile.stacks) if any(wanted[step] for step in stack)]
    stacks = tuple(profile.stacks[row] for row in rows)
    kept = replace(profile, stacks=stacks, values=profile.values[rows])
    return merged([kept])


def _main_first(profile: StackProfile, place: Place) -> StackProfile:
    """Return the profile with the event in front that an imported file shows first."""
    noted = {
        value
        for source in place.sources
        for key, value in read_unseen(source.session)
        if key == "main_event"
    }
    order = sorted(range(len(profile.types)), key=lambda at: profile.types[at].text not in noted)
    return replace(
        profile,
        values=profile.values[:, order],
        types=tuple(profile.types[column] for column in order),
    )


def _by_image(
    files: Iterable[SampleFile], attribution: Attribution
) -> list[tuple[tuple[ImageName, Owner], list[SampleFile]]]:
    groups: dict[tuple[ImageName, Owner], list[SampleFile]] = {}
    for file in files:
        groups.setdefault((file.key.image, attribution.owner(file)), []).append(file)
    return list(groups.items())


def _shown(image: ImageName) -> str:
    """Return the name of an image; all anonymous memory of a domain is one image."""
    return image.path if image.kind != "anon" else f"[{image.path.strip('[]')}]"
