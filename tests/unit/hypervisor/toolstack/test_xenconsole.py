import pytest

from tests.support.fake_hypervisor import Bench


@pytest.fixture
def bench():
    return Bench()


def test_the_boot_ring_can_be_cleared(bench):
    bench.xend.xen_console.boot(2, 657 * 1024)
    before = bench.xend.xen_console.text()
    bench.xend.xen_console.clear()

    assert (" Xen version 3.0.3" in before, bench.xend.xen_console.text()) == (True, "")


def test_debug_keys_are_answered_in_the_ring(bench):
    bench.xend.xen_console.press("h")

    assert "'h' pressed -> showing installed handlers" in bench.xend.xen_console.text()
