"""Knows where xenprof keeps its state on disk: HOME, and the roots of the domains below it.

    HOME/domains/NAME/                      `/` of the domain NAME, laid out as an oprofile archive
    HOME/domains/NAME/var/lib/oprofile/     its session directory, if it names no other
    HOME/domains/.ids                       the names of all domains by id, past ones too

A directory of archives, as `xenprof import` makes one, is a folder of roots as well.
"""

import json
import os
import posixpath
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from hypervisor.domain0 import DOMAIN_0 as DOMAIN_0
from hypervisor.domain0 import DOMAIN_0_ID as DOMAIN_0_ID
from hypervisor.errors import UnknownDomain
from xenprof.disk import DISK, Disk, put

SESSION_DIR = "/var/lib/oprofile"
"""The session directory as the domain's users see it."""
XEND_LOG = "/var/log/xen/xend.log"
"""xend's log in domain 0."""

_IDS = ".ids"


def home() -> Path:
    """Return $XENPROF_HOME, else $XDG_STATE_HOME/xenprof, else ~/.local/state/xenprof."""
    if chosen := os.environ.get("XENPROF_HOME"):
        return Path(chosen).absolute()
    if state := os.environ.get("XDG_STATE_HOME"):
        return Path(state).absolute() / "xenprof"
    return Path.home() / ".local" / "state" / "xenprof"


def domains_folder(home: Path) -> Path:
    """Return the folder that holds the roots of a HOME's domains."""
    return home / "domains"


def domain_root(home: Path, name: str) -> Path:
    """Return the directory that is `/` for the domain called `name`.

    The name is percent-encoded, dots at its start too: `..` is a legal name for a domain
    and must not be one for a directory.
    """
    encoded = quote(name, safe="")
    if encoded.startswith("."):
        encoded = "%2E" + encoded[1:]
    return domains_folder(home) / encoded


def inside(root: Path, path: str) -> Path:
    """Return the place of a domain's path below its root; `..` does not lead out of it."""
    return root / posixpath.normpath(f"/{path}").lstrip("/")


def has_domain_names(folder: Path) -> bool:
    """Return whether a folder of roots has the file with the names of its domains."""
    return (folder / _IDS).is_file()


def domain_names(folder: Path) -> dict[int, str]:
    """Return the names of domains by id from the file in the folder of their roots, if any."""
    try:
        found = json.loads((folder / _IDS).read_text(encoding="utf-8"))
        return {int(domid): str(name) for domid, name in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def note_domain_names(folder: Path, names: Mapping[int, str], disk: Disk = DISK) -> None:
    """Write the names of domains by id into the folder of their roots. Raises: OSError."""
    text = json.dumps({str(domid): name for domid, name in sorted(names.items())})
    put(folder / _IDS, f"{text}\n".encode(), disk)


def resolve_domain(home: Path, ref: str) -> str:
    """Return the name of the domain that `ref`, a name or a numeric id, stands for.

    Raises:
        UnknownDomain: there is no domain with this id, nor one with this name.
    """
    if not ref.isascii() or not ref.isdigit():
        return ref
    names = {str(domid): name for domid, name in domain_names(domains_folder(home)).items()}
    if name := names.get(ref):
        return name
    if domain_root(home, ref).is_dir():
        return ref
    raise UnknownDomain(ref)
