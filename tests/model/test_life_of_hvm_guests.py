"""HVM guests as xend and their own kernel end, suspend and change them.

Source: tools/python/xen/xend/XendDomainInfo.py (3.0.3; shutdown of 3.1),
unmodified_drivers/linux-2.6/platform-pci, tools/ioemu/target-i386-dm/helper2.c.
"""

from typing import Any

import pytest

from hypervisor.model.machine import Machine
from tests.support.model.hosts import SECOND, cpu, domain, fileio, make_host, netperf, result, seen
from tests.support.model.managing import after, done, logged, names

RUNLEVEL = "kernel/runlevel"


def running(tools: str, *workloads: dict[str, Any], **settings: Any) -> Machine:
    host = make_host(
        domain("a", *workloads, kind="hvm", **settings),
        hypervisor=tools,
        tools=tools,
        support_limits=False,
    )
    host.advance(SECOND)
    return host


def bytes_of(host: Machine, index: int) -> int:
    return int(result(host, "a", index)["bytes"])


# -- the end


@pytest.mark.parametrize("word", ["poweroff", "reboot", "halt"])
def test_3_0_3_destroys_a_guest_without_drivers_after_30_seconds(word):
    host = running("3.0.3")
    host.toolstack.domains.shutdown("a", word)
    after(host, 29)
    before = names(host)
    after(host, 2)
    assert ({0: "Domain-0", 1: "a"}, {0: "Domain-0"}) == (before, names(host))


@pytest.mark.parametrize(("word", "left"), [("poweroff", {}), ("reboot", {2: "a"}), ("halt", {})])
def test_3_1_ends_a_guest_without_drivers_at_once(word, left):
    host = running("3.1")
    host.toolstack.domains.shutdown("a", word)
    after(host, 1)
    assert {0: "Domain-0", **left} == names(host)
    assert 1 == logged(host, "HVM save:remote shutdown dom 1!")


@pytest.mark.parametrize("tools", ["3.0.3", "3.1"])
@pytest.mark.parametrize(("word", "left"), [("poweroff", {}), ("reboot", {2: "a"})])
def test_a_guest_with_drivers_ends_by_itself(tools, word, left):
    host = running(tools, drivers="pv")
    host.toolstack.domains.shutdown("a", word)
    after(host, 3)
    before = names(host)
    after(host, 3)
    assert ({0: "Domain-0", 1: "a"}, {0: "Domain-0", **left}) == (before, names(host))


@pytest.mark.parametrize(("word", "left"), [("poweroff", {}), ("reboot", {2: "a"}), ("halt", {})])
def test_a_guest_without_drivers_can_end_itself(word, left):
    host = running("3.0.3")
    host.toolstack.views.write_sys("a", RUNLEVEL, word)
    after(host, 6)
    assert {0: "Domain-0", **left} == names(host)


@pytest.mark.parametrize(
    "work", [[netperf("transmit")], [netperf("receive"), cpu()], [fileio(), cpu()]]
)
def test_a_guest_that_is_busy_reboots_all_the_same(work):
    host = running("3.1", *work)
    host.toolstack.views.write_sys("a", RUNLEVEL, "reboot")
    host.advance_until(lambda: 2 in names(host), 30 * SECOND)
    after(host, 2)
    assert {0: "Domain-0", 2: "a"} == names(host)
    assert bytes_of(host, 0) > 0


def test_a_reboot_takes_loaded_drivers_away():
    host = running("3.0.3")
    host.toolstack.views.write_sys("a", "bus/xen/drivers/vif/bind", "vif")
    host.toolstack.domains.shutdown("a", "reboot")
    after(host, 6)
    assert {0: "Domain-0", 2: "a"} == names(host)
    assert "\n" == host.toolstack.views.sys("a", "bus/xen/drivers/vif/bind")


@pytest.mark.parametrize(("drivers", "domid"), [("emulated", 1), ("pv", 2)])
def test_only_a_guest_with_drivers_sees_a_sysrq(drivers, domid):
    host = running("3.0.3", drivers=drivers)
    host.toolstack.domains.sysrq("a", "c")
    after(host, 2)
    assert {0: "Domain-0", domid: "a"} == names(host)


# -- in between


@pytest.mark.parametrize("drivers", ["emulated", "pv"])
def test_a_paused_guest_stands_still_and_goes_on(drivers):
    host = running("3.0.3", netperf("transmit"), fileio(), drivers=drivers)
    host.toolstack.domains.pause("a")
    after(host, 0.5)
    then = [bytes_of(host, n) for n in (0, 1)]
    after(host, 1)
    still = [bytes_of(host, n) for n in (0, 1)]
    host.toolstack.domains.unpause("a")
    after(host, 1)
    assert then == still
    assert [True, True] == [bytes_of(host, n) > still[n] for n in (0, 1)]


@pytest.mark.parametrize("drivers", ["emulated", "pv"])
def test_vcpus_and_memory_stay_as_they_are(drivers):
    host = running("3.0.3", vcpus=2, drivers=drivers)
    host.toolstack.resources.set_vcpus("a", 1)
    host.toolstack.resources.set_memory("a", 64)
    after(host, 2)
    one = seen(host, "a")
    assert ([True, True], 128 * 1024) == ([vcpu.online for vcpu in one.vcpus], one.memory_kib)
    assert "no_driver" == one.balloon


def test_3_0_3_does_not_save_and_says_so(tmp_path):
    host = running("3.0.3")
    with pytest.raises(Exception, match="fully virtualized domains cannot be saved"):
        host.toolstack.domains.save("a", str(tmp_path / "a"))


@pytest.mark.parametrize("kind", ["vbd", "vif"])
def test_a_saved_guest_comes_back_with_the_driver_that_was_loaded(kind, tmp_path):
    host = running("3.1", netperf("transmit"), fileio())
    path = str(tmp_path / "a")
    host.toolstack.views.write_sys("a", f"bus/xen/drivers/{kind}/bind", kind)
    done(host, host.toolstack.domains.save("a", path))
    done(host, host.toolstack.domains.restore(path))
    before = [bytes_of(host, n) for n in (0, 1)]
    after(host, 2)
    loaded = [
        one
        for one in ("vbd", "vif")
        if host.toolstack.views.sys("a", f"bus/xen/drivers/{one}/bind").strip()
    ]
    assert [kind] == loaded
    assert [True, True] == [bytes_of(host, n) > before[n] for n in (0, 1)]


@pytest.mark.parametrize("drivers", ["emulated", "pv"])
def test_a_checkpoint_leaves_the_guest_at_work(drivers, tmp_path):
    host = running("3.1", netperf("transmit"), fileio(), drivers=drivers)
    done(host, host.toolstack.domains.save("a", str(tmp_path / "a"), checkpoint=True))
    before = [bytes_of(host, n) for n in (0, 1)]
    after(host, 2)
    assert {0: "Domain-0", 1: "a"} == names(host)
    assert [True, True] == [bytes_of(host, n) > before[n] for n in (0, 1)]


def test_devices_are_connected_once_their_driver_is_loaded():
    host = running("3.0.3", drivers="emulated")
    store = host.toolstack.context.store
    paths = {"vbd": "/local/domain/1/device/vbd/51712", "vif": "/local/domain/1/device/vif/0"}
    states = []
    for kind in ("vbd", "vif"):
        states.append([store.read(f"{path}/state") for path in paths.values()])
        host.toolstack.views.write_sys("a", f"bus/xen/drivers/{kind}/bind", kind)
    states.append([store.read(f"{path}/state") for path in paths.values()])
    assert [["1", "1"], ["4", "1"], ["4", "4"]] == states
    assert "1" == store.read(f"{paths['vif']}/request-rx-copy")


def test_a_device_without_a_driver_is_not_given_back():
    host = running("3.0.3")
    host.toolstack.devices.detach_network("a", 0)
    after(host, 5)
    assert 1 == len(seen(host, "a").vifs)


def test_a_device_with_a_driver_is_given_back():
    host = running("3.0.3", drivers="pv")
    host.toolstack.devices.detach_network("a", 0)
    after(host, 5)
    assert 0 == len(seen(host, "a").vifs)
