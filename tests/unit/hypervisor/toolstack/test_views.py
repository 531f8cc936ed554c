import pytest

from hypervisor.toolstack.config.sxp import to_text
from tests.support.fake_hypervisor import GUEST, Bench, refusal

CONFIG = {
    **GUEST,
    "disk": ["phy:sda3,xvda,w", "tap:aio:/img,xvdb,r"],
    "vif": ["mac=00:16:3e:00:00:07,bridge=xenbr0"],
}


@pytest.fixture
def bench():
    bench = Bench()
    bench.create(CONFIG)
    return bench


def connected(bench, kind, number, **nodes):
    """The guest's half is there."""
    path = f"/local/domain/1/device/{kind}/{number}"
    bench.store.write_all(path, {name.replace("_", "-"): value for name, value in nodes.items()})
    bench.store.write(f"{path}/state", 4)


def test_a_disk_that_is_connected(bench):
    connected(bench, "vbd", 51712, ring_ref=8, event_channel=9)
    row = bench.xend.devices.rows("web", "vbd")[0]

    assert {name: row[name] for name in row if name != "sxp"} == {
        "device": 51712, "backend_domid": 0, "handle": 0, "state": 4, "event_channel": 9,
        "ring_ref": 8, "backend_path": "/local/domain/0/backend/vbd/1/51712",
    }  # fmt: skip


def test_a_disk_that_no_guest_has_seen_yet(bench):
    row = bench.xend.devices.rows("web", "vbd")[0]

    assert (row["state"], row["event_channel"], row["ring_ref"]) == (1, -1, -1)


def test_tap_disks_are_listed_with_the_others(bench):
    assert [row["device"] for row in bench.xend.devices.rows("web", "vbd")] == [51712, 51728]


def test_an_interface_that_is_connected(bench):
    connected(bench, "vif", 0, tx_ring_ref=768, rx_ring_ref=769, event_channel=7)
    (row,) = bench.xend.devices.rows("web", "vif")

    assert {name: row[name] for name in row if name != "sxp"} == {
        "index": 0, "backend_domid": 0, "mac": "00:16:3e:00:00:07", "handle": 0, "state": 4,
        "event_channel": 7, "tx_ring_ref": 768, "rx_ring_ref": 769,
        "backend_path": "/local/domain/0/backend/vif/1/0",
    }  # fmt: skip


def test_the_raw_tree_of_a_device_is_at_hand(bench):
    (row,) = bench.xend.devices.rows("web", "vif")

    assert row["sxp"][0] == "0"
    assert ["mac", "00:16:3e:00:00:07"] in row["sxp"]


@pytest.mark.parametrize("kind", ["vtpm", "vfb"])
def test_a_domain_without_such_devices_has_an_empty_list(bench, kind):
    assert list(bench.xend.devices.rows("web", kind)) == []


def test_an_unknown_class_of_devices_is_refused(bench):
    assert "no device class 'usb'" in refusal(bench.xend.devices.rows, "web", "usb")


def entries(bench, domain="web"):
    tag, *rest = bench.xend.views.sxp(domain)
    assert tag == "domain"
    return rest


def test_the_long_list_of_a_domain_has_what_3_0_3_prints(bench):
    names = [entry[0] for entry in entries(bench)]

    wanted = [
        "domid", "uuid", "vcpus", "cpu_weight", "memory", "shadow_memory", "maxmem", "features",
        "name", "on_poweroff", "on_reboot", "on_crash", "image", "device", "device", "device",
        "state", "shutdown_reason", "cpu_time", "online_vcpus", "up_time", "start_time",
        "store_mfn", "console_mfn",
    ]  # fmt: skip
    assert [name for name in names if name in wanted] == wanted


@pytest.mark.parametrize(
    "entry",
    [
        ["domid", "1"],
        ["name", "web"],
        ["memory", "128"],
        ["maxmem", "128"],
        ["vcpus", "2"],
        ["shutdown_reason", "poweroff"],
        ["state", "--p---"],
        ["online_vcpus", "2"],
    ],
)
def test_values_of_the_long_list(bench, entry):
    assert entry in entries(bench)


def test_the_long_list_shows_what_has_changed_since(bench):
    bench.xend.resources.set_memory("web", 100)
    bench.xend.domains.rename("web", "shop")
    bench.result(bench.xend.devices.attach_network("shop", "mac=00:16:3e:00:00:08"))
    now = entries(bench, "shop")

    assert ["memory", "100"] in now
    assert ["name", "shop"] in now
    assert sum("00:16:3e" in to_text(entry) for entry in now if entry[0] == "device") == 2


def test_the_long_list_of_a_crashed_domain_says_so(bench):
    bench.fake.change(1, shutdown_reason=3)

    assert ["shutdown_reason", "crash"] in entries(bench)


def test_uptime_is_the_time_since_it_was_created(bench):
    before = float(dict(e for e in entries(bench) if e[0] == "up_time")["up_time"])
    bench.after(5)
    after = float(dict(e for e in entries(bench) if e[0] == "up_time")["up_time"])

    assert after - before == pytest.approx(5)


def test_a_dry_run_creates_nothing(bench):
    described = bench.xend.domains.describe("kernel = '/k'\n", "/etc/xen/mail")

    assert ["name", "mail"] in described
    assert bench.names() == {0: "Domain-0", 1: "web"}


def test_the_store_is_shown_depth_first(bench):
    paths = [path for path, _ in bench.xend.views.xenstore()]

    assert paths.index("/local/domain/1") < paths.index("/local/domain/1/name")
    assert len(set(paths)) == len(paths)


def test_the_console_is_that_of_the_domain(bench):
    assert bench.xend.views.console("web") == "console of 1\n"


def test_the_boot_ring_can_be_cleared(bench):
    bench.xend.xen_console.boot(2, 657 * 1024)
    before = bench.xend.xen_console.text()
    bench.xend.xen_console.clear()

    assert (" Xen version 3.0.3" in before, bench.xend.xen_console.text()) == (True, "")


@pytest.mark.parametrize(
    "call",
    [
        lambda xend: xend.views.sxp("x"),
        lambda xend: xend.devices.rows("x", "vbd"),
        lambda xend: xend.views.console("x"),
    ],
)
def test_an_unknown_domain_is_named(bench, call):
    assert refusal(call, bench.xend) == "Domain 'x' does not exist."
