"""opgprof: writes a program's samples for GNU gprof, as oprofile's program of that name."""

from collections.abc import Sequence

from xenprof.cli import postprocess, program
from xenprof.cli.popt import Option
from xenprof.cli.program import CommandLine, Program

OPTIONS = (
    Option("output-filename", "o", "the file to write (default gmon.out)", "file"),
    Option("threshold", "t", "least share for a symbol to be written", "percent"),
    *postprocess.COMMON_OPTIONS,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run opgprof; return its exit code."""
    return program.main(Program("opgprof", OPTIONS, " [profile specification]", _run), argv)


def _run(line: CommandLine) -> int:
    postprocess.check_common(line)
    # Here and not above: numpy takes longer to import than --help may take.
    from xenprof.cli.opgprof_run import write_gmon

    return write_gmon(line)
