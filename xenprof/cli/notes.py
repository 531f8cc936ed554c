"""Prints what the original programs are silent about: lines `note: ...` on standard error."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from hypervisor.nearest import nearest

_UNKNOWN_DOMAIN = re.compile(r"[Dd]omain '([^']*)'(?: does not exist\.|$)")
_UNKNOWN_EVENT = re.compile(r'No such event "([^"]*)"')


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
    """Say which domain or event is most like the one that a message says does not exist.

    `domains` are the names of domains; None: those of HOME, None: of the usual one.
    """
    if domain := _UNKNOWN_DOMAIN.search(message):
        note_nearest(domain[1], _domains(home) if domains is None else domains)
    elif event := _UNKNOWN_EVENT.search(message):
        from xenprof.cputypes import CPU_TYPES
        from xenprof.events import events

        note_nearest(event[1], {name for cpu_type in CPU_TYPES for name in events(cpu_type.name)})


def _domains(home: Path | None) -> Iterable[str]:
    from xenprof.home import domain_names, domains_folder
    from xenprof.home import home as usual_home

    return domain_names(domains_folder(home or usual_home())).values()
