import os
import struct
from pathlib import Path

import pytest

from hypervisor.live.agent.domain0.devices import Devices
from hypervisor.live.agent.domain0.keptfiles import KeptFiles
from hypervisor.live.agent.domain0.tapdisks import Tapdisks
from tests.support.live.fakes import FakeStore

LIFE = (1, "7d2c4b1e-0000-4000-8000-00000000002a")
NET_DEV = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
vif1.0:     600       9    1    2    0     0          0         0     1086      13    3    4    0     0       0          0
"""
STATISTICS = {
    "rd_req": 1356,
    "wr_req": 7,
    "oo_req": 3,
    "rd_sect": 346392,
    "wr_sect": 8,
}


def descriptors():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture
def bus(tmp_path):
    """Return the bus of backends of a host with one vif."""
    (tmp_path / "proc/1/net").mkdir(parents=True)
    (tmp_path / "proc/1/net/dev").write_text(NET_DEV)
    bus = tmp_path / "sys/bus/xen-backend/devices"
    (bus / "vif-1-0/net/vif1.0").mkdir(parents=True)
    return bus


def add_disk(bus, node="vbd-1-51712"):
    statistics = bus / node / "statistics"
    statistics.mkdir(parents=True)
    for name, value in STATISTICS.items():
        (statistics / name).write_text(f"{value}\n")
    return statistics


def read(devices, life=LIFE):
    devices.begin([(0, "zero"), life], 0)
    return devices.of(life)


def test_a_vif_counts_as_its_guest_sees_it(bus, tmp_path):
    store = FakeStore(
        {
            "/local/domain/0/backend/vif/1/0/mac": "00:16:3e:00:00:01",
            "/local/domain/0/backend/vif/1/0/bridge": "xenbr0",
        }
    )

    (vif,), vbds = read(Devices(store, str(tmp_path)))

    assert (0, "vif1.0", "00:16:3e:00:00:01", "xenbr0") == vif[:4]
    assert ((1086, 13, 3, 4), (600, 9, 1, 2), ()) == (vif[4:8], vif[8:], vbds)


def test_a_vif_may_have_a_name_of_its_own(bus, tmp_path):
    (bus / "vif-1-0/net/vif1.0").rename(bus / "vif-1-0/net/web0")
    (tmp_path / "proc/1/net/dev").write_text(NET_DEV.replace("vif1.0", "  web0"))

    (vif,), _ = read(Devices(FakeStore(), str(tmp_path)))

    assert ("web0", 600) == (vif.name, vif.transmit_bytes)


@pytest.mark.parametrize(
    "name", ["web\u2028x", "web\u2003", "\u3000web", "w\x85b", "web\x1d", "a\xa0b"]
)
def test_a_name_that_holds_other_ends_of_lines_or_spaces_keeps_its_counters(bus, tmp_path, name):
    (bus / "vif-1-0/net/vif1.0").rename(bus / "vif-1-0/net" / name)
    (tmp_path / "proc/1/net/dev").write_text(NET_DEV.replace("vif1.0", name))

    (vif,), _ = read(Devices(FakeStore(), str(tmp_path)))

    assert (name, 600) == (vif.name, vif.transmit_bytes)


def test_a_vif_without_an_interface_has_no_counters(bus, tmp_path):
    (bus / "vif-1-0/net/vif1.0").rmdir()

    (vif,), _ = read(Devices(FakeStore(), str(tmp_path)))

    assert (None, None) == (vif.name, vif.receive_bytes)


def test_a_disk_of_blkback_is_counted_in_bytes(bus, tmp_path):
    add_disk(bus)
    home = "/local/domain/0/backend/vbd/1/51712"
    store = FakeStore(
        {
            f"{home}/dev": "xvda",
            f"{home}/type": "phy",
            f"{home}/params": "/dev/vg0/web",
            f"{home}/mode": "w",
        }
    )

    _, (vbd,) = read(Devices(store, str(tmp_path)))

    assert (51712, "xvda", "phy:/dev/vg0/web", "w", "vbd") == vbd[:5]
    assert (1356, 7, 346392 * 512, 8 * 512, 3) == vbd[5:10]
    assert (None, None, None) == vbd[10:]


def test_counters_are_read_anew_and_settings_are_not(bus, tmp_path):
    statistics = add_disk(bus)
    store = FakeStore()
    devices = Devices(store, str(tmp_path))
    read(devices)
    store.asked.clear()
    (statistics / "rd_req").write_text("1400\n")
    (tmp_path / "proc/1/net/dev").write_text(NET_DEV.replace("600", "700"))

    (vif,), (vbd,) = read(devices)

    assert (700, 1400, []) == (vif.transmit_bytes, vbd.read_requests, store.asked)


def test_a_disk_that_goes_while_it_is_read_is_unknown(bus, tmp_path):
    statistics = add_disk(bus)
    devices = Devices(FakeStore(), str(tmp_path))
    devices.begin([LIFE], 0)
    for name in STATISTICS:
        (statistics / name).unlink()

    vbds = devices.of(LIFE)[1]

    assert vbds is not None
    assert (None,) * 7 == vbds[0][5:12]


def test_qdisk_has_no_counters(bus, tmp_path):
    (bus / "qdisk-1-51712").mkdir()

    _, (vbd,) = read(Devices(FakeStore(), str(tmp_path)))

    assert ("qdisk", None, None) == (vbd.kind, vbd.read_requests, vbd.answered_requests)


def test_devices_of_other_domains_and_other_kinds_are_left_out(bus, tmp_path):
    for node in ("vbd-2-51712", "console-1-0", "vbd-1-51712-1", "vbd-1-x"):
        (bus / node).mkdir()

    assert ((), 1) == (
        read(Devices(FakeStore(), str(tmp_path)))[1],
        len(read(Devices(FakeStore(), str(tmp_path)))[0]),
    )


@pytest.mark.parametrize("content", ["", "x", "-1", "9" * 40, "1 2", "٣"])
def test_nonsense_in_a_counter_is_unknown(bus, tmp_path, content):
    statistics = add_disk(bus)
    (statistics / "rd_req").write_text(content)

    assert read(Devices(FakeStore(), str(tmp_path)))[1][0].read_requests is None


def test_a_host_without_backends_has_no_devices(tmp_path):
    (tmp_path / "sys/bus/xen-backend/devices").mkdir(parents=True)

    assert ((), ()) == read(Devices(FakeStore(), str(tmp_path)))


def test_devices_are_unknown_where_the_bus_cannot_be_listed(tmp_path):
    devices = Devices(FakeStore(), str(tmp_path))

    assert (None, None) == read(devices)
    assert "No such file or directory" in str(devices.problem)


def test_a_bus_that_appears_is_seen(tmp_path):
    devices = Devices(FakeStore(), str(tmp_path))
    read(devices)
    (tmp_path / "sys/bus/xen-backend/devices").mkdir(parents=True)

    assert (((), ()), None) == (read(devices), devices.problem)


def test_a_detached_device_is_gone_from_the_list_of_xenstore_too(bus, tmp_path):
    store = FakeStore(
        {
            "/local/domain/1/device/vif/0/backend": "/local/domain/0/backend/vif/1/0",
            "/local/domain/0/backend/vif/1/0/frontend": "/local/domain/1/device/vif/0",
        }
    )
    devices = Devices(store, str(tmp_path))
    read(devices)
    (bus / "vif-1-0").rename(tmp_path / "gone")
    store.values = {}

    assert ((), ()) == read(devices)


HOME = "/local/domain/0/backend/vbd/1/51712"


def disk_at(devices, seconds):
    devices.begin([LIFE], seconds * 10**9)
    return devices.of(LIFE)[1][0]


def test_a_disk_that_is_attached_again_has_its_new_settings(bus, tmp_path):
    add_disk(bus)
    store = FakeStore({f"{HOME}/params": "/dev/vg/old"})
    devices = Devices(store, str(tmp_path))
    disk_at(devices, 0)
    (bus / "vbd-1-51712").rename(tmp_path / "old")  # it keeps its inode
    add_disk(bus)
    store.values = {f"{HOME}/params": "/dev/vg/new"}

    assert "phy:/dev/vg/new" == disk_at(devices, 1).backend


def test_changed_settings_are_seen_within_half_a_minute(bus, tmp_path):
    add_disk(bus)
    names = ("dev", "type", "params", "mode")
    store = FakeStore({f"{HOME}/{name}": "r" for name in names})
    devices = Devices(store, str(tmp_path))
    before = disk_at(devices, 0)
    store.values[f"{HOME}/mode"] = "w"

    assert ("r", "r", "w") == (before.mode, disk_at(devices, 20).mode, disk_at(devices, 31).mode)


def test_a_setting_that_was_not_there_is_looked_for_again(bus, tmp_path):
    add_disk(bus)
    store = FakeStore(problem="hung")
    devices = Devices(store, str(tmp_path))
    before = disk_at(devices, 0)
    store.values, store.problem = {f"{HOME}/dev": "xvda"}, None

    assert (None, "xvda") == (before.name, disk_at(devices, 6).name)


def test_settings_are_kept_while_xenstore_is_silent(bus, tmp_path):
    add_disk(bus)
    store = FakeStore({f"{HOME}/dev": "xvda"})
    devices = Devices(store, str(tmp_path))
    disk_at(devices, 0)
    store.problem = "hung"

    assert "xvda" == disk_at(devices, 60).name


def test_files_that_are_no_longer_read_are_closed(tmp_path):
    (tmp_path / "one").write_text("1")
    files = KeptFiles(most=8)
    before = descriptors()

    files.read([str(tmp_path / "one")], 8)
    during = descriptors()
    files.sweep()
    files.sweep()

    assert (before + 1, before) == (during, descriptors())


def test_files_beyond_the_limit_are_read_all_the_same(tmp_path):
    for number in range(5):
        (tmp_path / str(number)).write_text(str(number))
    files = KeptFiles(most=2)
    before = descriptors()

    assert [b"0", b"1", b"2", b"3", b"4", None] == files.read(
        [str(tmp_path / name) for name in "01234x"], 8
    )
    assert before + 2 == descriptors()
    files.sweep()
    files.sweep()


TAPDISK = struct.pack("<I4x10Q8x", 1, 5, 100, 90, 800, 9000, 50, 40, 400, 4000, 2)


@pytest.fixture
def tapdisk(bus, tmp_path):
    """Return the file in which a tapdisk counts."""
    (bus / "vbd3-1-768").mkdir()
    folder = tmp_path / "dev/shm/td3-4321"
    folder.mkdir(parents=True, mode=0o755)
    file = folder / "vbd-1-768"
    file.write_bytes(TAPDISK)
    file.chmod(0o644)
    return file


def of_tapdisk(tmp_path, pid="4321"):
    store = FakeStore({"/local/domain/0/backend/vbd3/1/768/kthread-pid": pid})
    tapdisks = Tapdisks(str(tmp_path), owner=os.getuid())
    return read(Devices(store, str(tmp_path), tapdisks))[1][0]


def test_a_tapdisk_counts_waiting_and_what_is_on_its_way(tapdisk, tmp_path):
    vbd = of_tapdisk(tmp_path)

    assert ("tap", 100, 50, 800 * 512, 400 * 512, 5, 13_000_000, 130, 20) == vbd[4:]


def test_a_tapdisk_that_others_may_write_is_not_believed(tapdisk, tmp_path):
    tapdisk.chmod(0o666)

    assert of_tapdisk(tmp_path).read_requests is None


def test_a_tapdisk_behind_a_link_is_not_believed(tapdisk, tmp_path):
    tapdisk.rename(tmp_path / "elsewhere")
    tapdisk.symlink_to(tmp_path / "elsewhere")

    assert of_tapdisk(tmp_path).read_requests is None


def test_a_tapdisk_with_two_names_is_not_believed(tapdisk, tmp_path):
    os.link(tapdisk, tmp_path / "elsewhere")

    assert of_tapdisk(tmp_path).read_requests is None


@pytest.mark.parametrize("pid", ["", "0", "../x", "4321/..", "99999999999", "-1"])
def test_a_strange_process_id_is_not_followed(tapdisk, tmp_path, pid):
    assert of_tapdisk(tmp_path, pid).read_requests is None


@pytest.mark.parametrize("content", [b"", TAPDISK[:80], struct.pack("<I", 2) + TAPDISK[4:]])
def test_an_unknown_form_of_a_tapdisk_is_unknown(tapdisk, tmp_path, content):
    tapdisk.write_bytes(content)

    assert of_tapdisk(tmp_path).read_requests is None


def test_what_stood_still_is_told_anew_when_it_has_grown(bus, tmp_path):
    statistics = add_disk(bus)
    devices = Devices(FakeStore(), str(tmp_path))
    seen = []
    for seconds, requests, received in ((20, 1, 600), (21, 1, 600), (22, 2, 700)):
        (statistics / "rd_req").write_text(f"{requests}\n")
        (tmp_path / "proc/1/net/dev").write_text(NET_DEV.replace(" 600 ", f" {received} "))
        devices.begin([LIFE], seconds * 10**9)
        vifs, vbds = devices.of(LIFE)
        assert vifs is not None and vbds is not None
        seen.append((vbds[0].read_requests, vifs[0].transmit_bytes))

    assert [(1, 600), (1, 600), (2, 700)] == seen
