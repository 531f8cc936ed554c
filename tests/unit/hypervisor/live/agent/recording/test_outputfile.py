import os
import stat
import subprocess
import sys

import pytest

from hypervisor.live.agent.recording.outputfile import output
from tests.support.paths import ROOT


@pytest.fixture
def file(tmp_path):
    return tmp_path / "host.trace"


def write(file, data=b"new", error=None, **options):
    with output(str(file), **options) as out:
        out.write(data)
        if error is not None:
            raise error


def test_a_file_is_its_owners_alone(file):
    before = os.umask(0)
    try:
        write(file)
    finally:
        os.umask(before)

    assert (b"new", 0o600) == (file.read_bytes(), stat.S_IMODE(file.stat().st_mode))


@pytest.mark.parametrize("data", [b"", b"half"])
def test_an_error_leaves_the_file_that_was_there(file, data):
    file.write_bytes(b"old")
    with pytest.raises(OSError, match="no space"):
        write(file, data, OSError("no space"))

    assert ([file], b"old") == (list(file.parent.iterdir()), file.read_bytes())


def test_what_was_recorded_before_an_error_is_kept_where_it_is_of_use(file):
    with pytest.raises(OSError, match="no space"):
        write(file, b"half", OSError("no space"), keeps_parts=True)

    assert ([file], b"half") == (list(file.parent.iterdir()), file.read_bytes())


def test_a_file_is_not_replaced_by_nothing(file):
    file.write_bytes(b"old")
    with pytest.raises(OSError, match="refused"):
        write(file, b"", OSError("refused"), keeps_parts=True)

    assert b"old" == file.read_bytes()


def test_a_link_is_not_followed(file):
    precious = file.parent / "precious"
    precious.write_bytes(b"old")
    file.symlink_to(precious)
    with pytest.raises(OSError, match="no regular file"):
        write(file)

    assert (True, b"old") == (file.is_symlink(), precious.read_bytes())


@pytest.mark.parametrize("to", ["/dev/null", "/dev"])
def test_what_is_no_file_is_left_as_it_is(to):
    with pytest.raises(OSError, match="no regular file"):
        write(to)


def test_the_standard_output_is_not_another_file_where_it_is_closed(file):
    program = (
        f"kept = open({str(file)!r}, 'wb'); from hypervisor.live.agent.recording.outputfile import output\n"
        "with output('-') as out: out.write(b'new')"
    )
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-c", program],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (b"", "OSError: [Errno 9] Bad file descriptor") == (
        file.read_bytes(), done.stderr.splitlines()[-1]
    )  # fmt: skip
