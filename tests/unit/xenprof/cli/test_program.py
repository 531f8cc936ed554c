import pytest

from hypervisor.errors import UnknownDomain
from xenprof.cli import program
from xenprof.cli.popt import Option
from xenprof.cli.program import CommandLine, Program
from xenprof.errors import EventError, StoreError, UsageError
from xenprof.opreport.errors import ReportError

OPTIONS = (Option("dir", "d", "a directory", "dir"),)


def run(error: BaseException) -> int:
    def fail(line: CommandLine) -> int:
        raise error

    return program.main(Program("optool", OPTIONS, " [word]", fail), ["-d", "x"])


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ReportError("no"), "optool error: no\n"),
        (StoreError("p", "p: no"), "optool error: p: no\n"),
        (UnknownDomain("web"), "optool error: Domain 'web' does not exist.\n"),
        (MemoryError(), "optool error: not enough memory for this session\n"),
        (OSError(13, "Permission denied", "p"), "optool error: Permission denied: p\n"),
        (UsageError("no such option together"), "no such option together\n"),
        (EventError("no such event"), "no such event\n"),
    ],
)
def test_a_program_puts_its_name_before_what_is_wrong_with_files(error, expected, capsys):
    assert (1, expected) == (run(error), capsys.readouterr().err)


def test_the_option_that_is_nearest_to_a_wrong_one_is_told(capsys):
    program.main(Program("optool", OPTIONS, "", lambda line: 0), ["--usge", "--hlp"])
    assert capsys.readouterr().err.splitlines()[-1] == "note: did you mean --usage?"


def test_a_wrong_option_brings_the_help(capsys):
    code = program.main(Program("optool", OPTIONS, " [word]", lambda line: 0), ["--wrong"])
    assert (1, ["optool: --wrong: unknown option", "Usage: optool [OPTION...] [word]"]) == (
        code,
        capsys.readouterr().err.splitlines()[:2],
    )
