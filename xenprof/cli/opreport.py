"""opreport: prints what a session's sample files say, as oprofile's program of that name."""

import sys
from collections.abc import Sequence
from io import TextIOWrapper

from hypervisor.errors import HostError
from xenprof.cli import popt
from xenprof.cli.popt import Option
from xenprof.errors import StoreError, XenprofError

PROGRAM = "opreport"
ARGUMENTS = " [profile specification]"
OPTIONS = (
    Option("callgraph", "c", "show callers and callees of each symbol"),
    Option("details", "d", "show the samples of each address of a symbol"),
    Option("symbols", "l", "list all symbols"),
    Option("output-file", "o", "write the report to a file", "file"),
    Option("sort", "s", "sort by sample,image,app-name,symbol,debug,vma", "keys"),
    Option("reverse-sort", "r", "sort the other way round"),
    Option("merge", "m", "add up cpu,lib,tid,tgid,unitmask,all", "what"),
    Option("exclude-dependent", "x", "leave out libraries, modules and kernel of applications"),
    Option("exclude-symbols", "e", "leave out these symbols", "symbols"),
    Option("include-symbols", "i", "show only these symbols", "symbols"),
    Option("threshold", "t", "least share for a line to be shown", "percent"),
    Option("demangle", "D", "how to demangle C++ names (default normal)", "none|normal|smart"),
    Option("debug-info", "g", "show source file and line"),
    Option("no-header", "n", "leave out all header lines"),
    Option("show-address", "w", "show the address of each symbol"),
    Option("long-filenames", "f", "show whole paths of images"),
    Option("accumulated", "a", "show running sums"),
    Option("global-percent", "%", "relate every percentage to all samples"),
    Option("xml", "X", "write XML"),
    Option("verbose", "V", "accepted for compatibility", "all,debug,bfd,..."),
    Option("session-dir", "", "directory of the sessions", "dir"),
    Option("image-path", "p", "more places to look for images in", "dir,..."),
    Option("root", "R", "look for images below this directory", "dir"),
    Option("domain", "", "the domain whose session is read (default Domain-0)", "name|id"),
    Option("version", "v", "show the version"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run opreport; return its exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # paths of images may be any bytes
            stream.reconfigure(errors="surrogateescape")
    try:
        return _run(words)
    except popt.PoptError as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n{popt.help_text(PROGRAM, OPTIONS, ARGUMENTS)}")
        return 1
    except (XenprofError, HostError) as error:
        print(_message(error), file=sys.stderr)
        return error.exit_code
    except MemoryError:
        print(f"{PROGRAM} error: not enough memory for this session", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader has seen enough
        return 1
    except OSError as error:
        print(f"{PROGRAM} error: {error}", file=sys.stderr)
        return 1


def _message(error: XenprofError | HostError) -> str:
    if isinstance(error, HostError | StoreError):
        return f"{PROGRAM} error: {error}"
    return str(error)


def _run(words: Sequence[str]) -> int:
    found, arguments = popt.parse(OPTIONS, words)
    names = {name for name, _ in found}
    if "help" in names:
        sys.stdout.write(popt.help_text(PROGRAM, OPTIONS, ARGUMENTS))
    elif "usage" in names:
        sys.stdout.write(popt.usage_text(PROGRAM, OPTIONS, ARGUMENTS))
    elif "version" in names:
        print(f"{PROGRAM}: oprofile 1.5.0 (xenprof {_version()})")
    else:
        # Here and not above: numpy takes longer to import than --help may take.
        from xenprof.cli.opreport_run import report

        report(words, found, arguments)
    return 0


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("xenprof")
    except PackageNotFoundError:
        return "uninstalled"
