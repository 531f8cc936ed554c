import errno
from pathlib import Path

import pytest

from hypervisor.wholetext import read_whole


def test_a_file_is_read_whole(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")

    assert read_whole(tmp_path / "a", longest_bytes=5) == b"12345"


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/full"])
def test_what_never_ends_is_refused(path):
    with pytest.raises(OSError, match="File too large") as refused:
        read_whole(Path(path))

    assert (refused.value.errno, refused.value.filename) == (errno.EFBIG, path)
