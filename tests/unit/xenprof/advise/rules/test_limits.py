"""The limits are those of the slides RHEL-5 Virtualization Status."""

from dataclasses import replace

import pytest

from tests.support.advising import facts, guest, ids, vif

GIB = 1024
PV = guest(kind="pv", vcpus=32, vifs=(vif(0), vif(1), vif(2)))
HVM = guest(kind="hvm", vcpus=1)


def found(owner, arch="x86_64", xen=3):
    return ids(facts(owner, arch=arch, xen_major=xen))


@pytest.mark.parametrize(
    ("owner", "arch", "told"),
    [
        (PV, "x86_64", []),
        (replace(PV, vcpus=33), "x86_64", ["limits.processors"]),
        (replace(PV, vifs=(*PV.vifs, vif(3))), "x86_64", ["limits.interfaces"]),
        (replace(PV, memory_mib=64 * GIB), "x86_64", []),
        (replace(PV, memory_mib=64 * GIB + 1), "x86_64", ["limits.memory"]),
        (replace(PV, memory_mib=16 * GIB), "i386", []),
        (replace(PV, memory_mib=16 * GIB + 1), "i386", ["limits.memory"]),
        (HVM, "x86_64", []),
        (replace(HVM, vcpus=2), "x86_64", ["limits.processors"]),
        (replace(HVM, memory_mib=1536), "i386", []),
        (replace(HVM, memory_mib=1537), "i386", ["limits.memory"]),
        (replace(HVM, memory_mib=99 * GIB), "x86_64", []),
        (guest(vcpus=99, memory_mib=99 * GIB), "x86_64", []),
        (replace(PV, memory_mib=99 * GIB), None, []),
    ],
)
def test_what_is_beyond_is_told(owner, arch, told):
    assert told == found(owner, arch)


@pytest.mark.parametrize("xen", [4, None])
def test_hosts_that_are_not_known_to_be_rhel_5_have_no_such_limits(xen):
    assert [] == found(replace(PV, vcpus=33), xen=xen)
