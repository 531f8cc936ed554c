"""Out of memory: the largest process dies, then the next, and at last the kernel."""

import re
from itertools import pairwise

import pytest

from tests.support.measured import measured
from tests.support.model.hosts import (
    MS,
    SECOND,
    burst,
    cpu,
    domain,
    fileio,
    make_host,
    netperf,
    result,
)
from tests.support.model.squeezed import Console, live, paging, resident

MIB = 1024
DAEMONS = 7


def diskless(*workloads, mib=40, seconds=3):
    """Return a host whose guest has no swap and is ballooned to `mib`."""
    host = make_host(domain("a", *workloads, disk=[]))
    console = Console(host)
    host.advance(SECOND)
    host.toolstack.resources.set_memory("a", mib)
    host.advance((1 + seconds) * SECOND)
    return host, console


def test_without_swap_the_largest_process_dies():
    _, console = diskless(cpu(memory_mib=30), burst(1, 1, memory_mib=20))
    assert console.killed == ["linpack"]


def test_the_kernel_says_which():
    _, console = diskless(cpu(memory_mib=30))
    assert [re.sub(r"process \d+", "process N", line) for line in console.lines] == [
        "linpack invoked oom-killer: gfp_mask=0x280d2, order=0, oomkilladj=0",
        "Out of memory: Killed process N (linpack).",
    ]


def test_the_kills_are_counted():
    _, console = diskless(cpu(memory_mib=30))
    assert console.pager.oom_kills == 1


@pytest.mark.parametrize(
    ("workload", "key"),
    [
        (cpu(memory_mib=40, threads=3), "units"),
        (burst(3, 2, memory_mib=40), "bursts"),
        (netperf("transmit", memory_mib=40), "messages"),
        (netperf("receive", memory_mib=40), "bytes"),
        (netperf("receive", memory_mib=40, rate_bits_per_second=10_000_000), "bytes"),
        (netperf("transmit", memory_mib=40, rate_bits_per_second=10_000_000), "messages"),
    ],
)
def test_what_was_killed_stops_for_good_and_keeps_its_results(workload, key):
    host, console = diskless(workload)
    host.advance(6 * SECOND)
    before = result(host, "a")[key]
    host.toolstack.resources.set_memory("a", 128)
    host.advance(9 * SECOND)
    assert (console.pager.oom_kills, result(host, "a")[key]) == (1, before)
    assert before > 0


def test_a_killed_fileio_stops_and_its_last_requests_are_answered():
    host = make_host(domain("a", fileio(queue_depth=8, memory_mib=600)))
    host.advance(3 * SECOND)
    before = result(host, "a")["requests"]
    host.advance(6 * SECOND)
    assert result(host, "a")["requests"] == before


def test_the_others_go_on_at_full_speed():
    host, _ = diskless(cpu(memory_mib=30), cpu(memory_mib=4))
    before = result(host, "a", 1)["units"]
    host.advance(host.now_ns + SECOND)
    assert result(host, "a", 1)["units"] - before == pytest.approx(3200, rel=0.01)


def test_a_program_larger_than_memory_and_swap_dies_at_once():
    # It has 128 MiB and 256 MiB of swap.
    host = make_host(domain("a", cpu(memory_mib=400), burst(1, 1)))
    host.advance(SECOND)
    pager = paging(host)
    assert (pager.oom_kills, result(host, "a")["units"]) == (1, 0)


def test_a_program_that_fits_into_memory_and_swap_lives():
    host = make_host(domain("a", cpu(memory_mib=300), memory_mib=128))
    host.advance(SECOND)
    assert paging(host).oom_kills == 0


def test_a_disk_that_cannot_be_written_holds_no_swap():
    host = make_host(domain("a", cpu(memory_mib=200), disk=["phy:/dev/a,xvda,r"]))
    assert paging(host).swap.total_kib == 0


def test_the_killer_waits_five_seconds_between_two_victims():
    host, console = diskless(cpu(memory_mib=10), cpu(memory_mib=9), mib=20, seconds=0)
    times: list[int] = []
    while host.now_ns < 61 * SECOND:
        host.advance(host.now_ns + MS)
        times += [host.now_ns] * (len(console.killed) - len(times))
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(gaps) > 1
    assert min(gaps) >= 5 * SECOND


def test_daemons_die_before_the_kernel_does():
    _, console = diskless(cpu(), mib=4, seconds=90)
    assert sorted(console.killed[:2]) == ["linpack", "yum-updatesd"]
    assert len(console.killed) == 1 + DAEMONS


def test_with_nothing_left_to_kill_the_kernel_panics_once():
    host, console = diskless(cpu(), mib=4, seconds=90)
    host.toolstack.resources.set_memory("a", 2)
    host.advance(host.now_ns + 10 * SECOND)
    assert len(console.panics) == 1
    assert console.lines[-1] == (
        "Kernel panic - not syncing: Out of memory and no killable processes..."
    )


def test_a_kernel_that_has_panicked_gives_no_more_pages():
    host, console = diskless(cpu(), mib=4, seconds=90)
    kib = live(host).memory_kib
    assert kib == console.pager.kernel_kib


def test_killing_takes_the_processes_share_off_the_disk():
    host = make_host(domain("a", cpu(memory_mib=64), memory_mib=64))
    host.advance(3 * SECOND)
    pager = paging(host)
    swapped_kib, programs_kib = pager.swapped_kib, pager.demand_kib - pager.kernel_kib
    resident(host).guest.claim("huge", 60 * MIB)
    resident(host).guest.claim("larger", 600 * MIB)
    host.advance(4 * SECOND)
    grown_kib = pager.demand_kib - pager.kernel_kib
    assert grown_kib == programs_kib + 60 * MIB
    assert swapped_kib < pager.swapped_kib <= grown_kib


def test_a_dead_program_does_not_run_on_a_vcpu_that_was_busy():
    host = make_host(domain("a", cpu(memory_mib=40, threads=2), disk=[], vcpus=2))
    host.advance(SECOND)
    host.toolstack.resources.set_memory("a", 48)
    host.advance(4 * SECOND)
    one = host.telemetry.snapshot().domains[1]
    host.advance(5 * SECOND)
    after = host.telemetry.snapshot().domains[1]
    assert measured(after.cpu_ns) - measured(one.cpu_ns) < 10 * MS


def test_who_was_killed_before_a_save_is_dead_after_the_restore():
    _, console = diskless(cpu(memory_mib=30), cpu(memory_mib=4))
    saved = console.pager.saved()
    host = make_host(domain("a", disk=[]))  # of the same build, its programs not started
    guest = resident(host).guest
    paging(host).restore(saved)
    for kib in (30 * MIB, 4 * MIB):
        guest.spawn("/usr/bin/linpack", working_set_kib=kib)
    assert (paging(host).demand_kib, paging(host).oom_kills) == (console.pager.demand_kib, 1)
