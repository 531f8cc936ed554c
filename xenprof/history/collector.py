"""Collects what was added to the current sessions of all domains since the last look.

Counts in sample files only grow until a session is reset or saved, so new samples are a
difference. A session is known by its directory's inode: it stays the same when a domain is
renamed, and the session after a saved one has another.
"""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from xenprof.errors import StoreError, UsageError
from xenprof.profile.flat import Profile, SampleFile, SampleKey
from xenprof.profile.stacks import StackProfile
from xenprof.report.sessions.places import Place, Source, named_session
from xenprof.report.views.merge import merged
from xenprof.store.losses import NEVER_READ, UNREAD, session_losses, session_unread
from xenprof.store.sessiondir import CURRENT, list_files, read_file, session_abi
from xenprof.store.stackfile import read_stacks

_Stamp = tuple[int, int, int]
_Identity = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Collected:
    """New samples of one domain's session, in its sample files or in its stacks, and its losses."""

    source: Source
    files: Profile | None = None
    stacks: StackProfile | None = None
    lost: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cut:
    """New samples of all domains."""

    names: Mapping[int, str] = field(default_factory=dict)
    roots: Mapping[str, Path] = field(default_factory=dict)
    parts: tuple[Collected, ...] = ()


@dataclass(slots=True)
class _Known:
    """The contents of a session at the last look."""

    files: dict[SampleKey, tuple[_Stamp, SampleFile]] = field(default_factory=dict)
    lost: Mapping[str, int] = field(default_factory=dict)
    stacks: StackProfile | None = None

    def settle(self, session: Path) -> None:
        """Take all losses of the session (its directory) as known."""
        recorded = {} if self.stacks is None else self.stacks.lost
        lost = Counter(session_losses(session, recorded))
        # The next daemon of the session counts as lost what the last one has not read.
        lost[NEVER_READ] += session_unread(session).get(UNREAD, 0)
        self.lost = lost
        if self.stacks is not None:
            self.stacks = replace(self.stacks, lost=lost)


class Collector:
    """Looks at the sessions below a HOME. All methods belong to the store's thread."""

    def __init__(self, home: Path, warn: Callable[[str], None]) -> None:
        self._home = home
        self._warn = warn
        self._warned: set[str] = set()
        self._sessions: dict[_Identity, _Known] = {}

    def begin(self) -> None:
        """Treat all samples and losses as old; no daemon runs yet."""
        self.forget()
        for source in self._place().sources:
            identity = _identity(source)
            if identity is not None:
                self._sessions.setdefault(identity, _Known()).settle(source.session)

    def forget(self) -> None:
        """Treat all samples as old, after a session was reset or saved."""
        self._sessions.clear()
        self.collect()

    def collect(self) -> Cut:
        """Return the new samples of all sessions."""
        place = self._place()
        found: dict[_Identity, _Known] = {}
        parts = []
        for source in place.sources:
            identity = _identity(source)
            if identity is None:
                continue
            before = self._sessions.get(identity, _Known())
            now, part = self._look(source, before)
            found[identity] = now
            if part is not None:
                parts.append(part)
        self._sessions = found
        return Cut(place.names, place.roots, tuple(parts))

    def _place(self) -> Place:
        try:
            return named_session(self._home, CURRENT)
        except UsageError:
            return Place("", ())

    def _look(self, source: Source, before: _Known) -> tuple[_Known, Collected | None]:
        try:
            whole = read_stacks(source.session)
            if whole is not None:
                lost = session_losses(source.session, whole.lost)
                return _look_at_stacks(source, replace(whole, lost=lost), before)
            return self._look_at_files(source, before)
        except StoreError as error:
            self._tell(str(error))
            return before, None

    def _look_at_files(self, source: Source, before: _Known) -> tuple[_Known, Collected | None]:
        """Collect the growth of sample files. Raises: StoreError (the session cannot be listed)."""
        abi = session_abi(source.session)
        now = _Known()
        new = []
        for key, path in list_files(source.session, with_calls=False):
            if key.callee is not None:
                continue
            known = before.files.get(key)
            try:
                stamp = _stamp(path)
                if known is not None and known[0] == stamp:
                    now.files[key] = known
                    continue
                file = read_file(key, path, abi)
            except FileNotFoundError:
                continue
            except StoreError as error:
                self._tell(str(error))
                continue
            now.files[key] = (stamp, file)
            grown = file if known is None else growth(known[1], file)
            if len(grown.offsets):
                new.append(grown)
        if not new:
            now.lost = before.lost  # losses alone make no slice: they go with the next samples
            return now, None
        now.lost = session_losses(source.session, {})
        lost = _growth_of_losses(before.lost, now.lost)
        return now, Collected(source, files=Profile(tuple(new)), lost=lost)

    def _tell(self, line: str) -> None:
        if line not in self._warned:
            self._warned.add(line)
            self._warn(line)


def growth(before: SampleFile, now: SampleFile) -> SampleFile:
    """Return the growth of a sample file; all of it if a count fell, for then it was restarted."""
    order = np.argsort(now.offsets)
    offsets, counts = now.offsets[order], now.counts[order].copy()
    places = np.searchsorted(offsets, before.offsets)
    if len(before.offsets) and (
        int(places.max()) >= len(offsets)
        or (offsets[places] != before.offsets).any()
        or (counts[places] < before.counts).any()
    ):
        return now
    counts[places] -= before.counts
    gained = counts != 0
    return SampleFile(now.key, now.header, offsets[gained], counts[gained])


def stacks_growth(before: StackProfile, now: StackProfile) -> StackProfile:
    """Return the growth of recorded stacks; all of them if a count fell, as in `growth`.

    Frames that no stack uses any more may remain.
    """
    found = _difference(before, now)
    if (found.values < 0).any() or min(found.lost.values(), default=0) < 0:
        return now
    rows = np.flatnonzero(found.values.any(axis=1)).tolist()
    return replace(
        found,
        stacks=tuple(found.stacks[row] for row in rows),
        values=found.values[rows],
        lost={reason: count for reason, count in found.lost.items() if count},
    )


def _difference(before: StackProfile, now: StackProfile) -> StackProfile:
    """Return `now` minus `before`; counts that fell are negative."""
    stacks, types = len(before.stacks), len(before.types)
    if (
        now.stacks[:stacks] != before.stacks
        or now.types[:types] != before.types
        or now.frames[: len(before.frames)] != before.frames
    ):
        lost = {reason: -count for reason, count in before.lost.items()}
        return merged([now, replace(before, values=-before.values, lost=lost)])
    # The store adds new stacks at the end, so nothing has to be matched.
    values = now.values.copy()
    values[:stacks, :types] -= before.values
    reasons = {*before.lost, *now.lost}
    lost = {each: now.lost.get(each, 0) - before.lost.get(each, 0) for each in sorted(reasons)}
    return replace(now, values=values, lost=lost)


def _look_at_stacks(
    source: Source, whole: StackProfile, before: _Known
) -> tuple[_Known, Collected | None]:
    if before.stacks is None:
        new = replace(whole, lost=_growth_of_losses(before.lost, whole.lost))
    else:
        new = stacks_growth(before.stacks, whole)
    if not new.stacks:
        return before, None
    return _Known(stacks=whole), Collected(source, stacks=new)


def _growth_of_losses(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    """Return the growth of the losses of each reason; all of it where they fell."""
    return {
        name: value - before.get(name, 0) if value >= before.get(name, 0) else value
        for name, value in now.items()
    }


def _identity(source: Source) -> _Identity | None:
    """Return what a session is known by; None if it is gone."""
    try:
        status = source.session.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _stamp(path: Path) -> _Stamp:
    """Return a stamp that changes if a file is replaced.

    Raises: FileNotFoundError, StoreError.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(str(path), f"{path}: {os.strerror(error.errno or 0)}") from error
    return status.st_ino, status.st_mtime_ns, status.st_size
