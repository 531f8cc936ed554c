"""What profiling costs a domain is what its programs get less, and is told by stage."""

import pytest

from tests.support.model.hosts import MS, SECOND, cpu, domain, make_host, result
from tests.support.model.profiling import begin, set_counter

DURATION_NS = 5 * SECOND
SWITCH_SECONDS = 4e-6  # more than a process switch takes with cold caches
SWITCHES_PER_SECOND = 4 * 10  # to the kernel thread, the daemon, and back, for 10 syncs a second


def busy_host():
    """Return a host with a domain whose program takes all of a pcpu, and domain 0 on the other."""
    return make_host(domain("x", cpu(), cpus="1", memory_mib=64), domain0={"cpus": "0"})


def after(host, active=()):
    """Run while the daemons of `active` read their samples."""
    while host.now_ns < DURATION_NS:
        host.advance(host.now_ns + 100 * MS)
        for domid in active:
            host.profiler.oprofile(str(domid)).read_buffer()
    return host


def overhead(host, name):
    rows = host.telemetry.snapshot().overhead
    return {row.stage: row.spent_ns for row in rows if row.domain == name}


@pytest.fixture(scope="module")
def profiled():
    host = busy_host()
    set_counter(host, count=50_000)
    begin(host, (0, 1))
    return after(host, (0, 1))


@pytest.fixture(scope="module")
def unprofiled():
    return after(busy_host())


def test_the_overhead_is_the_work_that_a_busy_program_gets_less_but_for_process_switches(
    profiled, unprofiled
):
    lost = result(unprofiled, "x")["work_seconds"] - result(profiled, "x")["work_seconds"]
    told = sum(overhead(profiled, "x").values()) / SECOND
    switches = SWITCHES_PER_SECOND * SWITCH_SECONDS * DURATION_NS / SECOND
    assert 0 <= lost - told <= switches


def test_an_active_domain_pays_for_every_stage(profiled):
    assert {"interrupt", "driver", "daemon"} == set(overhead(profiled, "x"))


def test_without_profiling_nothing_is_told(unprofiled):
    assert () == unprofiled.telemetry.snapshot().overhead


def test_a_passive_domain_pays_for_interrupts_alone():
    host = busy_host()
    set_counter(host, count=50_000)
    begin(host, (0,), (1,))
    assert {"interrupt"} == set(overhead(after(host, (0,)), "x"))


def test_a_domain_on_no_list_pays_for_the_interrupts_that_it_gets():
    host = busy_host()
    set_counter(host, count=50_000)
    begin(host, (0,))
    assert {"interrupt"} == set(overhead(after(host, (0,)), "x"))


def test_overhead_stays_when_profiling_has_ended(profiled):
    before = overhead(profiled, "x")
    profiled.profiler.oprofile("0").write("enable", "0")
    after_it = overhead(profiled, "x")
    assert all(after_it[stage] >= before[stage] for stage in before)
