"""opannotate: prints samples beside source lines or instructions, as oprofile's program does."""

from collections.abc import Sequence

from xenprof.cli import postprocess, program
from xenprof.cli.popt import Option
from xenprof.cli.program import CommandLine, Program
from xenprof.errors import UsageError

OPTIONS = (
    Option("demangle", "D", "how to demangle C++ names", "none|normal|smart"),
    Option("output-dir", "o", "write annotated files below a directory", "dir"),
    Option("search-dirs", "d", "where to look for source files", "dir,..."),
    Option("base-dirs", "b", "prefixes of source files to strip", "dir,..."),
    Option("include-file", "", "show only these source files", "names"),
    Option("exclude-file", "", "leave out these source files", "names"),
    Option("include-symbols", "i", "show only these symbols", "symbols"),
    Option("exclude-symbols", "e", "leave out these symbols", "symbols"),
    Option("objdump-params", "", "parameters of objdump: -Mintel, --show-raw-insn, -S", "params"),
    Option("exclude-dependent", "x", "leave out libraries, modules and kernel of applications"),
    Option("merge", "m", "add up cpu,tid,tgid,unitmask,all", "what"),
    Option("source", "s", "annotate source"),
    Option("assembly", "a", "annotate assembly"),
    Option("threshold", "t", "least share for a file or a symbol to be shown", "percent"),
    *postprocess.COMMON_OPTIONS,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run opannotate; return its exit code."""
    return program.main(Program("opannotate", OPTIONS, " [profile specification]", _run), argv)


def _run(line: CommandLine) -> int:
    postprocess.check_common(line)
    postprocess.refuse_two_profiles(line)
    flags = line.flags
    conflicts = (
        (not flags & {"source", "assembly"}, "you must specify at least --source or --assembly"),
        (
            "objdump-params" in flags and "assembly" not in flags,
            "--objdump-params is meaningless without --assembly",
        ),
        (
            "base-dirs" in flags and "search-dirs" not in flags,
            "--base-dirs is useless unless you specify an alternative source location with "
            "--search-dirs",
        ),
        (
            {"assembly", "output-dir"} <= flags,
            "--output-dir is meaningless with --assembly",
        ),
        (
            "assembly" in flags and flags & {"include-file", "exclude-file"},
            "--exclude[include]-file options not supported with --assembly\n"
            "Please see the opannotate man page.",
        ),
    )
    for applies, message in conflicts:
        if applies:
            raise UsageError(message)
    # Here and not above: numpy takes longer to import than --help may take.
    from xenprof.cli.opannotate_run import annotate

    return annotate(line)
