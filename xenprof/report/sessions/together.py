"""Tells which current sessions were sampled together, so that their shares can be compared."""

from dataclasses import replace

from xenprof.home import DOMAIN_0
from xenprof.report.sessions.places import Place, Source
from xenprof.store.begun import only_run
from xenprof.store.sessiondir import CURRENT


def together(place: Place, domains: frozenset[str]) -> tuple[Place, tuple[str, ...]]:
    """Return the place without sessions of another time, and the names of their domains.

    The time is that of the sessions of `domains`, else of domain 0's, which takes part in all.
    Sessions are of another time if they belong to another `xenprof profile`, or if only one of
    them belongs to any. What was saved under a name stays as it is.
    """
    runs = {source: only_run(source.session) for source in place.sources if _is_current(source)}
    wanted = {runs[source] for source in runs if source.domain in domains} or {
        runs[source] for source in runs if source.domain == DOMAIN_0
    }
    if not wanted:
        return place, ()
    others = [source for source in runs if runs[source] not in wanted]
    kept = tuple(source for source in place.sources if source not in others)
    return replace(place, sources=kept), tuple(source.domain for source in others)


def _is_current(source: Source) -> bool:
    return source.session.name == CURRENT
