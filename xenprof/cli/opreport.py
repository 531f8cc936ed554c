"""opreport: reports on the sample files of a session, as oprofile's program does."""

from collections.abc import Sequence

from xenprof.cli import postprocess, program
from xenprof.cli.popt import Option
from xenprof.cli.program import CommandLine, Program

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
    *postprocess.COMMON_OPTIONS,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run opreport; return its exit code."""
    return program.main(Program("opreport", OPTIONS, " [profile specification]", _run), argv)


def _run(line: CommandLine) -> int:
    postprocess.check_common(line)
    # Here and not above: numpy takes longer to import than --help may take.
    from xenprof.cli.opreport_run import report

    report(line)
    return 0
