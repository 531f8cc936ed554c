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
        ("/dev/sand", "sda"),
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
        ('name = "a"\nkind = "fc"\npath = "x"', r"'x' is not allowed; it must match ^/\S*$"),
    ],
)  # fmt: skip
def test_a_store_that_cannot_be_is_one_line_with_what_is_allowed(table, said):
    with pytest.raises(ScenarioError) as refusal:
        parse_scenario(f"[[host.store]]\n{table}\n", "file")
    message = str(refusal.value)
    assert said in message
    assert "\n" not in message


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
        ["tap:aio:/srv/a,xvda,w", "tap:aio:/srv/a,xvda,w"],
        [",hdc:cdrom,r", ",hdc:cdrom,r"],
    ],
)
def test_what_xend_lets_share_a_device_is_let(disks):
    assert len(scenario(*disks).domains) == 2
