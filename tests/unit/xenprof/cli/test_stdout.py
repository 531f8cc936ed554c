import subprocess
import sys
from pathlib import Path

import pytest

from xenprof.cli.stdout import ends_well

RUN = "import sys; from xenprof.cli.{} import main; sys.exit(main(sys.argv[1:]))"


@pytest.mark.parametrize("program", ["ophelp", "opreport", "opannotate"])
def test_a_full_disk_is_one_line(program):
    command = [sys.executable, "-c", RUN.format(program), "--version"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    expected = f"{program} error: No space left on device: standard output\n"
    assert (1, expected) == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    ("module", "words", "name"),
    [
        ("opcontrol", ["--version"], "opcontrol"),
        ("main", ["--help"], "xenprof"),
        ("main", ["--version"], "xenprof"),
        ("main", ["run", "--for", "1ms"], "xenprof"),
        ("main", ["virsh", "--help"], "virsh"),
    ],
)
def test_a_full_disk_is_one_line_of_every_program(module, words, name):
    command = [sys.executable, "-c", RUN.format(module), *words]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    expected = f"{name}: standard output: No space left on device\n"
    assert (1, expected) == (done.returncode, done.stderr)


def test_ctrl_c_ends_a_program_quietly(capsys):
    @ends_well("program")
    def run():
        raise KeyboardInterrupt

    assert (run(), capsys.readouterr()) == (130, ("", ""))


def test_a_file_that_cannot_be_read_is_one_line(capsys):
    @ends_well("program")
    def run():
        Path("/no/such").read_text()

    assert (run(), capsys.readouterr()) == (
        1,
        ("", "program: /no/such: No such file or directory\n"),
    )
