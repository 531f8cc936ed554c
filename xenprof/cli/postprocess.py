"""Holds what the programs that read sessions share: options, and the choice of the session.

Source of the interface: oprofile pp/common_option.cpp, pp/popt_options.cpp (1.5).
"""

import os
import re
import sys
from typing import TYPE_CHECKING

from xenprof.cli.popt import Option
from xenprof.cli.program import CommandLine, warn
from xenprof.errors import UsageError
from xenprof.opreport.errors import ReportError

if TYPE_CHECKING:
    from xenprof.opreport.select import Place
    from xenprof.opreport.specification import Specification

COMMON_OPTIONS = (
    Option("verbose", "V", "accepted for compatibility", "all,debug,bfd,..."),
    Option("session-dir", "", "directory of the sessions", "dir"),
    Option("image-path", "p", "more places to look for images in", "dir,..."),
    Option("root", "R", "look for images below this directory", "dir"),
    Option("domain", "", "the domain whose session is read (default Domain-0)", "name|id"),
    Option("version", "v", "show the version"),
)
VERBOSE = frozenset(
    {"all", "debug", "bfd", "level1", "sfile", "stats", "xml", "arcs", "samples", "misc"}
)


def check_common(line: CommandLine) -> None:
    """Check the values of common options first, as the originals do. Raises: UsageError."""
    threshold_percent(line)
    if set(line.listed("verbose")) - VERBOSE:
        raise UsageError("unknown --verbose= options")


def threshold_percent(line: CommandLine) -> float:
    """Return the value of --threshold, 0 without it. Raises: UsageError."""
    text = line.values.get("threshold", "")
    number = re.match(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII)
    value = float(number[0]) if number else -1.0 if text else 0.0
    if not 0.0 <= value <= 100.0:
        raise UsageError(f"illegal threshold value: {text} allowed range: [0-100]")
    return value


def refuse_two_profiles(line: CommandLine) -> None:
    """Refuse words that compare two profiles. Raises: UsageError."""
    from xenprof.opreport.specification import split_differential

    if split_differential(line.words)[1] is not None:
        raise UsageError("differential profiles not allowed")


def one_specification(line: CommandLine) -> "Specification":
    """Return the profile that the words select.

    Raises: UsageError (two profiles, ...), ReportError.
    """
    from xenprof.opreport.specification import parse, split_differential

    refuse_two_profiles(line)
    return parse(split_differential(line.words)[0])


def place(line: CommandLine, specification: "Specification") -> "Place":
    """Return where to read, and print it unless --session-dir names it. Raises: as find_place."""
    found = find_place(line, specification)
    say_place(line, found)
    return found


def say_place(line: CommandLine, found: "Place") -> None:
    """Print where sessions are read, unless --session-dir names it."""
    if "session-dir" not in line.flags:
        print(f"Using {found.session_dir}/samples/ for samples directory.", file=sys.stderr)


def find_place(line: CommandLine, specification: "Specification") -> "Place":
    """Return where to read: what the caller names, else the domain's session directory.

    Raises: UnknownDomain.
    """
    from pathlib import Path

    from hypervisor.errors import UnknownDomain
    from xenprof.home import (
        DOMAIN_0,
        SESSION_DIR,
        domain_root,
        domains_folder,
        home,
        inside,
        resolve_domain,
    )
    from xenprof.opreport.select import Place

    archive = specification.archive
    given = line.values.get("session-dir")
    if "archive" in specification.values and archive is None:
        return Place(Path(SESSION_DIR))
    if archive is not None:
        # Inside the archive the sessions are at the directory that they had in the domain.
        below = Path(given).absolute() if given else Path(SESSION_DIR)
        return Place(Path(f"{archive}{below}"), archive)
    if given:
        return Place(Path(given).absolute())
    sessions = specification.sessions
    if all(session.startswith(("/", ".")) for session in sessions) and sessions:
        return Place(Path(sessions[0]).absolute().parent.parent)
    named = line.values.get("domain") or os.environ.get("XENPROF_DOMAIN")
    if named is None and Path("oprofile_data").is_dir():  # where operf leaves its samples
        return Place(Path("oprofile_data").absolute())
    base = home()
    name = resolve_domain(base, named or DOMAIN_0)
    root = domain_root(base, name)
    if not root.is_dir() and domains_folder(base).is_dir():
        raise UnknownDomain(name)
    modules = (str(root / "lib" / "modules"),)
    return Place(inside(root, SESSION_DIR), str(root), modules, is_domain=True)


def image_path(line: CommandLine, where: "Place") -> tuple[str, ...]:
    """Return where else to look for images: in the archive, if any. Raises: ReportError."""
    from pathlib import Path

    prefix = "" if where.is_domain else where.archive
    given = [
        f"{prefix}/{path.lstrip('/')}" if prefix else path for path in line.listed("image-path")
    ]
    typed = line.listed("image-path")
    bad = [path for path, found in zip(typed, given, strict=True) if not Path(found).is_dir()]
    if bad:
        for path in bad:
            warn(f"{prefix}/{path} isn't a valid directory")
        raise ReportError("invalid --image-path= options")
    return (*given, *where.image_path)


def root(line: CommandLine) -> str:
    """Return the directory of --root, empty if it is not given."""
    return os.path.realpath(line.values["root"]).rstrip("/") if line.values.get("root") else ""
