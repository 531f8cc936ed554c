"""What a guest writes to its console while it boots."""

import pytest

from hypervisor.model.machine import Machine
from tests.support.model.hosts import domain, make_host
from tests.support.model.managing import done

DISKS = ["tap:aio:/a.img,xvda,w", "phy:/dev/b,xvdb,w", "tap:aio:/c.img,xvdc,w"]


@pytest.fixture
def host() -> Machine:
    return make_host(domain("a", disk=DISKS, vcpus=2))


def test_the_first_line_is_what_proc_version_says(host):
    assert (
        host.toolstack.views.proc("a", "version").strip()
        == host.toolstack.views.console("a").splitlines()[0]
    )


def test_the_memory_is_that_of_meminfo_and_of_the_domain(host):
    total_kib = host.toolstack.views.proc("a", "meminfo").split()[1]

    assert f"\nMemory: {total_kib}k/131072k available (" in host.toolstack.views.console("a")


def test_disks_appear_by_their_numbers_whatever_serves_them(host):
    found = [
        line
        for line in host.toolstack.views.console("a").splitlines()
        if line.startswith("blkfront: ")
    ]

    assert [f"blkfront: xvd{letter}: barriers disabled" for letter in "abc"] == found


def test_the_vcpus_are_counted(host):
    assert "\nBrought up 2 CPUs\n" in host.toolstack.views.console("a")


def test_the_last_line_is_the_login(host):
    assert [
        "Red Hat Enterprise Linux Server release 5 (Tikanga)",
        "Kernel 2.6.18-8.el5xen on an x86_64",
        "",
        "a login: root",
    ] == host.toolstack.views.console("a").splitlines()[-4:]


def test_domain_0_boots_without_frontends_and_getty(host):
    text = host.toolstack.views.console("Domain-0")

    assert (True, False, False) == (
        "xen_mem: Initialising balloon driver." in text,
        "xvc0" in text,
        "login" in text,
    )


def test_the_command_line_is_that_of_proc(host):
    line = host.toolstack.views.proc("a", "cmdline").strip()

    assert f"\nCommand line: {line}\n" in host.toolstack.views.console("a")


def test_a_restored_guest_only_finds_its_disks_again(host, tmp_path):
    path = str(tmp_path / "a.save")
    done(host, host.toolstack.domains.save("a", path))
    done(host, host.toolstack.domains.restore(path))

    assert {"blkfront:"} == {
        line.split()[0] for line in host.toolstack.views.console("a").splitlines()
    }
