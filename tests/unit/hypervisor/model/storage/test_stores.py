"""Which store serves a path, and what a scenario may say of stores."""

import pytest

from hypervisor.errors import ScenarioError
from hypervisor.model.scenario.spec import parse_scenario
from hypervisor.model.scenario.stores import Store
from hypervisor.model.storage.stores import Stores
from hypervisor.model.timing.clock import Clock
from hypervisor.model.timing.random_stream import Streams
from hypervisor.toolstack.config.devices import DISK_SECTORS, SYSTEM_SECTORS, parse_disk
from tests.support.model.disks import HZ


def stores(*tables, elevator="cfq"):
    return Stores(Clock(), Streams(1), [Store(**one) for one in tables], elevator, HZ)


def place(found, path):
    return found.place(parse_disk(f"phy:{path},xvda,w"))


def test_without_tables_every_disk_is_on_sda_behind_domain_0s_partitions():
    found = stores()
    places = [place(found, f"/dev/sdb{n}") for n in (1, 2)]
    assert [one.disk.name for one in places] == ["sda", "sda"]
    assert [one.base_sector for one in places] == [SYSTEM_SECTORS, SYSTEM_SECTORS + DISK_SECTORS]


@pytest.mark.parametrize(
    ("path", "store"),
    [
        ("/dev/san", "san"),
        ("/dev/san1", "san"),
        ("/dev/san/lun0", "san"),
        ("/dev//san/./lun0", "san"),
        ("/dev/mapper/san-lun0", "san"),
        ("/dev/sand", "sda"),
        ("/dev/san1/lun0", "sda"),
        ("/srv1/a.img", "sda"),
        ("srv/a.img", "files"),
        ("/dev/sdb1", "sda"),
        ("/srv/a.img", "files"),
        ("/srv/fast/a.img", "fast"),
    ],
)
def test_a_disk_is_on_the_store_with_the_longest_path_above_its_own(path, store):
    found = stores(
        {"name": "san", "kind": "fc"},
        {"name": "files", "kind": "ext3", "path": "/srv"},
        {"name": "fast", "kind": "ext3", "path": "/srv/fast", "on": "san"},
    )
    assert store == found.store_of(path)


def test_what_is_mounted_on_the_root_has_no_devices():
    found = stores({"name": "root", "kind": "ext3", "path": "/"})
    assert [found.store_of(path) for path in ("/a.img", "/dev/sdb1")] == ["root", "sda"]


def test_one_disk_has_one_place_however_it_is_spelled():
    found = stores({"name": "vg0", "kind": "lvm"})
    spellings = ("/dev/vg0/a", "/dev/vg0//a", "/dev/mapper/vg0-a")
    assert len({place(found, path) for path in spellings}) == 1
    assert place(found, "/dev/vg0/b") != place(found, "/dev/vg0/a")


def test_after_sdz_come_sdaa_and_sdab():
    found = stores(*({"name": f"lun{n}", "kind": "iscsi", "spindles": 1} for n in range(28)))
    assert [disk.name for disk in found.disks[-4:]] == ["sdz", "sdaa", "sdab", "sdac"]


def test_a_store_that_is_called_as_a_disk_has_that_name_in_the_kernel():
    found = stores(
        {"name": "san", "kind": "fc"},
        {"name": "sdb", "kind": "fc"},
        {"name": "far", "kind": "gnbd"},
        {"name": "b", "kind": "disk"},
    )
    assert [disk.name for disk in found.disks] == ["sda", "sdc", "sdb", "gnbd/far", "sdd"]


def test_layers_share_the_device_below_and_each_costs():
    found = stores(
        {"name": "san", "kind": "iscsi"},
        {"name": "vg", "kind": "lvm", "on": "san"},
        {"name": "images", "kind": "gfs", "path": "/images", "on": "vg"},
    )
    lun, image = place(found, "/dev/san/0"), place(found, "/images/a")
    assert lun.disk is image.disk
    assert image.per_request == ("device_mapper_request", "gfs_request")
    assert image.per_kib == ("iscsi_kib",)
    assert image.base_sector - lun.base_sector == DISK_SECTORS


def test_devices_have_the_elevator_of_domain_0_or_their_own():
    found = stores(
        {"name": "a", "kind": "disk"},
        {"name": "b", "kind": "fc", "elevator": "as"},
        elevator="deadline",
    )
    chosen = {disk.name: disk.queue.elevator.name for disk in found.disks}
    assert chosen == {"sda": "deadline", "sdb": "deadline", "sdc": "anticipatory"}


def test_a_file_on_a_server_is_no_block_device():
    found = stores({"name": "filer", "kind": "nfs", "path": "/net/filer"})
    assert [disk.name for disk in found.disks] == ["sda"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('name = "a"\nkind = "floppy"', "'floppy' is not allowed; use 'disk', 'fc', 'iscsi', "),
        ('name = "a"\nkind = "disk"\nlink_mbit = 1000', "a store of kind 'disk' has no link_mbit; it has path, drive, "),
        ('name = "a"\nkind = "fc"\nlink_mbit = 0', "link_mbit"),
        ('name = "a"\nkind = "fc"\nlink_mbit = -1', "link_mbit"),
        ('name = "a"\nkind = "fc"\nspindles = 0', "spindles"),
        ('name = "a"\nkind = "disk"\nelevator = "cqf"', "'cqf' is not allowed; use 'noop', 'anticipatory', 'as', 'deadline' or 'cfq'"),
        ('name = "a"\nkind = "disk"\ndrive = "quantum"', "'quantum' is not allowed; use 'cheetah-15k.4'"),
        ('name = "a"\nkind = "lvm"\non = "b"', "store 'a' is on 'b', which is no store before it; there are sda"),
        ('name = "a"\nkind = "disk"\n[[host.store]]\nname = "a"\nkind = "fc"', "two stores are called 'a'"),
        ('name = "sda"\nkind = "nfs"', "store 'sda' is the disk of domain 0; its kind is 'disk'"),
        ('name = "a"\nkind = "disk"\nsize = 0', "unknown key 'size'"),
        ('name = "a"\nkind = "nfs"', "a store of kind 'nfs' needs path, its mount point"),
        ('name = ".."\nkind = "fc"', "'..' is not allowed; it must match"),
        ('name = "a"\nkind = "fc"\npath = "/dev/\\u001b"', "path has a character that cannot be printed"),
        ('name = "a"\nkind = "fc"\npath = "/images"', "a store of kind 'fc' is a block device, so that its path is below /dev"),
        ('name = "a"\nkind = "fc"\n[[host.store]]\nname = "b"\nkind = "fc"\npath = "/dev/./a/"', "two stores have the path '/dev/a'"),
        ('name = "a"\nkind = "fc"\npath = "x"', r"'x' is not allowed; it must match ^/\S*$"),
    ],
)  # fmt: skip
def test_a_store_that_cannot_be_is_one_line_with_what_is_allowed(table, said):
    with pytest.raises(ScenarioError) as refusal:
        parse_scenario(f"[[host.store]]\n{table}\n", "file")
    message = str(refusal.value)
    assert said in message
    assert "\n" not in message


def layered(above, below):
    return parse_scenario(
        f'[[host.store]]\nname = "low"\nkind = "{below}"\npath = "/dev/low"\n'
        f'[[host.store]]\nname = "up"\nkind = "{above}"\npath = "/dev/up"\non = "low"\n',
        "file",
    )


@pytest.mark.parametrize("above", ["lvm", "ext3", "gfs"])
@pytest.mark.parametrize("below", ["nfs", "ext3", "gfs"])
def test_a_layer_on_files_is_refused_with_the_devices_that_there_are(above, below):
    with pytest.raises(ScenarioError) as refusal:
        layered(above, below)
    assert str(refusal.value) == (
        f"file: host.store: store 'up' of kind '{above}' needs a block device, and 'low' has "
        "files; there are sda"
    )


@pytest.mark.parametrize("above", ["lvm", "ext3", "gfs"])
@pytest.mark.parametrize("below", ["disk", "fc", "iscsi", "gnbd", "lvm"])
def test_a_layer_on_a_block_device_is_taken(above, below):
    assert len(layered(above, below).host.stores) == 2


def test_a_host_has_no_more_scsi_disks_than_the_kernel_has_numbers():
    tables = "".join(f'[[host.store]]\nname = "a{n}"\nkind = "disk"\n' for n in range(256))
    with pytest.raises(ScenarioError, match="numbers for 256 SCSI disks, sda among them"):
        parse_scenario(tables, "file")


def test_an_unknown_elevator_of_domain_0_is_refused():
    with pytest.raises(ScenarioError, match="'cqf' is not allowed; use 'noop'"):
        parse_scenario('[domain0]\nelevator = "cqf"\n', "file")


def scenario(*disks):
    domains = "".join(
        f'[[domain]]\nname = "d{n}"\ndisk = ["{one}"]\n' for n, one in enumerate(disks)
    )
    stores = '[[host.store]]\nname = "images"\nkind = "gfs"\npath = "/srv"\n'
    return parse_scenario(f"{stores}{domains}", "file")


@pytest.mark.parametrize(
    ("disks", "said"),
    [
        (["phy:/srv/a,xvda,w"], "/srv/a is a file on the store 'images'; use file:, tap:aio: or tap:qcow:"),
        (["phy:/dev/sdb1,xvda,w", "phy:sdb1,xvda,w"], "domain[d1].disk: /dev/sdb1 is xvda of 'd0', with mode w"),
        (["file:/srv/a,xvda,r", "file:/srv/a,xvdb,w"], "domain[d1].disk: /srv/a is xvda of 'd0', with mode r"),
        (["phy:/dev/sdb,xvda,r", "phy:/dev/sdb,xvda,r", "phy:sdb,xvdb,w"], "domain[d2].disk: /dev/sdb is xvda of 'd0', with mode r"),
        (["phy:/dev/sdb,xvda,w", "phy:/dev/sdb2,xvdb,r"], "/dev/sdb2 is a partition of /dev/sdb, which is xvda of 'd0', with mode w"),
        (["phy:/dev/sdb2,xvda,w", "file:/dev/sdb,xvdb,w"], "/dev/sdb has the partition /dev/sdb2, which is xvda of 'd0', with mode w"),
        (["phy:/dev/vg0/a,xvda,w", "phy:mapper/vg0-a,xvdb,w"], "/dev/mapper/vg0-a is xvda of 'd0', with mode w"),
        (["file:/srv/a,xvda,w", "tap:aio:/srv//a,xvdb,w"], "/srv//a is xvda of 'd0', with mode w"),
        (["tap:qcow:/srv/a,xvda,w", "file:/srv/a,xvdb,w"], "/srv/a is xvda of 'd0', with mode w"),
    ],
)  # fmt: skip
def test_a_device_that_is_none_or_that_another_guest_holds_is_refused_by_name(disks, said):
    with pytest.raises(ScenarioError) as refusal:
        scenario(*disks)
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    "disks",
    [
        ["phy:/dev/sdb1,xvda,r", "phy:/dev/sdb1,xvda,r"],
        ["phy:/dev/sdb1,xvda,w", "phy:/dev/sdb1,xvda,w!"],
        ["phy:/dev/sdb1,xvda,w", "phy:/dev/sdb2,xvda,w"],
        ["phy:/dev/sdb1,xvda,w", "phy:/dev/sdb11,xvda,w"],
        ["tap:aio:/srv/a,xvda,w", "tap:aio:/srv/a,xvda,w"],
        [",hdc:cdrom,r", ",hdc:cdrom,r"],
    ],
)
def test_what_xend_lets_share_a_device_is_let(disks):
    assert len(scenario(*disks).domains) == 2
