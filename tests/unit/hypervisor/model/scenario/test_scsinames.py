"""Names and numbers of SCSI disks."""

import pytest

from hypervisor.model.scenario.scsinames import MOST_DISKS, scsi_index, scsi_name, scsi_number


@pytest.mark.parametrize(
    ("index", "name", "major", "minor"),
    [
        (0, "sda", 8, 0),
        (15, "sdp", 8, 240),
        (16, "sdq", 65, 0),
        (25, "sdz", 65, 144),
        (26, "sdaa", 65, 160),
        (127, "sddx", 71, 240),
        (128, "sddy", 128, 0),
        (255, "sdiv", 135, 240),
    ],
)
def test_a_disk_has_the_name_and_number_of_the_kernel(index, name, major, minor):
    assert (name, index, major << 8 | minor) == (
        scsi_name(index),
        scsi_index(name),
        scsi_number(index),
    )


@pytest.mark.parametrize("name", ["sd", "sdA", "sda1", "sdiw", "sdaaa", "hda", "san", "sd\n"])
def test_another_name_is_no_disk(name):
    assert scsi_index(name) is None


def test_all_disks_differ():
    assert len({scsi_number(index) for index in range(MOST_DISKS)}) == MOST_DISKS
