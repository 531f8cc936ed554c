"""Swapping: none while a guest has enough memory, ever slower with less, and then death."""

from fractions import Fraction

import pytest

from hypervisor.model.machine import build
from hypervisor.model.memory.paging import TOUCH_NS
from hypervisor.model.scenario.spec import load_scenario
from tests.support.copying import copied
from tests.support.measured import measured
from tests.support.model.hosts import (
    MS,
    SECOND,
    behalf_ns,
    burst,
    cpu,
    domain,
    fileio,
    make_host,
    netperf,
    result,
    seen,
)
from tests.support.model.squeezed import NEED_MIB, paging, resident, squeeze

MIB = 1024
PAGES_A_FAULT = 8


@pytest.mark.parametrize("name", ["grumble", "busy32"])
def test_shipped_scenarios_give_their_guests_what_they_want(name):
    host = build(load_scenario(name), epoch_ns=0)
    domains = host.telemetry.snapshot().domains
    assert [] == [
        one.name for one in domains if paging(host, one.name).demand_kib > measured(one.memory_kib)
    ]


@pytest.mark.parametrize(
    "workload",
    [
        cpu(memory_mib=40),
        burst(1, 1, memory_mib=40),
        fileio(memory_mib=40),
        netperf("receive", memory_mib=40),
        netperf("transmit", memory_mib=40),
        {"kind": "idle", "memory_mib": 40},
    ],
    ids=lambda given: given["kind"],
)
def test_a_workload_wants_the_memory_it_says(workload):
    host = make_host(domain("a", {"kind": "idle"}), domain("b", workload))
    assert paging(host, "b").demand_kib - paging(host, "a").demand_kib == 40 * MIB


def test_with_all_it_wants_a_guest_runs_as_with_twice_as_much():
    enough, plenty = (squeeze(mib, cpu(memory_mib=64)) for mib in (NEED_MIB, 128))
    assert enough.gained("units") == plenty.gained("units")


def test_with_all_it_wants_a_guest_does_not_touch_its_disk():
    run = squeeze(NEED_MIB, cpu(memory_mib=64))
    assert (run.vbd.read_requests, run.vbd.write_requests) == (0, 0)


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("workload", "key"),
    [
        (cpu(memory_mib=64), "units"),
        (cpu(memory_mib=64, threads=3), "units"),
        (burst(20, 20, memory_mib=64), "bursts"),
    ],
    ids=["cpu", "threads", "burst"],
)
def test_less_memory_is_never_faster_and_at_last_hardly_anything(workload, key):
    done = [squeeze(mib, workload).gained(key) for mib in (128, 92, 88, 80, 64, 40, 24)]
    assert sorted(done, reverse=True) == done
    assert done[-1] < done[0] // 10


def test_misses_come_as_the_closed_form_says():
    run = squeeze(72, cpu(memory_mib=64), seconds=20)
    pager = run.paging
    resident_kib = pager.demand_kib - pager.kernel_kib - pager.swapped_kib
    touches = run.gained("work_seconds") * SECOND / TOUCH_NS
    assert run.reads == pytest.approx(touches * pager.swapped_kib / resident_kib, rel=0.02)


def test_what_is_missing_is_what_is_swapped():
    run = squeeze(72, cpu(memory_mib=64))
    assert run.paging.swapped_kib == run.paging.demand_kib - 72 * MIB


def test_pages_go_through_the_first_disk():
    run = squeeze(72, cpu(memory_mib=64), disk=["phy:/dev/a,xvda,w", "phy:/dev/b,xvdb,w"])
    pager = run.paging
    first, second = run.now.vbds
    assert 0 <= measured(first.read_requests) - pager.page_ins // PAGES_A_FAULT <= 1
    assert (
        0 <= pager.page_outs * 4096 - measured(first.write_bytes) <= 512 * 1024
    )  # one block is being paged
    assert second.read_requests == second.write_requests == 0


def test_domain_0_pays_for_a_guests_swapping():
    spent = []
    for mib in (NEED_MIB, 64):
        run = squeeze(mib, cpu(memory_mib=64))
        spent.append(behalf_ns(run.host).get("a", 0))
    assert spent[0] == 0
    assert spent[1] > 10 * MS


def test_a_task_that_waits_for_its_page_uses_no_cpu():
    run = squeeze(40, cpu(memory_mib=64))
    blocked_ns = measured(run.now.vcpus[0].blocked_ns) - measured(run.before.vcpus[0].blocked_ns)
    assert blocked_ns > 5 * SECOND


def test_a_guest_that_swaps_makes_anothers_disk_slower():
    means = []
    for mib in (128, 40):
        host = make_host(
            domain("a", cpu(memory_mib=64), memory_mib=mib),
            domain("b", fileio(rate_per_second=20)),
        )
        host.advance(10 * SECOND)
        means.append(result(host, "b")["latency_seconds"]["mean"])
    assert means[1] > 1.3 * means[0]


def test_threads_on_other_vcpus_are_stopped_too():
    run = squeeze(40, cpu(memory_mib=64, threads=2), vcpus=2)
    running = [
        measured(now.running_ns) - measured(then.running_ns)
        for now, then in zip(run.now.vcpus, run.before.vcpus, strict=True)
    ]
    assert max(running) < SECOND


def test_with_its_memory_back_a_guest_is_as_fast_as_ever():
    run = squeeze(64, cpu(memory_mib=64))
    run.host.toolstack.resources.set_memory("a", 128)
    run.advance(30)
    assert run.paging.swapped_kib == 0
    before = run.gained("units")
    run.advance(1)
    # A second of 3.2 GHz is 3200 units, less the ticks.
    assert run.gained("units") - before == pytest.approx(3200, rel=0.01)


def test_what_nobody_touches_stays_on_disk():
    run = squeeze(64, {"kind": "idle", "memory_mib": 64})
    run.host.toolstack.resources.set_memory("a", 128)
    run.advance(30)
    assert (run.paging.swapped_kib, run.paging.page_ins) == (32 * MIB, 0)


@pytest.mark.no_cover
def test_short_pieces_of_work_miss_as_often_as_long_ones():
    rates = []
    for run_ms in (Fraction(1, 10), 20):
        run = squeeze(64, burst(float(run_ms), float(run_ms), memory_mib=64), seconds=20)
        rates.append(run.reads / (run.gained("bursts") * run_ms))
    assert float(rates[0]) == pytest.approx(float(rates[1]), rel=0.05)


@pytest.mark.no_cover
def test_a_host_that_thrashes_can_be_copied():
    host = squeeze(40, cpu(memory_mib=64, threads=2), burst(1, 1), vcpus=2, seconds=1).host
    twin = copied(host)
    for each in (host, twin):
        each.advance(each.now_ns + 2 * SECOND)
    assert host.telemetry.snapshot() == twin.telemetry.snapshot()


@pytest.mark.no_cover
def test_looking_does_not_change_where_pages_miss():
    alone, watched = (squeeze(40, cpu(memory_mib=64), seconds=1).host for _ in range(2))
    end_ns = alone.now_ns + SECOND
    while watched.now_ns < end_ns:
        watched.advance(watched.now_ns + 7 * MS if watched.now_ns + 7 * MS < end_ns else end_ns)
        watched.telemetry.snapshot()
    alone.advance(end_ns)
    one, two = seen(alone, "a"), seen(watched, "a")
    assert (one.vcpus, one.workloads, one.vbds) == (two.vcpus, two.workloads, two.vbds)


def test_meminfo_counts_what_the_guest_can_use():
    run = squeeze(64, cpu(memory_mib=64))
    lines = paging(run.host).meminfo()
    assert lines["MemTotal"] == 58 * MIB  # the kernel's image takes 6
    assert lines["SwapTotal"] == 256 * MIB  # twice the size at installation
    assert lines["SwapTotal"] - lines["SwapFree"] == run.paging.swapped_kib
    assert lines["Cached"] == 0


def test_the_cache_is_what_has_been_read_as_far_as_there_is_room():
    reads = fileio(pattern="sequential", block_bytes=65536, queue_depth=4)
    host = make_host(domain("a", reads, memory_mib=256))
    for seconds in (0, 1, 30):
        host.advance(seconds * SECOND)
        read_kib = resident(host).devices.vbds[0].use.read_bytes // 1024
        room_kib = 256 * MIB - paging(host).demand_kib
        assert paging(host).meminfo()["Cached"] == min(room_kib, 20 * MIB + read_kib)


def test_memory_that_nobody_has_used_is_free():
    host = make_host(domain("a", cpu(memory_mib=64), memory_mib=256))
    host.advance(SECOND)
    told = paging(host).meminfo()
    assert told["MemFree"] - 256 * MIB + paging(host).demand_kib + told["Cached"] < 4 * MIB


def test_a_swapping_guests_time_goes_into_its_kernel():
    kernels = []
    for mib in (NEED_MIB, 40):
        run = squeeze(mib, cpu(memory_mib=64))
        now, before = run.now, run.before
        kernel_ns = measured(now.kernel_ns) - measured(before.kernel_ns)
        kernels.append(kernel_ns / (measured(now.cpu_ns) - measured(before.cpu_ns)))
    assert kernels[1] > 5 * kernels[0]
