"""The files of an experiment."""

import os
import stat

import pytest

from tests.support.variants import found_small
from xenprof.experiment.outputs.files import write

NAMES = ["chart.svg", "index.html", "results.csv", "results.json"]


def test_all_files_are_there_with_the_same_bytes_again(tmp_path):
    found = found_small(tmp_path)
    for name in ("a", "b"):
        write(tmp_path / name, found)

    assert NAMES == sorted(path.name for path in (tmp_path / "a").iterdir())
    assert [(tmp_path / "a" / name).read_bytes() for name in NAMES] == [
        (tmp_path / "b" / name).read_bytes() for name in NAMES
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_left_as_it_is(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(PermissionError):
        write(folder, found_small(tmp_path))

    assert [] == list(folder.iterdir())
