import pytest

from hypervisor.errors import Refused
from tests.support.model.hosts import SECOND, domain, make_host


def test_an_hvm_guest_has_a_file_for_each_driver_that_loads_it():
    host = make_host(domain("a", kind="hvm"))
    views = host.toolstack.views
    name = "bus/xen/drivers/vbd/bind"
    assert views.sys("a", name) == "\n"
    views.write_sys("a", name, "vbd\n")
    assert views.sys("a", name) == "vbd\n"
    assert views.sys("a", "bus/xen/drivers/vif/bind") == "\n"


def test_a_driver_is_loaded_by_its_name_alone():
    host = make_host(domain("a", kind="hvm"), domain("b"))
    for guest, text, said in (("a", "vif", "No such device"), ("b", "vbd", "No such file")):
        with pytest.raises(Refused, match=said):
            host.toolstack.views.write_sys(guest, "bus/xen/drivers/vbd/bind", text)


def test_an_hvm_guest_has_a_file_that_ends_it():
    host = make_host(domain("a", kind="hvm"), domain("b"))
    views = host.toolstack.views
    with pytest.raises(Refused, match=r"Invalid argument \(poweroff, reboot, halt\)"):
        views.write_sys("a", "kernel/runlevel", "5")
    with pytest.raises(Refused, match="No such file"):
        views.write_sys("b", "kernel/runlevel", "reboot")
    views.write_sys("a", "kernel/runlevel", "poweroff\n")
    host.advance(6 * SECOND)
    assert ["Domain-0", "b"] == [one.name for one in host.telemetry.snapshot().domains]
