"""Where the state of xenprof lives on disk: HOME, and one directory per domain below it."""

import json
import os
from pathlib import Path
from urllib.parse import quote

from hypervisor.errors import UnknownDomain


def home() -> Path:
    """Return $XENPROF_HOME, else $XDG_STATE_HOME/xenprof, else ~/.local/state/xenprof."""
    if chosen := os.environ.get("XENPROF_HOME"):
        return Path(chosen).absolute()
    if state := os.environ.get("XDG_STATE_HOME"):
        return Path(state).absolute() / "xenprof"
    return Path.home() / ".local" / "state" / "xenprof"


def domain_root(home: Path, name: str) -> Path:
    """Return the directory that is `/` for the domain called `name`.

    The name is percent-encoded, dots at its start too: `..` is a legal name for a domain
    and must not be one for a directory.
    """
    encoded = quote(name, safe="")
    if encoded.startswith("."):
        encoded = "%2E" + encoded[1:]
    return home / "domains" / encoded


def resolve_domain(home: Path, ref: str) -> str:
    """Return the name of the domain that `ref`, a name or a numeric id, stands for.

    Raises:
        UnknownDomain: there is no domain with this id, nor one with this name.
    """
    if not ref.isascii() or not ref.isdigit():
        return ref
    try:
        names = json.loads((home / "domains" / ".ids").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        names = {}
    if name := names.get(ref) if isinstance(names, dict) else None:
        return str(name)
    if domain_root(home, ref).is_dir():
        return ref
    raise UnknownDomain(ref)
