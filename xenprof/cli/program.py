"""Starts and ends a program of oprofile: its command line, its help, its errors."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import TextIOWrapper

from hypervisor.errors import HostError
from xenprof.cli import popt
from xenprof.cli.notes import note, note_nearest, note_what_was_meant
from xenprof.cli.popt import Option
from xenprof.cli.stdout import INTERRUPTED, drop_stdout, ends_with_its_reader
from xenprof.cli.threads import start_no_numpy_threads
from xenprof.errors import StoreError, XenprofError
from xenprof.opreport.commalist import split_list
from xenprof.opreport.errors import ReportError


@dataclass(slots=True)
class CommandLine:
    """A parsed command line: `flags` are the long names of the options on it, `words` the rest."""

    typed: tuple[str, ...]
    words: tuple[str, ...]
    flags: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)

    def listed(self, name: str) -> tuple[str, ...]:
        """Return the items of the comma list given with an option: the last one counts."""
        return split_list(self.values.get(name, ""))


@dataclass(frozen=True, slots=True)
class Program:
    """A program: its name, grammar, and the function that runs it and returns the exit code."""

    name: str
    options: Sequence[Option]
    arguments: str
    run: Callable[[CommandLine], int]


def main(program: Program, argv: Sequence[str] | None) -> int:
    """Run a program; return its exit code.

    For an error that users can make the message is printed, after the program's name where the
    originals print it: errors of reports, stores and hosts. Usage errors come without a name.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # paths of images may have any bytes
            stream.reconfigure(errors="surrogateescape")
    try:
        code = _run(program, words)
        sys.stdout.flush()
        return code
    except popt.PoptError as error:
        help_text = popt.help_text(program.name, program.options, program.arguments)
        sys.stderr.write(f"{program.name}: {error}\n{help_text}")
        if error.option:
            note_nearest(
                error.option,
                [option.long for option in (*program.options, popt.HELP, popt.USAGE)],
                "--{}",
            )
        return 1
    except (HostError, ReportError, StoreError) as error:
        _say(f"{program.name} error: {error}")
        note_what_was_meant(str(error))
        return error.exit_code
    except XenprofError as error:
        _say(str(error))
        note_what_was_meant(str(error))
        if not os.environ.get("XENPROF_NO_NOTES"):
            for line in getattr(error, "__notes__", ()):
                note(line)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except MemoryError:
        _say(f"{program.name} error: not enough memory for this session")
        return 1
    except OSError as error:
        if not error.filename:
            drop_stdout()
        _say(f"{program.name} error: {error.strerror}: {error.filename or 'standard output'}")
        return 1


@ends_with_its_reader
def _run(program: Program, words: Sequence[str]) -> int:
    start_no_numpy_threads()
    found, arguments = popt.parse(program.options, words)
    line = CommandLine(tuple(words), tuple(arguments))
    for name, value in found:
        line.flags.add(name)
        line.values[name] = value
    if "help" in line.flags:
        sys.stdout.write(popt.help_text(program.name, program.options, program.arguments))
    elif "usage" in line.flags:
        sys.stdout.write(popt.usage_text(program.name, program.options, program.arguments))
    elif "version" in line.flags:
        from xenprof.version import version

        print(f"{program.name}: oprofile 1.5.0 (xenprof {version()})")
    else:
        return program.run(line)
    return 0


def warn(line: str) -> None:
    """Print a line on standard error, after what was printed to standard output before it."""
    sys.stdout.flush()
    _say(line)


def _say(line: str) -> None:
    print(line, file=sys.stderr)
