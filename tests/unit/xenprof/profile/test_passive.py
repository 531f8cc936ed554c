"""The images that stand for a passive domain's code."""

import pytest

from hypervisor.telemetry import Mode
from xenprof.profile.passive import LAYERS, passive_part, passive_text

KERNEL, XEN = (0x1000, 0x2000), (0x8000, 0x9000)


@pytest.mark.parametrize(
    ("mode", "pc", "image"),
    [
        (Mode.USER, 0x1500, "domain2-apps"),
        (Mode.KERNEL, 0x0FFF, "domain2-modules"),
        (Mode.KERNEL, 0x1000, "domain2-kernel"),
        (Mode.KERNEL, 0x1FFF, "domain2-kernel"),
        (Mode.KERNEL, 0x2000, "domain2-modules"),
        (Mode.HYPERVISOR, 0x8000, "/boot/domain2-xen"),
        (Mode.HYPERVISOR, 0x9000, "domain2-xen-unknown"),
    ],
)
def test_an_address_is_in_one_image_of_its_mode(mode, pc, image):
    text = passive_text(2, mode, KERNEL, XEN, "/boot")
    assert image == (text.inside if text.has(pc) else text.outside)


def test_a_kernel_of_unknown_range_is_everywhere():
    assert passive_text(2, Mode.KERNEL, None, XEN, "/boot").has(2**64 - 1)


def test_a_hypervisor_of_unknown_range_is_nowhere():
    text = passive_text(2, Mode.HYPERVISOR, KERNEL, None, "")
    assert (False, "domain2-xen-unknown") == (text.has(0x8000), text.outside)


@pytest.mark.parametrize("part", LAYERS)
@pytest.mark.parametrize("folder", ["", "/boot/"])
def test_an_image_tells_its_domain_and_part(part, folder):
    assert (2, part) == passive_part(f"{folder}domain2-{part}")


@pytest.mark.parametrize("path", ["vmlinux", "domain-apps", "domain2-other", "/domain2-apps/httpd"])
def test_another_image_stands_for_no_domain(path):
    assert passive_part(path) is None
