import pytest

from hypervisor.model.hvm.ticks import Ticks
from tests.support.model.hosts import SECOND, cpu, domain, make_host


@pytest.fixture
def host():
    return make_host(domain("a", cpu(), kind="hvm", cpus="1"), domain0={"cpus": "0"})


def ticks_of(host):
    emulation = host.hypercalls.residents[1].devices.emulation
    assert emulation is not None
    return emulation.ticks


def test_a_guest_ticks_a_thousand_times_a_second(host):
    host.advance(2 * SECOND)
    assert 2000 == pytest.approx(ticks_of(host).delivered, abs=20)


def test_a_paused_guest_gets_no_ticks(host):
    host.advance(SECOND)
    before = ticks_of(host).delivered
    host.toolstack.domains.pause("a")
    host.advance(3 * SECOND)
    host.toolstack.domains.unpause("a")
    host.advance(4 * SECOND)
    assert 1000 == pytest.approx(ticks_of(host).delivered - before, abs=20)


def test_after_a_thousand_ticks_without_a_pcpu_xen_gives_up_on_them():
    host = make_host(domain("a", kind="hvm"))
    guest = host.hypercalls.residents[1].guest
    ticks = Ticks(guest)
    guest.domain.vcpus[0].awaited = 1  # it waits, and can run nothing
    ticks.start()
    host.advance(5 * SECOND)
    assert 0 == ticks.delivered
    guest.domain.vcpus[0].awaited = 0
    host.execution.wake(guest.domain.vcpus[0])
    host.advance(6 * SECOND)
    # Of five thousand those since Xen gave up last, and those of the second since.
    assert 991 + 1000 == pytest.approx(ticks.delivered, abs=20)
