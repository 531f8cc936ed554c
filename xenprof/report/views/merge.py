"""Merges several profiles: frames and equal stacks once, counts added up."""

from collections.abc import Sequence

import numpy as np

from xenprof.profile.stacks import Frame, SampleType, StackProfile


def merged(parts: Sequence[StackProfile]) -> StackProfile:
    """Return the sum of profiles, with frames and stacks sorted and unused ones left out.

    It starts with the first of them and ends with the last, where that is known.
    """
    used = sorted({part.frames[step] for part in parts for step in _steps(part)})
    number: dict[Frame, int] = {frame: index for index, frame in enumerate(used)}
    types = sorted(
        {kind for part in parts for kind in part.types},
        key=lambda kind: (kind.event, kind.period, kind.unit_mask),
    )
    columns: dict[SampleType, int] = {kind: index for index, kind in enumerate(types)}
    rows: dict[tuple[int, ...], int] = {}
    places, counts = [], []
    for part in parts:
        # Frames that no stack uses have no number, and none is needed.
        codes = [number.get(frame, -1) for frame in part.frames]
        stacks = [tuple([codes[step] for step in stack]) for stack in part.stacks]
        places.append(np.array([rows.setdefault(s, len(rows)) for s in stacks], np.int64))
        values = np.zeros((len(stacks), len(types)), np.int64)
        values[:, [columns[kind] for kind in part.types]] = part.values
        counts.append(values)
    sums = np.zeros((len(rows), len(types)), np.int64)
    for place, values in zip(places, counts, strict=True):
        np.add.at(sums, place, values)
    order = sorted(rows)
    lost: dict[str, int] = {}
    for part in parts:
        for reason, count in part.lost.items():
            lost[reason] = lost.get(reason, 0) + count
    start, duration = _time(parts)
    return StackProfile(
        tuple(used),
        tuple(order),
        sums[[rows[stack] for stack in order]],
        tuple(types),
        next((part.host for part in parts if part.host), ""),
        max((part.cpu_mhz for part in parts), default=0.0),
        start,
        duration,
        dict(sorted(lost.items())),
    )


def only(profile: StackProfile, columns: Sequence[int]) -> StackProfile:
    """Return the profile with only some of its events, and the stacks with samples of these."""
    values = profile.values[:, list(columns)]
    rows = np.flatnonzero(values.any(axis=1)).tolist()
    return StackProfile(
        profile.frames,
        tuple(profile.stacks[row] for row in rows),
        values[rows],
        tuple(profile.types[column] for column in columns),
        profile.host,
        profile.cpu_mhz,
        profile.start_unix_ns,
        profile.duration_ns,
        profile.lost,
    )


def _steps(profile: StackProfile) -> set[int]:
    found: set[int] = set()
    for stack in profile.stacks:
        found.update(stack)
    return found


def _time(parts: Sequence[StackProfile]) -> tuple[int | None, int | None]:
    known = [
        (part.start_unix_ns, part.start_unix_ns + part.duration_ns)
        for part in parts
        if part.start_unix_ns is not None and part.duration_ns is not None
    ]
    if not known:
        starts = [part.start_unix_ns for part in parts if part.start_unix_ns is not None]
        durations = [part.duration_ns for part in parts if part.duration_ns is not None]
        return min(starts, default=None), max(durations, default=None)
    start = min(begin for begin, _ in known)
    return start, max(end for _, end in known) - start
