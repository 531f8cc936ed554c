"""The kernel of HVM guests: functions and pcs of the other kernel that are moved into it."""

import numpy as np
import pytest

from hypervisor.model.codebook.images import Images
from hypervisor.model.codebook.native import NativeKernels

IMAGES = Images().by_key
XENS, NATIVE = IMAGES["vmlinux"], IMAGES["native"]


@pytest.fixture
def kernels():
    found = NativeKernels(IMAGES)
    found.domids.add(2)
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tcp_sendmsg", ("native", "tcp_sendmsg")),
        ("hypervisor_callback", ("native", "common_interrupt")),
        ("get_free_entries", ("xenplatform", "get_free_entries")),
    ],
)
def test_a_function_is_that_of_the_domains_kernel(kernels, name, expected):
    assert expected == kernels.function(2, ("vmlinux", name))
    assert ("vmlinux", name) == kernels.function(1, ("vmlinux", name))


def test_every_function_has_one_in_the_native_kernel_or_none(kernels):
    for name in XENS.symbols:
        key, found = kernels.function(2, ("vmlinux", name))
        assert found in IMAGES[key].symbols


def test_only_pcs_of_its_domains_in_the_kernel_are_moved(kernels):
    old, new = XENS.symbols["tcp_sendmsg"], NATIVE.symbols["tcp_sendmsg"]
    xen = IMAGES["xen"].address
    moved = kernels.move(
        np.array([2, 1, 2]), np.array([old.address + 8, old.address + 8, xen], np.uint64)
    )
    assert [new.address + 8, old.address + 8, xen] == moved.tolist()


def test_a_pc_of_a_larger_function_stays_inside(kernels):
    for symbol in XENS.symbols.values():
        pc = np.array([symbol.address + symbol.size - 1], np.uint64)
        (moved,) = kernels.move(np.array([2]), pc).tolist()
        inside = [
            one
            for image in (NATIVE, IMAGES["xenplatform"])
            for one in image.symbols.values()
            if one.address <= moved < one.address + one.size
        ]
        assert 1 == len(inside)


def test_its_text_lies_where_the_other_kernels_does():
    # A passive domain is given the range of domain 0's kernel.
    assert NATIVE.address == XENS.address
    assert NATIVE.size <= XENS.size
