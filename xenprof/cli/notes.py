"""Prints what the original programs are silent about: lines `note: ...` on standard error."""

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from hypervisor.nearest import nearest

_UNKNOWN_DOMAIN = re.compile(r"[Dd]omain '([^']*)'(?: does not exist\.|$)")
_UNKNOWN_ID = re.compile(r"Domain '\d+' does not exist\.")
_UNKNOWN_EVENT = re.compile(r'No such event "([^"]*)"')
_UNKNOWN_WORD = re.compile(
    r"'([^']*)' is (?:not one|none|neither a mask nor one) of:? (.*)", re.DOTALL
)
_NO_IDS = re.compile(r"'([^']*)' is not a list of domain ids")
_PATIENCE_SECONDS = 5


def note(text: str) -> None:
    """Print a note after what was printed before it."""
    sys.stdout.flush()
    print(f"note: {text}", file=sys.stderr)


def note_nearest(word: str, known: Iterable[str], shown: str = "{}") -> None:
    """Say which of `known` is most like a word that is none of them, if one is near."""
    near = nearest(word, known)
    if near is not None:
        note(f"did you mean {shown.format(near)}?")


def note_what_was_meant(
    message: str, home: Path | None = None, domains: Iterable[str] | None = None
) -> None:
    """Say which domain, event or word is most like the one that a message says does not exist.

    For an id that no domain has it is said which domains run, and for names where only ids
    are understood their ids. `domains` are the names of domains; None: those of HOME, None: of
    the usual one.
    """
    if _UNKNOWN_ID.search(message) and domains is None:
        if there := _running(home):
            note(
                "the domains that run are "
                + ", ".join(f"{name} ({domid})" for name, domid in there.items())
            )
    elif domain := _UNKNOWN_DOMAIN.search(message):
        note_nearest(domain[1], _domains(home) if domains is None else domains)
    elif names := _NO_IDS.search(message):
        _note_ids(names[1].split(","), _running(home))
    elif unknown := _UNKNOWN_WORD.search(message):
        known = re.findall(r"[\w.-]+", unknown[2])
        for word in unknown[1].split(","):
            if word not in known:
                note_nearest(word, known)
    elif event := _UNKNOWN_EVENT.search(message):
        from xenprof.cputypes import CPU_TYPES
        from xenprof.events import events

        note_nearest(event[1], {name for cpu_type in CPU_TYPES for name in events(cpu_type.name)})


def _note_ids(words: Iterable[str], ids: Mapping[str, int]) -> None:
    for word in words:
        if word in ids:
            note(f"the id of {word} is {ids[word]}")
        else:
            note_nearest(word, ids)


def _running(home: Path | None) -> Mapping[str, int]:
    """Return the ids of the domains that run by their names; none if no service does."""
    from hypervisor.telemetry import HostSnapshot
    from xenprof.client import Client, ServiceError
    from xenprof.home import home as usual_home
    from xenprof.wire.paths import SNAPSHOT

    try:
        host = Client(home or usual_home(), _PATIENCE_SECONDS).get(SNAPSHOT, HostSnapshot)
    except ServiceError:
        return {}
    return {domain.name: domain.domid for domain in host.domains}


def _domains(home: Path | None) -> Iterable[str]:
    from xenprof.home import domain_names, domains_folder
    from xenprof.home import home as usual_home

    return domain_names(domains_folder(home or usual_home())).values()
