import errno

import numpy as np
import pytest

from xenprof.disk import Disk
from xenprof.errors import StoreError
from xenprof.profile.flat import ImageName, SampleFile, SampleHeader, SampleKey
from xenprof.store.placing import damaged_files, place
from xenprof.store.samplefile import read
from xenprof.store.samplepath import format_path


class SmallDisk(Disk):
    """A disk with room for some bytes of files below a folder, and for those that replace them."""

    def __init__(self, folder, room):
        super().__init__()
        self._folder, self._room = folder, room

    def write(self, path, data):
        used = sum(each.stat().st_size for each in self._folder.rglob("*") if each.is_file())
        if used + len(data) > self._room:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write(path, data)


def file_of(image, *counts):
    name = ImageName("root", image)
    key = SampleKey(name, name, "CPU_CLK_UNHALTED", 100000, 0, None, None, None)
    header = SampleHeader("p4", 0, 0, 100000, False, 3200.0, 0, 0)
    return SampleFile(
        key, header, np.arange(len(counts), dtype=np.uint64), np.array(counts, np.uint64)
    )


def stored(session, file):
    return read(session / format_path(file.key))[2].tolist()


def ignore(_):
    pass


def test_held_and_new_samples_of_one_file_are_added_up(tmp_path):
    one = file_of("/bin/one", 3)
    place(tmp_path, [one, file_of("/bin/two", 1), one], Disk(), ignore)
    assert [6] == stored(tmp_path, one)


@pytest.mark.parametrize("spare", [1, 2])
def test_a_disk_with_room_for_one_more_file_takes_a_whole_session(tmp_path, spare):
    session = [file_of(f"/bin/{number}", number + 1) for number in range(6)]
    place(tmp_path, session, Disk(), ignore)
    size = sum(each.stat().st_size for each in tmp_path.rglob("*") if each.is_file())
    disk = SmallDisk(tmp_path, size + spare * size // 6)
    assert {} == place(tmp_path, session, disk, ignore).failed
    assert [2 * number + 2 for number in range(6)] == [
        stored(tmp_path, file)[0] for file in session
    ]


def test_samples_that_do_not_fit_are_told_by_file(tmp_path):
    many = file_of("/bin/many", 2**32 - 2, 5)
    place(tmp_path, [many], Disk(), ignore)
    placed = place(tmp_path, [file_of("/bin/two", 1), file_of("/bin/many", 9, 9)], Disk(), ignore)
    assert ({1: 8}, [2**32 - 1, 14]) == (placed.excess, stored(tmp_path, many))


def test_a_damaged_file_is_set_aside_told_and_counted(tmp_path):
    told: list[StoreError] = []
    one, two = file_of("/bin/one", 3), file_of("/bin/two", 4)
    place(tmp_path, [one, two], Disk(), ignore)
    (tmp_path / format_path(one.key)).write_bytes(b"")
    place(tmp_path, [one, two], Disk(), told.append)
    assert ([3], [8], 1) == (stored(tmp_path, one), stored(tmp_path, two), damaged_files(tmp_path))
    assert [str(tmp_path / format_path(one.key))] == [error.path for error in told]
