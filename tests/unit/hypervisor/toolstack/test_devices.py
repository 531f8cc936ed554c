from dataclasses import asdict

import pytest

from tests.support.fake_hypervisor import GUEST_WITH_DEVICES, Bench, refusal


@pytest.fixture
def bench():
    bench = Bench()
    bench.create(GUEST_WITH_DEVICES)
    return bench


def connected(bench, kind, number, **nodes):
    """Connect the guest's half."""
    path = f"/local/domain/1/device/{kind}/{number}"
    bench.store.write_all(path, {name.replace("_", "-"): value for name, value in nodes.items()})
    bench.store.write(f"{path}/state", 4)


def test_a_disk_that_is_connected(bench):
    connected(bench, "vbd", 51712, ring_ref=8, event_channel=9)
    row = bench.xend.devices.rows("web", "vbd")[0]

    assert {name: value for name, value in asdict(row).items() if name != "sxp"} == {
        "device": 51712, "backend_domid": 0, "handle": 0, "state": 4, "event_channel": 9,
        "ring_ref": 8, "backend_path": "/local/domain/0/backend/vbd/1/51712",
    }  # fmt: skip


def test_a_disk_that_no_guest_has_seen_yet(bench):
    row = bench.xend.devices.rows("web", "vbd")[0]

    assert (row.state, row.event_channel, row.ring_ref) == (1, -1, -1)


def test_tap_disks_are_listed_with_the_others(bench):
    assert [row.device for row in bench.xend.devices.rows("web", "vbd")] == [51712, 51728]


def test_an_interface_that_is_connected(bench):
    connected(bench, "vif", 0, tx_ring_ref=768, rx_ring_ref=769, event_channel=7)
    (row,) = bench.xend.devices.rows("web", "vif")

    assert {name: value for name, value in asdict(row).items() if name != "sxp"} == {
        "index": 0, "backend_domid": 0, "mac": "00:16:3e:00:00:07", "handle": 0, "state": 4,
        "event_channel": 7, "tx_ring_ref": 768, "rx_ring_ref": 769,
        "backend_path": "/local/domain/0/backend/vif/1/0",
    }  # fmt: skip


def test_the_raw_tree_of_a_device_is_at_hand(bench):
    (row,) = bench.xend.devices.rows("web", "vif")

    assert row.sxp[0] == "0"
    assert ["mac", "00:16:3e:00:00:07"] in row.sxp


@pytest.mark.parametrize("kind", ["vtpm", "vfb"])
def test_a_domain_without_such_devices_has_an_empty_list(bench, kind):
    assert list(bench.xend.devices.rows("web", kind)) == []


def test_an_unknown_class_of_devices_is_refused(bench):
    assert "no device class 'usb'" in refusal(bench.xend.devices.rows, "web", "usb")
