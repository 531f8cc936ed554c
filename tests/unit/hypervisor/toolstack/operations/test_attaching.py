import pytest

from tests.support.fake_hypervisor import GUEST, Bench, refusal

BACK = "/local/domain/0/backend"
FRONT = "/local/domain/1/device"


def with_devices(**settings):
    bench = Bench(**settings)
    bench.create({**GUEST, "disk": ["phy:sda3,xvda,w"], "vif": [""]})
    bench.fake.calls.clear()
    return bench


@pytest.fixture
def bench():
    return with_devices()


def let_go(bench, kind, number):
    """Let the guest give the device up."""
    bench.store.write(f"{FRONT}/{kind}/{number}/state", 6)
    bench.after(0.2)


# -- attach


def test_a_disk_has_the_number_of_its_name(bench):
    bench.result(bench.xend.devices.attach_block("web", "phy:sda4", "xvdb", "w"))

    assert bench.store.children(f"{FRONT}/vbd") == ["51712", "51728"]


def test_a_disk_that_is_there_is_refused_with_its_number(bench):
    message = refusal(bench.xend.devices.attach_block, "web", "phy:sda4", "xvda", "w")

    assert message == "Device xvda (51712, vbd) is already connected."


def test_two_attachments_of_one_device_at_once_are_one_too_many(bench):
    bench.xend.devices.attach_block("web", "phy:sda4", "xvdb", "w")

    assert "already connected" in refusal(
        bench.xend.devices.attach_block, "web", "phy:sda5", "xvdb", "w"
    )


@pytest.mark.parametrize(
    ("backend", "frontend", "mode"), [("phy:sda4", "xvdb", "x"), ("phy:sda4,w", "xvdb", "w")]
)
def test_what_is_no_disk_is_refused(bench, backend, frontend, mode):
    assert refusal(bench.xend.devices.attach_block, "web", backend, frontend, mode).startswith(
        "Invalid"
    )


def test_a_tap_disk_has_a_class_of_its_own(bench):
    bench.result(bench.xend.devices.attach_block("web", "tap:aio:/img", "xvdb", "w"))

    assert bench.store.children(f"{BACK}/tap/1") == ["51728"]


def test_another_backend_domain_is_refused(bench):
    bench.create({**GUEST, "name": "driver"})

    message = refusal(bench.xend.devices.attach_block, "web", "phy:sda4", "xvdb", "w", "driver")
    assert message.startswith("Domain 'driver' is no backend")


def test_interfaces_are_numbered_and_numbers_not_used_again(bench):
    bench.result(bench.xend.devices.attach_network("web", ""))
    bench.xend.devices.detach_network("web", 1)
    let_go(bench, "vif", 1)
    bench.result(bench.xend.devices.attach_network("web", ""))

    assert bench.store.children(f"{FRONT}/vif") == ["0", "2"]


def test_a_fourth_interface_is_one_too_many(bench):
    for _ in range(2):
        bench.result(bench.xend.devices.attach_network("web", ""))

    assert "supports 3 virtual NICs" in refusal(bench.xend.devices.attach_network, "web", "")


def test_without_support_limits_there_may_be_more():
    bench = with_devices(support_limits=False)
    for _ in range(3):
        bench.result(bench.xend.devices.attach_network("web", ""))

    assert len(bench.store.children(f"{FRONT}/vif")) == 4


def test_nodes_of_an_interface(bench):
    options = "mac=00:16:3e:00:00:05,bridge=xenbr1,rate=10Mb/s,ip=10.0.0.5"
    bench.result(bench.xend.devices.attach_network("web", options))
    store = bench.store
    front = {name: store.read(f"{FRONT}/vif/1/{name}") for name in store.children(f"{FRONT}/vif/1")}
    back = {
        name: store.read(f"{BACK}/vif/1/1/{name}") for name in store.children(f"{BACK}/vif/1/1")
    }

    assert front == {
        "backend": f"{BACK}/vif/1/1", "backend-id": "0", "state": "1", "handle": "1",
        "mac": "00:16:3e:00:00:05",
    }  # fmt: skip
    assert back | {"domain": "web", "frontend": f"{FRONT}/vif/1", "frontend-id": "1", "state": "2",
                   "online": "1", "handle": "1", "mac": "00:16:3e:00:00:05", "bridge": "xenbr1",
                   "script": "/etc/xen/scripts/vif-bridge", "ip": "10.0.0.5",
                   "rate": "62500,50000", "feature-sg": "1", "feature-gso-tcpv4": "1",
                   "hotplug-status": "connected"} == back  # fmt: skip


def test_nodes_of_a_disk(bench):
    bench.result(bench.xend.devices.attach_block("web", "phy:sda4", "xvdb", "r"))
    store = bench.store
    front = {n: store.read(f"{FRONT}/vbd/51728/{n}") for n in store.children(f"{FRONT}/vbd/51728")}
    path = f"{BACK}/vbd/1/51728"
    back = {name: store.read(f"{path}/{name}") for name in store.children(path)}

    assert front == {
        "backend": path, "backend-id": "0", "state": "1", "virtual-device": "51728",
        "device-type": "disk",
    }  # fmt: skip
    assert back | {"domain": "web", "frontend": f"{FRONT}/vbd/51728", "frontend-id": "1",
                   "state": "2", "online": "1", "dev": "xvdb", "type": "phy", "params": "sda4",
                   "mode": "r", "physical-device": "8:4", "info": "4", "sector-size": "512",
                   "hotplug-status": "connected"} == back  # fmt: skip
    assert int(back["sectors"]) > 0


def test_the_next_number_of_an_interface_stands_in_the_store(bench):
    bench.result(bench.xend.devices.attach_network("web", ""))

    assert bench.store.read("/local/domain/1/device-misc/vif/nextDeviceID") == "2"


def test_a_device_of_a_domain_that_is_destroyed_meanwhile_is_refused(bench):
    operation = bench.xend.devices.attach_block("web", "phy:sda4", "xvdb", "w")
    bench.xend.domains.destroy("web")

    assert "could not be connected" in refusal(bench.result, operation)


# -- detach


@pytest.mark.parametrize("reference", ["xvda", "51712", "0xca00"])
def test_a_disk_is_asked_for_by_number_or_name(bench, reference):
    bench.xend.devices.detach_block("web", reference)

    assert (
        bench.store.read(f"{BACK}/vbd/1/51712/online"),
        bench.store.read(f"{BACK}/vbd/1/51712/state"),
    ) == ("0", "5")


def test_a_device_stays_until_the_guest_has_given_it_up(bench):
    bench.xend.devices.detach_block("web", "xvda")
    bench.after(1000)

    assert bench.store.children(f"{FRONT}/vbd") == ["51712"]


def test_a_device_that_was_given_up_is_taken_away(bench):
    bench.xend.devices.detach_block("web", "xvda")
    let_go(bench, "vbd", 51712)

    assert bench.fake.calls == [("remove disk", 1, 51712)]
    assert bench.store.read(f"{BACK}/vbd/1/51712") is None


def test_asking_twice_takes_it_away_once(bench):
    for _ in range(2):
        bench.xend.devices.detach_network("web", 0)
    let_go(bench, "vif", 0)

    assert bench.fake.calls == [("remove vif", 1, 0)]


def test_a_guest_that_closes_a_device_unasked_keeps_it(bench):
    let_go(bench, "vbd", 51712)

    assert bench.fake.calls == []


@pytest.mark.parametrize(
    ("call", "device"),
    [("detach_block", "xvdb"), ("detach_block", "rubbish"), ("detach_network", 7)],
)
def test_what_is_not_there_is_not_detached(bench, call, device):
    assert (
        refusal(getattr(bench.xend.devices, call), "web", device)
        == f"Device {device} not connected"
    )


@pytest.mark.parametrize(("tools", "is_found"), [("3.0.3", False), ("3.1", True)])
def test_detach_of_3_0_3_does_not_find_tap_disks(tools, is_found):
    bench = with_devices(tools=tools)
    bench.result(bench.xend.devices.attach_block("web", "tap:aio:/img", "xvdb", "w"))
    if is_found:
        bench.xend.devices.detach_block("web", "xvdb")
    else:
        assert "not connected" in refusal(bench.xend.devices.detach_block, "web", "xvdb")


def test_force_takes_a_device_away_at_once():
    bench = with_devices(tools="3.1")
    bench.xend.devices.detach_block("web", "xvda", force=True)

    assert bench.fake.calls == [("remove disk", 1, 51712)]


def test_no_watch_is_left_of_a_device_whose_domain_was_destroyed(bench):
    bench.xend.devices.detach_block("web", "xvda")
    bench.xend.domains.destroy("web")
    bench.after(0.1)

    assert [path for path in bench.store._watches if "/1/" in path] == []


# -- change of the medium


def with_cdrom():
    bench = Bench()
    bench.create({**GUEST, "disk": ["file:/one.iso,hdc:cdrom,r", "phy:sda3,xvda,w"]})
    bench.fake.calls.clear()
    return bench


def test_another_medium_takes_the_place_of_the_old_one():
    bench = with_cdrom()
    bench.xend.devices.configure_block("web", "file:/two.iso", "hdc:cdrom", "r")

    assert bench.fake.calls == [("change disk", 1, 5632, "/two.iso")]
    assert bench.store.read(f"{BACK}/vbd/1/5632/params") == "/two.iso"


def test_a_medium_is_put_into_an_empty_drive_and_taken_out():
    bench = Bench()
    bench.create({**GUEST, "disk": [",hdc:cdrom,r"]})
    nodes = []
    for source in ("file:/two.iso", ""):
        bench.xend.devices.configure_block("web", source, "hdc:cdrom", "r")
        names = ("type", "params", "sectors")
        nodes.append([bench.store.read(f"{BACK}/vbd/1/5632/{name}") for name in names])

    assert [["file", "/two.iso", "16777216"], ["", "", "0"]] == nodes


@pytest.mark.parametrize(
    ("backend", "frontend", "mode"),
    [("file:/two.iso", "hdc:cdrom", "w"), ("phy:sda5", "xvda", "w")],
)
def test_anything_else_cannot_be_configured(backend, frontend, mode):
    bench = with_cdrom()
    message = refusal(bench.xend.devices.configure_block, "web", backend, frontend, mode)

    assert message.startswith("Refusing to reconfigure device vbd:")
    assert bench.fake.calls == []


def test_a_drive_that_is_not_there_cannot_be_configured():
    bench = with_cdrom()

    assert refusal(bench.xend.devices.configure_block, "web", "file:/x", "xvdc", "r") == (
        "Device xvdc not connected"
    )
