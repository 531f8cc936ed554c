"""oparchive: copies a session and its images to an archive, as oprofile's program does."""

import os
from collections.abc import Sequence

from xenprof.cli import postprocess, program
from xenprof.cli.popt import Option
from xenprof.cli.program import CommandLine, Program
from xenprof.errors import UsageError

OPTIONS = (
    Option("output-directory", "o", "the directory to make", "dir"),
    Option("exclude-dependent", "x", "leave out libraries, modules and kernel of applications"),
    Option("list-files", "l", "only list the files that would be copied"),
    *postprocess.COMMON_OPTIONS,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run oparchive; return its exit code."""
    return program.main(Program("oparchive", OPTIONS, " [profile specification]", _run), argv)


def _run(line: CommandLine) -> int:
    postprocess.check_common(line)
    if "list-files" not in line.flags:
        if not line.values.get("output-directory"):
            raise UsageError("Requires --output-directory option.")
        if os.path.realpath(line.values["output-directory"]) == "/":
            raise UsageError("Invalid --output-directory: /")
    # Here and not above: numpy takes longer to import than --help may take.
    from xenprof.cli.oparchive_run import make_archive

    return make_archive(line)
