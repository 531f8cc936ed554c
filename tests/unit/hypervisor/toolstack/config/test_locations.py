"""When two locations of disks are one place."""

import pytest

from hypervisor.toolstack.config.devices import parse_disk
from hypervisor.toolstack.config.locations import may_share, overlap, place_of, whole_disk


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/dev/sdb1", "/dev/sdb1"),
        ("//dev//sdb1/", "/dev/sdb1"),
        ("/dev/./disk/../sdb1", "/dev/sdb1"),
        ("a.img", "/a.img"),
        ("/../a.img", "/a.img"),
        ("/", "/"),
        ("/dev/mapper/vg0-root", "/dev/vg0/root"),
        ("/dev/mapper/vg--0-a--b", "/dev/vg-0/a-b"),
        ("/dev/mapper/mpath0", "/dev/mapper/mpath0"),
    ],
)
def test_a_location_has_one_spelling(path, place):
    assert place == place_of(path)


@pytest.mark.parametrize(
    ("place", "disk"),
    [
        ("/dev/sdb12", "/dev/sdb"),
        ("/dev/sdaa3", "/dev/sdaa"),
        ("/dev/hda1", "/dev/hda"),
        ("/dev/cciss/c0d0p1", "/dev/cciss/c0d0"),
        ("/dev/disk/by-id/scsi-1-part2", "/dev/disk/by-id/scsi-1"),
        ("/dev/sdb", ""),
        ("/dev/cciss/c0d1", ""),
        ("/dev/vg0/data1", ""),
        ("/srv/sdb1", ""),
    ],
)
def test_a_partition_is_part_of_its_disk(place, disk):
    assert disk == whole_disk(place)


def disk(source, mode="w"):
    return parse_disk(f"{source},xvda,{mode}")


@pytest.mark.parametrize(
    ("one", "other", "how"),
    [
        ("phy:sdb1", "file:/dev/sdb1", "is"),
        ("phy:sdb1", "phy:sdb", "is a partition of /dev/sdb, which is"),
        ("phy:sdb", "phy:sdb1", "has the partition /dev/sdb1, which is"),
        ("phy:sdb1", "phy:sdb2", ""),
        ("nbd:sdb", "nbd:sdb", "is"),
        ("nbd:sdb", "file:sdb", ""),
    ],
)
def test_disks_overlap_where_their_data_are_the_same(one, other, how):
    assert how == overlap(disk(one), disk(other))


@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        (("file:/a", "r"), ("file:/a", "r"), True),
        (("file:/a", "w!"), ("file:/a", "w"), True),
        (("file:/a", "w"), ("file:/a", "w!"), False),
        (("file:/a", "r"), ("file:/a", "w"), False),
        (("tap:aio:/a", "w"), ("tap:aio:/a", "w"), True),
        (("tap:aio:/a", "w"), ("file:/a", "w"), False),
    ],
)
def test_what_scripts_and_caches_allow_may_share_them(one, other, may):
    assert may is may_share(disk(*one), disk(*other))
