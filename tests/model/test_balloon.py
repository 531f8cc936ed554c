"""Ballooning: the target changes at once, the memory in blocks of 2 MiB, as far as possible."""

import pytest

from hypervisor.model.machine import build
from hypervisor.model.scenario.spec import load_scenario
from hypervisor.trace_events import DECREASE_RESERVATION
from tests.support.measured import measured
from tests.support.model.hosts import MS, SECOND, burst, cpu, cpu_ns, domain, make_host, seen
from tests.support.model.squeezed import live, paging, resident

MIB = 1024
IDLE = {"kind": "idle"}


def free_kib(host):
    return host.telemetry.snapshot().free_kib


def test_the_target_shows_at_once_and_the_memory_follows():
    host = make_host(domain("a", IDLE))
    host.advance(SECOND)
    host.toolstack.resources.set_memory("a", 64)
    one = seen(host, "a")
    assert (one.target_kib, one.memory_kib) == (64 * MIB, 128 * MIB)
    host.advance(2 * SECOND)
    assert seen(host, "a").memory_kib == 64 * MIB


def test_it_moves_in_lots_of_512_pages():
    host = make_host(domain("a", cpu(), cpus="0"), domain("b", cpu(), cpus="0"))
    host.advance(SECOND)
    host.toolstack.resources.set_memory("a", 64)
    sizes = set()
    for step in range(1, 2000):
        host.advance(SECOND + step * MS // 10)
        sizes.add(live(host).memory_kib)
    assert {(128 - 2 * lot) * MIB for lot in range(33)} == sizes


def test_ballooning_costs_the_guest_time():
    host = make_host(domain("a", IDLE))
    host.advance(SECOND)
    before = cpu_ns(host, "a")
    host.toolstack.resources.set_memory("a", 16)
    host.advance(2 * SECOND)
    assert cpu_ns(host, "a") - before > 5 * MS


def test_pages_given_back_are_free_at_once_without_scrubbing():
    host = make_host(domain("a", IDLE))
    before = free_kib(host)
    host.toolstack.resources.set_memory("a", 100)
    host.advance(SECOND)
    assert (free_kib(host) - before, host.telemetry.snapshot().scrub_kib) == (28 * MIB, 0)


def test_a_target_above_the_maximum_shows_but_the_guest_sticks():
    host = make_host(domain("a", IDLE, maxmem_mib=192))
    host.toolstack.resources.set_memory("a", 500)
    host.advance(5 * SECOND)
    one = seen(host, "a")
    assert (one.target_kib, one.memory_kib) == (500 * MIB, 192 * MIB)


def test_domain_0_does_not_grow_beyond_what_it_was_booted_with():
    host = make_host(domain("a", IDLE))
    host.toolstack.resources.set_memory("0", 1000)
    host.advance(5 * SECOND)
    assert seen(host, "Domain-0").memory_kib == 256 * MIB


def test_a_guest_takes_what_xen_has_left_and_no_more():
    host = make_host(domain("a", IDLE, maxmem_mib=1024), memory_mib=512)
    left = free_kib(host)
    host.toolstack.resources.set_memory("a", 1024)
    host.advance(5 * SECOND)
    one = seen(host, "a")
    assert (one.memory_kib, free_kib(host)) == (128 * MIB + left, 0)


def test_it_stays_at_its_hard_limit_until_the_next_target():
    host = make_host(
        domain("a", IDLE, maxmem_mib=1024), domain("b", IDLE, memory_mib=32), memory_mib=512
    )
    host.toolstack.resources.set_memory("a", 1024)
    host.advance(5 * SECOND)
    stuck = measured(seen(host, "a").memory_kib)
    host.toolstack.domains.destroy("b")
    host.advance(10 * SECOND)
    assert seen(host, "a").memory_kib == stuck
    host.toolstack.resources.set_memory("a", 1024)
    host.advance(15 * SECOND)
    assert seen(host, "a").memory_kib == stuck + 32 * MIB


def test_a_stuck_balloon_tries_no_more_often_for_being_told_more_often():
    host = make_host(domain("a", IDLE, maxmem_mib=1024), memory_mib=512)
    for step in range(20):
        host.toolstack.resources.set_memory("a", 1024)
        host.advance((step + 1) * 100 * MS)
    host.advance(4 * SECOND)
    before = cpu_ns(host, "a")
    host.advance(14 * SECOND)
    # An idle guest that has nothing left to try.
    assert cpu_ns(host, "a") - before < 1 * MS


def test_a_paused_guest_does_not_balloon():
    host = make_host(domain("a", burst(1, 1)))
    host.toolstack.domains.pause("a")
    host.toolstack.resources.set_memory("a", 64)
    host.advance(2 * SECOND)
    paused = seen(host, "a").memory_kib
    host.toolstack.domains.unpause("a")
    host.advance(4 * SECOND)
    assert (paused, seen(host, "a").memory_kib) == (128 * MIB, 64 * MIB)


def test_a_dead_domains_memory_is_scrubbed_before_it_is_free():
    host = make_host(domain("a", IDLE))
    before = free_kib(host)
    host.toolstack.domains.destroy("a")
    one = host.telemetry.snapshot()
    assert (one.scrub_kib, one.free_kib) == (128 * MIB, before)
    host.advance(2 * SECOND)
    one = host.telemetry.snapshot()
    assert (one.scrub_kib, one.free_kib) == (0, before + 128 * MIB)


def test_a_new_target_while_it_works_turns_it_round():
    host = make_host(domain("a", cpu(), cpus="1"), domain("b", cpu(), cpus="1"))
    host.toolstack.resources.set_memory("a", 16)
    host.advance(60 * MS)
    host.toolstack.resources.set_memory("a", 120)
    host.advance(5 * SECOND)
    assert seen(host, "a").memory_kib == 120 * MIB


@pytest.mark.parametrize("mib", [33, 97, 127])
def test_odd_targets_are_met_to_the_page(mib):
    host = make_host(domain("a", IDLE))
    host.toolstack.resources.set_memory("a", mib)
    host.advance(3 * SECOND)
    assert seen(host, "a").memory_kib == mib * MIB


def test_the_talks_mem_set_shows_at_once_and_the_driver_follows():
    host = build(load_scenario("grumble"), epoch_ns=0)
    host.advance(SECOND)
    shown = [measured(seen(host, "ossvm02").target_kib) // MIB]
    host.toolstack.resources.set_memory("ossvm02", 128)
    shown.append(measured(seen(host, "ossvm02").target_kib) // MIB)
    had = measured(seen(host, "ossvm02").memory_kib) // MIB
    host.advance(2 * SECOND)
    assert (shown, had, seen(host, "ossvm02").memory_kib) == ([64, 128], 64, 128 * MIB)


def test_the_talks_two_guests_grow_to_2_and_1_gib():
    host = make_host(
        domain("VM1", cpu(), memory_mib=1024, maxmem_mib=2048),
        domain("VM2", cpu(), memory_mib=512, maxmem_mib=2048),
        memory_mib=4096,
    )
    host.advance(SECOND)
    host.toolstack.resources.set_memory("VM1", 2048)
    host.toolstack.resources.set_memory("VM2", 1024)
    host.advance(8 * SECOND)
    sizes = {name: measured(seen(host, name).memory_kib) // MIB for name in ("VM1", "VM2")}
    assert sizes == {"VM1": 2048, "VM2": 1024}


def test_a_guest_that_needs_its_memory_gives_one_lot_a_second():
    host = make_host(domain("a", cpu(memory_mib=96)))
    host.toolstack.resources.set_memory("a", 64)  # it had no memory to spare
    host.advance(4 * SECOND + 500 * MS)
    assert seen(host, "a").memory_kib == (128 - 4 * 2) * MIB


def test_what_nobody_needs_goes_first_and_at_once():
    host = make_host(domain("a", IDLE))
    demand_kib = paging(host, "a").demand_kib
    host.toolstack.resources.set_memory("a", 16)
    host.advance(SECOND)
    assert seen(host, "a").memory_kib == demand_kib


def test_a_target_that_is_taken_back_stops_the_swapping():
    host = make_host(domain("a", IDLE))
    host.toolstack.resources.set_memory("a", 16)
    host.advance(3 * SECOND)
    host.toolstack.resources.set_memory("a", 128)
    host.advance(4 * SECOND)
    before = paging(host, "a").page_outs
    host.advance(8 * SECOND)
    assert (seen(host, "a").memory_kib, paging(host, "a").page_outs) == (128 * MIB, before)


def test_domain_0_gives_no_more_than_it_can_spare():
    host = make_host(domain("a", IDLE))
    host.toolstack.resources.set_memory("0", 32)
    host.advance(30 * SECOND)
    assert seen(host, "Domain-0").memory_kib == paging(host, "Domain-0").demand_kib


def test_an_hvm_guest_has_no_driver():
    host = make_host(domain("a", IDLE, kind="hvm"))
    host.toolstack.resources.set_memory("a", 64)
    host.advance(3 * SECOND)
    one = seen(host, "a")
    assert (one.target_kib, one.memory_kib) == (64 * MIB, 128 * MIB)


def test_a_higher_maximum_later_does_not_widen_the_map_it_was_booted_with():
    host = make_host(domain("a", IDLE, maxmem_mib=192))
    live(host, "a").maximum_kib = 512 * MIB
    host.toolstack.resources.set_memory("a", 512)
    host.advance(3 * SECOND)
    assert seen(host, "a").memory_kib == 192 * MIB


def test_a_lower_maximum_is_a_hard_limit():
    host = make_host(domain("a", IDLE, maxmem_mib=512))
    live(host, "a").maximum_kib = 161 * MIB
    host.toolstack.resources.set_memory("a", 256)
    host.advance(3 * SECOND)
    assert seen(host, "a").memory_kib == 161 * MIB


PROC = """\
Current allocation: {current:8} kB
Requested target:   {target:8} kB
Low-mem balloon:    {balloon:8} kB
High-mem balloon:          0 kB
Driver pages:              0 kB
Xen hard limit:       {limit} kB
"""


def test_proc_says_what_it_has_and_wants():
    host = make_host(domain("a", IDLE, maxmem_mib=192))
    balloon = resident(host).balloon
    expected = PROC.format(current=131072, target=131072, balloon=65536, limit="   ???")
    assert expected == balloon.proc_text()


def test_proc_shows_the_limit_that_xen_set():
    host = make_host(domain("a", IDLE, maxmem_mib=1024), memory_mib=512)
    left = free_kib(host)
    balloon = resident(host).balloon
    balloon.set_target(1024 * MIB)
    host.advance(3 * SECOND)
    has = 128 * MIB + left
    expected = PROC.format(
        current=has, target=1024 * MIB, balloon=1024 * MIB - has, limit=f"{has:6}"
    )
    assert expected == balloon.proc_text()


def test_each_lot_is_one_hypercall_in_the_trace():
    host = make_host(domain("a", IDLE))
    host.tracer.set_ring_pages(16)
    host.tracer.set_masks(0xFFFF_FFFF, 0xFFFF_FFFF)
    host.toolstack.resources.set_memory("a", 121)
    host.advance(SECOND)
    lots = [one.data for one in host.tracer.read() if one.event == DECREASE_RESERVATION]
    assert lots == [(1, 512), (1, 512), (1, 512), (1, 256)]
