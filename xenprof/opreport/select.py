"""Reads the part of session directories' profile that a specification selects."""

import os
import posixpath
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from xenprof.images.finder import image_finders, look_up
from xenprof.opreport.classes import Merge
from xenprof.opreport.errors import NoSamplesError, NothingSelectedError, ReportError
from xenprof.opreport.names import long_name
from xenprof.opreport.notes import session_warnings
from xenprof.opreport.specification import Names, Specification
from xenprof.profile.flat import ImageName, Profile, SampleFile, SampleKey
from xenprof.profile.losses import lost_text
from xenprof.store.abi import Abi
from xenprof.store.losses import not_kept
from xenprof.store.sessiondir import (
    StoredFile,
    has_files,
    list_files,
    read_files,
    read_stats,
    session_abi,
)


@dataclass(frozen=True, slots=True)
class Place:
    """The place of sessions, and the directory that their image paths start from ("" is /).

    `image_path` is where else to look for images if the user names no path. `is_domain` is set
    where `archive` is the root of one of our domains, whose users do not see it.
    """

    session_dir: Path
    archive: str = ""
    image_path: tuple[str, ...] = ()
    is_domain: bool = False


def session_paths(place: Place, specification: Specification) -> list[Path]:
    """Return the directories of the sessions that a specification names."""
    return [
        Path(session) if session[0] in "/." else place.session_dir / "samples" / session
        for session in specification.sessions
        if session
    ]


def is_dependent(key: SampleKey) -> bool:
    """Return whether --exclude-dependent leaves a sample file out."""
    if key.callee is None:
        return key.app != key.image
    return not key.callee == key.app == key.image


def image_names(place: Place, image_path: Sequence[str] = (), root: str = "") -> Names:
    """Return the function that returns an image's names: its own, and its file's as users see it.

    A module's own name has no directory and no ending, so that patterns are for its file.
    """
    finders = image_finders(place.archive, root, image_path, is_domain=place.is_domain)
    known: dict[ImageName, Sequence[str]] = {}

    def names(image: ImageName) -> Sequence[str]:
        if image not in known:
            own, path = long_name(image), look_up(finders, image)[0]
            file = "" if path is None else str(path)
            if place.is_domain:
                file = file.removeprefix(place.archive)
            known[image] = (own, file) if file and file != own else (own,)
        return known[image]

    return names


def _nothing_kept(sessions: Sequence[Path]) -> NothingSelectedError:
    """Return the error of sessions without samples, with a note of those they have lost."""
    error = NothingSelectedError()
    lost: Counter[str] = Counter()
    for session in sessions:
        lost.update(not_kept(session, {}))
    if lost:
        error.add_note(f"no samples were kept; {lost_text(lost)}")
    return error


_APART = Merge()


def _quiet(line: str) -> None:
    """Drop a warning."""


def select(
    place: Place,
    specification: Specification,
    *,
    exclude_dependent: bool = False,
    callgraph: bool = False,
    merge: Merge = _APART,
    warn: Callable[[str], None] = _quiet,
    names: Names | None = None,
) -> Profile:
    """Return the selected sample files of all sessions of a specification.

    `names` are those of images that patterns are for; by default, as found in the place.

    Raises:
        NoSamplesError, NothingSelectedError: there are no sample files, or none is selected.
        ReportError: no session is left, or two sessions have the same file (unless applications
            are merged: then they are added up).
        StoreError: a sample file cannot be opened, or all are damaged.
    """
    if not specification.sessions:
        raise ReportError(_no_session(specification))
    names = names or image_names(place, place.image_path)
    has_any = False
    images: set[ImageName] = set()
    found: dict[str, tuple[SampleKey, Path, Abi | None]] = {}
    lost: dict[str, int] = {}
    for named in session_paths(place, specification):
        session = named.absolute()
        nested: list[str] = []
        abi = session_abi(session)
        files = list_files(session, with_calls=callgraph, nested=nested)
        if files or nested or has_files(session):
            has_any = True
            stats = read_stats(session)
            for reason, count in stats.items():
                lost[reason] = lost.get(reason, 0) + count
            for line in session_warnings(session, stats, place.session_dir):
                warn(line)
        if nested:
            warn(f"Warning: Invalid sample files found in {os.path.realpath(session)}")
            warn("This problem can be caused by too high of a sampling rate.")
        images.update(key.image for key, _ in files)
        for key, path in files:
            if specification.matches(key, names) and not (exclude_dependent and is_dependent(key)):
                found[str(path)] = (key, path, abi)
    if not has_any:
        raise NoSamplesError
    if not images:
        raise _nothing_kept(session_paths(place, specification))
    if not found:
        for line in _ways_to_write(specification, images):
            warn(line)
        raise NothingSelectedError
    chosen = [found[path] for path in sorted(found)]
    if not merge.lib:
        _refuse_doubles(chosen)
    whole = read_files(chosen, lambda line: warn(f"warning: {line}"))
    return Profile(whole, place.archive, lost)


def _ways_to_write(specification: Specification, images: set[ImageName]) -> Iterator[str]:
    """Yield, for each word that is only the last part of an image's path, how it is written."""
    words = [*specification.paths, *specification.values.get("image", ())]
    for word in words:
        name = posixpath.basename(word)
        paths = sorted({long_name(one) for one in images})
        full = [path for path in paths if posixpath.basename(path) == name != path]
        if full:
            yield f"note: an image is named by its whole path: {full[0]}, or image:*/{name}"


def _refuse_doubles(files: list[tuple[SampleKey, Path, Abi | None]]) -> None:
    """Refuse two files of one key. Raises: ReportError."""
    seen: dict[SampleKey, Path] = {}
    for key, path, _ in files:
        if key.callee is None and key in seen:
            task = ("all" if number is None else str(number) for number in (key.tgid, key.tid))
            raise ReportError(
                "sanitize_profile_sample_files(): sample file parsed twice ?\n"
                f"sample_filename:\n{seen[key]}\n{path}\n"
                f"{long_name(key.app)} {long_name(key.image)} {key.event} {key.count} "
                f"{key.unit_mask} {' '.join(task)} {'all' if key.cpu is None else key.cpu}\n\n"
            )
        seen[key] = path


def _no_session(specification: Specification) -> str:
    lines = ["No session given", "included session was:"]
    lines += specification.values.get("session", ("current",))
    lines.append("excluded session was:")
    lines += specification.values.get("session-exclude", ())
    return "\n".join([*lines, ""])


def path_of(file: SampleFile) -> str:
    """Return the path that a sample file was read from; its image's name if that is unknown."""
    return file.path if isinstance(file, StoredFile) else long_name(file.key.image)
