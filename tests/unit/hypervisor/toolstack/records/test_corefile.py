import errno
import os
import struct

import numpy as np
import pytest

from hypervisor.errors import Refused
from hypervisor.toolstack.records import corefile
from hypervisor.toolstack.records.corefile import CoreHeader, core_name, write_core
from tests.support.corefile import read_core

MAY_9_2007 = 1_178_722_805 * 10**9


def test_a_name_has_date_time_name_and_id():
    expected = "2007-0509-1500.05-web.7.core"
    assert expected == core_name(MAY_9_2007, "web", 7)


def test_a_slash_in_a_name_makes_no_folder():
    assert core_name(0, "a/b", 1).endswith("-a%2Fb.1.core")


def test_a_core_starts_with_magic_counts_and_offsets(tmp_path):
    write_core(tmp_path / "core", 2, 1000)
    expected = (0xF00FEBED, 2, 1000, 24, 24 + 2 * 5168, 20480)
    assert expected == struct.unpack("<6I", (tmp_path / "core").read_bytes()[:24])


def test_the_index_has_a_frame_for_each_page(tmp_path):
    write_core(tmp_path / "core", 1, 70_000)
    index = np.fromfile(tmp_path / "core", "<u8", 70_000, offset=24 + 5168)
    assert list(range(0x10000, 0x10000 + 70_000)) == index.tolist()


def test_a_core_is_as_long_as_the_memory(tmp_path):
    write_core(tmp_path / "core", 2, 1000)
    assert 20480 + 1000 * 4096 == (tmp_path / "core").stat().st_size


def test_pages_are_holes(tmp_path):
    write_core(tmp_path / "core", 1, 65_536)
    status = (tmp_path / "core").stat()
    assert status.st_blocks * 512 < status.st_size // 200


def test_the_core_of_an_hvm_guest_says_so(tmp_path):
    write_core(tmp_path / "core", 1, 10, is_hvm=True)
    assert CoreHeader(True, 1, 10, 24, 5192, 8192) == read_core(tmp_path / "core")


def test_nothing_else_is_left_in_the_folder(tmp_path):
    write_core(tmp_path / "core", 1, 10)
    assert [tmp_path / "core"] == list(tmp_path.iterdir())


def test_an_unfinished_dump_is_called_incomplete(tmp_path, monkeypatch):
    monkeypatch.setattr(corefile, "_write", full_disk)
    with pytest.raises(Refused):
        write_core(tmp_path / "core", 1, 10)
    assert [tmp_path / "core-incomplete"] == list(tmp_path.iterdir())


def test_an_unfinished_dump_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(corefile, "_write", full_disk)
    with pytest.raises(Refused) as caught:
        write_core(tmp_path / "core", 1, 10)
    expected = f"Failed to dump core: {tmp_path}/core: No space left on device"
    assert expected == str(caught.value)


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_folder_is_no_place_for_a_dump(tmp_path):
    with pytest.raises(Refused) as caught:
        write_core(tmp_path, 1, 10)
    assert f"Cannot dump core in a directory: {tmp_path}" == str(caught.value)


@pytest.mark.parametrize("name", ["fifo", "none/core", "a\0b", "n" * 300])
def test_what_cannot_be_written_is_refused(tmp_path, name):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(Refused, match="Failed to dump core"):
        write_core(f"{tmp_path}/{name}", 1, 10)


def test_a_memory_too_large_for_the_header_is_refused(tmp_path):
    with pytest.raises(Refused, match="too many for its header"):
        write_core(tmp_path / "core", 1, 1 << 29)
