"""What the programs that read sessions share: options, choice of the session, and its errors.

Source of the interface: oprofile pp/common_option.cpp, pp/popt_options.cpp (1.5).
"""

import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from hypervisor.errors import HostError
from xenprof.cli import popt
from xenprof.cli.popt import Option
from xenprof.errors import StoreError, UsageError, XenprofError

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


@dataclass(slots=True)
class CommandLine:
    """A parsed command line: `flags` are the long names of the options on it, `words` the rest."""

    typed: tuple[str, ...]
    words: tuple[str, ...]
    flags: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)

    def listed(self, name: str) -> tuple[str, ...]:
        """Return the items of all comma lists given with an option."""
        lists = self.lists.get(name, [])
        return tuple(item for text in lists for item in text.split(",") if item)


@dataclass(frozen=True, slots=True)
class Program:
    """A program: its name, grammar, and the function that runs it and returns the exit code."""

    name: str
    options: Sequence[Option]
    arguments: str
    run: Callable[[CommandLine], int]


def main(program: Program, argv: Sequence[str] | None) -> int:
    """Run a program; return its exit code. Every error that users can make is one line."""
    words = sys.argv[1:] if argv is None else list(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # paths of images may be any bytes
            stream.reconfigure(errors="surrogateescape")
    try:
        return _run(program, words)
    except popt.PoptError as error:
        help_text = popt.help_text(program.name, program.options, program.arguments)
        sys.stderr.write(f"{program.name}: {error}\n{help_text}")
        return 1
    except HostError as error:
        _say(f"{program.name} error: {error}")
        return error.exit_code
    except XenprofError as error:
        _say(_message(program.name, error))
        return error.exit_code
    except MemoryError:
        _say(f"{program.name} error: not enough memory for this session")
        return 1
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        _say(f"{program.name} error: {error.strerror}: {error.filename or 'standard output'}")
        return 1


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _message(name: str, error: XenprofError) -> str:
    text = str(error)
    if "opreport error: " in text:  # rules that opreport made first
        return text.replace("opreport error: ", f"{name} error: ")
    return f"{name} error: {text}" if isinstance(error, StoreError) else text


def _run(program: Program, words: Sequence[str]) -> int:
    found, arguments = popt.parse(program.options, words)
    line = CommandLine(tuple(words), tuple(arguments))
    for name, value in found:
        line.flags.add(name)
        line.values[name] = value
        line.lists.setdefault(name, []).append(value)
    if "help" in line.flags:
        sys.stdout.write(popt.help_text(program.name, program.options, program.arguments))
    elif "usage" in line.flags:
        sys.stdout.write(popt.usage_text(program.name, program.options, program.arguments))
    elif "version" in line.flags:
        from xenprof.version import version

        print(f"{program.name}: oprofile 1.5.0 (xenprof {version()})")
    else:
        if "verbose" in line.flags and set(line.listed("verbose")) - VERBOSE:
            raise UsageError("unknown --verbose= options")
        code = program.run(line)
        sys.stdout.flush()
        return code
    return 0


def warn(line: str) -> None:
    """Print a line for the user, behind what is already on the way to standard output."""
    sys.stdout.flush()
    print(line, file=sys.stderr)


def write_whole(path: Path, data: bytes, complaint: str) -> None:
    """Put `data` at `path` at once; a file that is there is replaced, also behind a link.

    Devices and pipes are written to. Raises: UsageError, which starts with `complaint`.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name[:200]}.{os.getpid()}")
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(data)
            return
        try:
            temporary.write_bytes(data)
            temporary.replace(target)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"{complaint}: cannot write {path}: {error.strerror}") from None


def threshold_percent(line: CommandLine) -> float:
    """Return the value of --threshold, 0 without it. Raises: UsageError."""
    text = line.values.get("threshold", "")
    number = re.match(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII)
    value = float(number[0]) if number else -1.0 if text else 0.0
    if not 0.0 <= value <= 100.0:
        raise UsageError(f"illegal threshold value: {text} allowed range: [0-100]")
    return value


def one_specification(line: CommandLine) -> "Specification":
    """Return what the words select. Raises: UsageError for two profiles, ReportError."""
    from xenprof.opreport.specification import parse, split_differential

    words, second = split_differential(line.words)
    if second is not None:
        raise UsageError("differential profiles not allowed")
    return parse(words)


def place(line: CommandLine, specification: "Specification") -> "Place":
    """Return where to read: what the caller names, else the domain's own session directory.

    Says where that is, unless --session-dir does. Raises: UnknownDomain.
    """
    found = find_place(line, specification)
    if "session-dir" not in line.flags:
        _say(f"Using {found.session_dir}/samples/ for samples directory.")
    return found


def find_place(line: CommandLine, specification: "Specification") -> "Place":
    """Return where to read: what the caller names, else the domain's own session directory.

    Raises: UnknownDomain.
    """
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
    if archive is not None:
        # The sessions are inside, at the directory that would be used outside.
        below = Path(given).absolute() if given else Path(SESSION_DIR)
        return Place(Path(f"{archive}{below}"), archive)
    if given:
        return Place(Path(given).absolute())
    sessions = specification.sessions
    if sessions and all(session[0] in "/." for session in sessions):
        return Place(Path(sessions[0]).absolute().parent.parent)
    named = line.values.get("domain") or os.environ.get("XENPROF_DOMAIN")
    if named is None and Path("oprofile_data").is_dir():  # what operf leaves
        return Place(Path("oprofile_data").absolute())
    base = home()
    name = resolve_domain(base, named or DOMAIN_0)
    root = domain_root(base, name)
    if not root.is_dir() and domains_folder(base).is_dir():
        raise UnknownDomain(name)
    modules = (str(root / "lib" / "modules"),)
    return Place(inside(root, SESSION_DIR), str(root), modules, is_domain=True)


def image_path(line: CommandLine, where: "Place") -> tuple[str, ...]:
    """Return where else images are: in the archive, if there is one. Raises: UsageError."""
    prefix = "" if where.is_domain else where.archive
    given = [
        f"{prefix}/{path.lstrip('/')}" if prefix else path for path in line.listed("image-path")
    ]
    bad = [path for path in given if not Path(path).is_dir()]
    if bad:
        lines = [f"{path} isn't a valid directory" for path in bad]
        raise UsageError("\n".join([*lines, "opreport error: invalid --image-path= options"]))
    return (*given, *where.image_path)


def root(line: CommandLine) -> str:
    """Return the directory of --root, empty if it is not given."""
    return os.path.realpath(line.values["root"]).rstrip("/") if line.values.get("root") else ""
