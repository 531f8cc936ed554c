"""Finds sessions: below HOME, or in a directory that the user names.

One that has lost all its samples is a session too, so that kept and lost samples add up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from hypervisor.errors import UnknownDomain
from xenprof.errors import UsageError
from xenprof.home import (
    DOMAIN_0,
    SESSION_DIR,
    domain_names,
    domains_folder,
    has_domain_names,
    resolve_domain,
)
from xenprof.profile.spelling import spelled
from xenprof.store.losses import not_kept
from xenprof.store.sessiondir import CURRENT

_SAMPLES = Path(SESSION_DIR.lstrip("/"), "samples")
_TREES = ("{root}", "{kern}")


@dataclass(frozen=True, slots=True)
class Source:
    """A domain's session: its samples are in `session`, its images below `root`."""

    domain: str
    root: Path
    session: Path


@dataclass(frozen=True, slots=True)
class Place:
    """Sessions of several domains that belong together, domain 0's first.

    `names` are those of domains by id, for passive domains, which samples know by their id;
    `roots` are where the images of each are.
    """

    title: str
    sources: tuple[Source, ...]
    names: Mapping[int, str] = field(default_factory=dict)
    roots: Mapping[str, Path] = field(default_factory=dict)


def named_session(home: Path, session: str) -> Place:
    """Return the sessions of that name of all domains below a HOME.

    Raises: UsageError: none of the domains has a session of that name.
    """
    roots = _roots(domains_folder(home))
    sources = _sources(roots, session)
    if not sources:
        known = sorted({name for root in roots.values() for name in _sessions(root)})
        there = f"there are {', '.join(known)}" if known else f"there are none below {home}"
        raise UsageError(f"no domain has a session {session}; {there}")
    return Place(f"session {session}", sources, domain_names(domains_folder(home)), roots)


def sessions_below(home: Path) -> dict[str, Sequence[str]]:
    """Return the sessions of all domains below a HOME, `current` first, with their domains.

    Left out are names that are not UTF-8, and those that a user would have to write as a path.
    """
    found: dict[str, list[str]] = {}
    for domain, root in _roots(domains_folder(home)).items():
        for name in sorted(_sessions(root)):
            if name == spelled(name) and not name.startswith("."):
                found.setdefault(name, []).append(spelled(domain))
    return dict(sorted(found.items(), key=lambda item: (item[0] != CURRENT, item[0])))


def place_at(path: Path) -> Place:
    """Return the sessions that a path stands for.

    It may be a HOME, a directory of archives (as `xenprof import` makes one), one archive or
    domain's root, a session directory, or one session in it.

    Raises: UsageError: it is none of these.
    """
    title = str(path)
    if _is_session(path):
        path = path.resolve()
        root = path.parents[4] if path.parts[-5:-1] == _SAMPLES.parts else Path("/")
        name = unquote(root.name) or DOMAIN_0
        beside = _beside(root)
        return Place(title, (Source(name, root, path),), domain_names(root.parent), beside)
    if (path / "samples" / CURRENT).is_dir():
        return place_at(path / "samples" / CURRENT)
    if (path / _SAMPLES).is_dir():
        root = path.resolve()
        place = {unquote(root.name) or DOMAIN_0: root}
        folder, roots = root.parent, _beside(root)
    else:
        folder = domains_folder(path) if domains_folder(path).is_dir() else path
        place = roots = _roots(folder)
    sources = _sources(place, CURRENT)
    if not sources:
        raise UsageError(f"{path}: no session of samples is there")
    return Place(title, sources, domain_names(folder), roots)


def chosen_domains(home: Path, place: Place, words: Sequence[str]) -> frozenset[str]:
    """Return the names of the domains that the user named by name or id; empty: all.

    Raises: UnknownDomain.
    """
    known = {*place.roots, *place.names.values(), *(source.domain for source in place.sources)}
    found = set()
    for word in words:
        name = word if word in known else resolve_domain(home, word)
        if name not in known:
            raise UnknownDomain(word)
        found.add(name)
    return frozenset(found)


def _beside(root: Path) -> dict[str, Path]:
    """Return the domain at `root`, and those beside it if its folder holds domains."""
    found = _roots(root.parent) if has_domain_names(root.parent) else {}
    return found | {unquote(root.name) or DOMAIN_0: root}


def _roots(folder: Path) -> dict[str, Path]:
    """Return the directories of domains by name, domain 0's first."""
    try:
        entries = sorted(entry for entry in folder.iterdir() if entry.is_dir())
    except OSError:
        return {}
    roots = {unquote(entry.name): entry for entry in entries if not entry.name.startswith(".")}
    return dict(sorted(roots.items(), key=lambda item: (item[0] != DOMAIN_0, item[0])))


def _sessions(root: Path) -> list[str]:
    try:
        return [entry.name for entry in (root / _SAMPLES).iterdir() if _is_session(entry)]
    except OSError:
        return []


def _is_session(path: Path) -> bool:
    """Return whether a directory has samples, or the note that samples were lost."""
    return any((path / tree).is_dir() for tree in _TREES) or bool(not_kept(path, {}))


def _sources(roots: Mapping[str, Path], session: str) -> tuple[Source, ...]:
    return tuple(
        Source(name, root, root / _SAMPLES / session)
        for name, root in roots.items()
        if session in _sessions(root)
    )
