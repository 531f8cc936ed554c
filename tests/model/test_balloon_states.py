"""Why a domain has not the memory that it was told to have: each reason, where it holds."""

import pytest

from hypervisor.shutdown import CRASH
from tests.support.model.hosts import MS, SECOND, cpu, domain, make_host, seen
from tests.support.model.squeezed import live

MIB = 1024
IDLE = {"kind": "idle"}


def state(host, name="a"):
    return seen(host, name).balloon


def told(host, mib, name="a", *, seconds=5):
    """Return the state some time after a new target."""
    host.toolstack.resources.set_memory(name, mib)
    host.advance(host.now_ns + round(seconds * SECOND))
    return state(host, name)


def test_a_domain_that_has_its_target_has_reached_it():
    host = make_host(domain("a", IDLE))
    at_boot = state(host)

    assert [at_boot, told(host, 64)] == ["reached", "reached"]


@pytest.mark.parametrize(("mib", "expected"), [(64, "shrinking"), (192, "growing")])
def test_it_moves_as_soon_as_the_target_is_set_until_it_is_there(mib, expected):
    host = make_host(domain("a", IDLE, maxmem_mib=256))
    host.toolstack.resources.set_memory("a", mib)
    states = {state(host)}
    while seen(host, "a").memory_kib != mib * MIB:
        states.add(state(host))
        host.advance(host.now_ns + MS)

    assert (states, state(host)) == ({expected}, "reached")


def test_a_paused_guest_will_move():
    host = make_host(domain("a", IDLE))
    host.toolstack.domains.pause("a")

    assert told(host, 64) == "shrinking"


def test_an_hvm_guest_has_no_driver():
    assert told(make_host(domain("a", IDLE, kind="hvm")), 64) == "no_driver"


def test_a_dead_kernel_has_no_driver():
    host = make_host()
    config = {"name": "a", "memory": "128", "kernel": "/boot/vmlinuz", "on_crash": "preserve"}
    creation = host.toolstack.domains.create(config)
    host.advance_until(lambda: creation.is_done, 10 * SECOND)
    host.hypercalls.end_domain(live(host, "a"), CRASH)

    assert told(host, 64) == "no_driver"


def test_a_host_without_free_memory_is_short():
    host = make_host(domain("a", IDLE, maxmem_mib=1024), memory_mib=512)

    assert told(host, 1024) == "host_short"


def test_it_stays_short_until_the_next_target_although_memory_is_free_again():
    host = make_host(
        domain("a", IDLE, maxmem_mib=1024), domain("b", IDLE, memory_mib=64), memory_mib=512
    )
    states = [told(host, 1024)]
    host.toolstack.domains.destroy("b")
    host.advance(host.now_ns + 10 * SECOND)
    states.append(state(host))
    has_mib = live(host).memory_kib // MIB
    states.append(told(host, has_mib + 32))

    assert states == ["host_short", "host_short", "reached"]


def test_a_guest_that_needs_its_pages_is_short():
    host = make_host(domain("a", cpu(memory_mib=96)))

    assert told(host, 64, seconds=2.5) == "guest_short"


def test_domain_0_that_can_spare_no_more_is_short():
    host = make_host(domain("a", IDLE))

    assert told(host, 32, "Domain-0", seconds=10) == "guest_short"


def test_a_guest_that_was_short_and_may_have_its_pages_back_is_so_no_longer():
    host = make_host(domain("a", cpu(memory_mib=96)))
    states = [told(host, 64, seconds=2.5), told(host, 128, seconds=3)]

    assert states == ["guest_short", "reached"]


@pytest.mark.parametrize("mib", [193, 500])
def test_a_target_above_the_maximum_is_not_reached_for_that_reason(mib):
    host = make_host(domain("a", IDLE, maxmem_mib=192))

    assert (told(host, mib), seen(host, "a").memory_kib) == ("maximum", 192 * MIB)


def test_domain_0_has_no_more_than_it_was_booted_with():
    assert told(make_host(domain("a", IDLE)), 1000, "Domain-0") == "maximum"


def test_a_maximum_that_was_lowered_is_the_reason_also_after_it_was_raised_again():
    host = make_host(domain("a", IDLE, maxmem_mib=512))
    host.toolstack.resources.set_maximum_memory("a", 161)
    states = [told(host, 256)]
    host.toolstack.resources.set_maximum_memory("a", 512)
    states.append(state(host))
    states.append(told(host, 256))

    assert states == ["maximum", "maximum", "reached"]


def test_a_restored_guest_of_a_smaller_size_is_as_large_as_it_is_told(tmp_path):
    host = make_host(domain("a", IDLE))
    told(host, 64)
    saving = host.toolstack.domains.save("a", str(tmp_path / "a"))
    host.advance_until(lambda: saving.is_done, 60 * SECOND)
    restoring = host.toolstack.domains.restore(str(tmp_path / "a"))
    host.advance_until(lambda: restoring.is_done, 60 * SECOND)

    assert state(host) == "reached"
