"""Ballooning: the target changes at once, the memory in lots of 2 MiB, as far as it can."""

import pytest

from tests.model.hosts import MS, SECOND, burst, cpu, domain, make_host, seen

MIB = 1024
IDLE = {"kind": "idle"}


def free_kib(host):
    return host.snapshot().free_kib


def test_the_target_shows_at_once_and_the_memory_follows():
    host = make_host(domain("a", IDLE))
    host.advance(SECOND)
    host.set_memory("a", 64)
    one = seen(host, "a")
    assert (one.target_kib, one.memory_kib) == (64 * MIB, 128 * MIB)
    host.advance(2 * SECOND)
    assert seen(host, "a").memory_kib == 64 * MIB


def test_it_moves_in_lots_of_512_pages():
    host = make_host(domain("a", cpu(), cpus="0"), domain("b", cpu(), cpus="0"))
    host.advance(SECOND)
    host.set_memory("a", 64)
    sizes = set()
    for step in range(1, 2000):
        host.advance(SECOND + step * MS // 10)
        sizes.add(host.hypercalls.live[1].memory_kib)
    assert {(128 - 2 * lot) * MIB for lot in range(33)} == sizes


def test_ballooning_costs_the_guest_time():
    host = make_host(domain("a", IDLE))
    host.advance(SECOND)
    before = seen(host, "a").cpu_ns
    host.set_memory("a", 16)
    host.advance(2 * SECOND)
    assert seen(host, "a").cpu_ns - before > 5 * MS


def test_pages_given_back_are_free_at_once_without_scrubbing():
    host = make_host(domain("a", IDLE))
    before = free_kib(host)
    host.set_memory("a", 100)
    host.advance(SECOND)
    assert (free_kib(host) - before, host.snapshot().scrub_kib) == (28 * MIB, 0)


def test_a_target_above_the_maximum_shows_but_the_guest_sticks():
    host = make_host(domain("a", IDLE, maxmem_mib=192))
    host.set_memory("a", 500)
    host.advance(5 * SECOND)
    one = seen(host, "a")
    assert (one.target_kib, one.memory_kib) == (500 * MIB, 192 * MIB)


def test_domain_0_does_not_grow_beyond_what_it_was_booted_with():
    host = make_host(domain("a", IDLE))
    host.set_memory("0", 1000)
    host.advance(5 * SECOND)
    assert seen(host, "Domain-0").memory_kib == 256 * MIB


def test_a_guest_takes_what_xen_has_left_and_no_more():
    host = make_host(domain("a", IDLE, maxmem_mib=1024), memory_mib=512)
    left = free_kib(host)
    host.set_memory("a", 1024)
    host.advance(5 * SECOND)
    one = seen(host, "a")
    assert (one.memory_kib, free_kib(host)) == (128 * MIB + left, 0)


def test_it_stays_at_its_hard_limit_until_the_next_target():
    host = make_host(
        domain("a", IDLE, maxmem_mib=1024), domain("b", IDLE, memory_mib=32), memory_mib=512
    )
    host.set_memory("a", 1024)
    host.advance(5 * SECOND)
    stuck = seen(host, "a").memory_kib
    host.destroy("b")
    host.advance(10 * SECOND)
    assert seen(host, "a").memory_kib == stuck
    host.set_memory("a", 1024)
    host.advance(15 * SECOND)
    assert seen(host, "a").memory_kib == stuck + 32 * MIB


def test_a_stuck_balloon_tries_no_more_often_for_being_told_more_often():
    host = make_host(domain("a", IDLE, maxmem_mib=1024), memory_mib=512)
    for step in range(20):
        host.set_memory("a", 1024)
        host.advance((step + 1) * 100 * MS)
    host.advance(4 * SECOND)
    before = seen(host, "a").cpu_ns
    host.advance(14 * SECOND)
    # An idle guest with nothing left to try.
    assert seen(host, "a").cpu_ns - before < 1 * MS


def test_a_paused_guest_does_not_balloon():
    host = make_host(domain("a", burst(1, 1)))
    host.pause("a")
    host.set_memory("a", 64)
    host.advance(2 * SECOND)
    paused = seen(host, "a").memory_kib
    host.unpause("a")
    host.advance(4 * SECOND)
    assert (paused, seen(host, "a").memory_kib) == (128 * MIB, 64 * MIB)


def test_a_dead_domains_memory_is_scrubbed_before_it_is_free():
    host = make_host(domain("a", IDLE))
    before = free_kib(host)
    host.destroy("a")
    one = host.snapshot()
    assert (one.scrub_kib, one.free_kib) == (128 * MIB, before)
    host.advance(SECOND)
    one = host.snapshot()
    assert (one.scrub_kib, one.free_kib) == (0, before + 128 * MIB)


def test_a_new_target_while_it_works_turns_it_round():
    host = make_host(domain("a", cpu(), cpus="1"), domain("b", cpu(), cpus="1"))
    host.set_memory("a", 16)
    host.advance(60 * MS)
    host.set_memory("a", 120)
    host.advance(5 * SECOND)
    assert seen(host, "a").memory_kib == 120 * MIB


@pytest.mark.parametrize("mib", [1, 3, 127])
def test_odd_targets_are_met_to_the_page(mib):
    host = make_host(domain("a", IDLE))
    host.set_memory("a", mib)
    host.advance(3 * SECOND)
    assert seen(host, "a").memory_kib == mib * MIB
