import subprocess
import sys
from pathlib import Path

import pytest

RUN = "import sys; from xenprof.cli.{} import main; sys.exit(main(sys.argv[1:]))"


@pytest.mark.parametrize("program", ["ophelp", "opreport", "opannotate"])
def test_a_full_disk_is_one_line(program):
    command = [sys.executable, "-c", RUN.format(program), "--version"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    expected = f"{program} error: No space left on device: standard output\n"
    assert (1, expected) == (done.returncode, done.stderr)
