from dataclasses import replace

import pytest

from hypervisor.telemetry import VbdSnapshot, VifSnapshot
from xenprof.capture.devices import Devices

DISK = VbdSnapshot(51712, "xvda", "phy:/dev/vg0/web", "w")
VIF = VifSnapshot(0, mac="00:16:3e:00:00:01", bridge="xenbr0")


def disk(**fields):
    return replace(DISK, **fields)


def vif(**fields):
    return replace(VIF, **fields)


def told(devices):
    return [str(note) for note in devices.notes]


def test_a_disk_is_written_as_xm_files_have_it():
    assert ("phy:/dev/vg0/web,xvda,w",) == Devices().disks([disk()], "web")


@pytest.mark.parametrize(
    "backend", [None, "qdisk:/a.img", "phy:/dev/a,b", "phy:/dev/a b\n", "phy:"]
)
def test_a_disk_whose_backing_the_model_has_not_gets_one_and_it_is_told(backend):
    devices = Devices()

    assert ("phy:/dev/captured/web-51712,xvda,w",) == devices.disks([disk(backend=backend)], "web")
    assert 1 == len(devices.notes)


@pytest.mark.parametrize("name", [None, "xvdz9", "a,b", "xvda\n"])
def test_a_disk_without_a_legal_name_goes_by_its_number(name):
    assert ("phy:/dev/vg0/web,51712,w",) == Devices().disks([disk(name=name)], "web")


def test_a_disk_that_two_domains_share_is_written_to_with_force():
    devices = Devices()
    devices.disks([disk()], "web")

    assert ("phy:/dev/vg0/web,xvda,w!",) == devices.disks([disk()], "db")


def test_so_is_a_partition_of_a_disk_that_another_domain_has():
    devices = Devices()
    devices.disks([disk(backend="phy:/dev/sdb")], "web")

    assert ("phy:/dev/sdb1,xvda,w!",) == devices.disks([disk(backend="phy:/dev/sdb1")], "db")


def test_of_many_image_files_the_last_need_no_loop_device():
    images = [disk(device=51712 + 16 * n, name=None, backend=f"file:/images/{n}") for n in range(9)]

    assert "tap:aio:/images/8,51840,w" == Devices().disks(images, "web")[-1]


def test_an_empty_drive_stays_empty():
    drive = disk(device=5632, name="hdc", backend="", mode="r")

    assert (",hdc:cdrom,r",) == Devices().disks([drive], "web")


def test_an_interface_is_written_as_xm_files_have_it():
    assert ("mac=00:16:3e:00:00:01, bridge=xenbr0",) == Devices().vifs([vif()], "web")


def test_a_bridge_that_the_model_has_not_is_told():
    devices = Devices()

    assert ("mac=00:16:3e:00:00:01",) == devices.vifs([vif(bridge="ovs0")], "web")
    assert ["web: interface 0 is on bridge 'ovs0': xenbr0, with a gigabit card"] == told(devices)


@pytest.mark.parametrize("mac", [None, "x", "00:16:3e:00:00:01,bridge=xenbr1"])
def test_an_interface_without_a_legal_address_gets_one(mac):
    assert ("bridge=xenbr0",) == Devices().vifs([vif(mac=mac)], "web")


def test_a_rate_limit_is_kept():
    found = Devices().vifs([vif(rate_limit_bytes=1_250_000)], "web")

    assert ("mac=00:16:3e:00:00:01, bridge=xenbr0, rate=1250000B/s",) == found


def test_interfaces_beyond_the_third_are_told():
    devices = Devices()
    devices.vifs([vif(index=number) for number in range(5)], "web")

    assert ["web: 5 interfaces: the model has 3"] == told(devices)
