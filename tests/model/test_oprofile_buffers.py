"""A guest's buffers: how much they hold, when they are emptied, and the cost of that."""

import pytest

from tests.support.model.hosts import MS, SECOND, burst, cpu, cpu_ns, domain, make_host
from tests.support.model.profiling import (
    CYCLES,
    INSTRUCTIONS,
    begin,
    count_now,
    dumped,
    end,
    set_counter,
    xenoprof_now,
)


def profiled(count=100_000, **values):
    host = make_host(domain("a", cpu()))
    for domid in (0, 1):
        for name, value in values.items():
            host.profiler.oprofile(str(domid)).write(name, str(value))
    set_counter(host, count=count)
    begin(host, (0, 1))
    return host, host.profiler.oprofile("a")


def test_the_daemon_sleeps_below_the_watershed():
    host, guest = profiled(buffer_size=60_000, buffer_watershed=10_000)
    host.advance(700 * MS)  # 22 400 samples of two entries each
    assert ([], True) == (guest.read_buffer(), guest.pending() > 15_000)


def test_the_watershed_wakes_the_daemon():
    host, guest = profiled(buffer_size=60_000, buffer_watershed=10_000)
    host.advance(1100 * MS)
    assert sum(map(len, guest.read_buffer())) >= 20_000


def test_a_dump_delivers_everything():
    host, guest = profiled()
    host.advance(50 * MS)
    host.profiler.oprofile("0").write("enable", "0")
    received = len(dumped(host, guest))
    assert received == int(guest.read("stats/cpu0/sample_received")) > 1500


def test_a_dump_of_nothing_does_not_wake_the_daemon_later():
    host = make_host(domain("a", burst(5, 100)))
    set_counter(host)
    begin(host, (0, 1))
    guest = host.profiler.oprofile("a")
    host.profiler.oprofile("0").write("enable", "0")
    dump_all(host, guest)
    host.profiler.oprofile("0").write("enable", "1")
    host.advance(host.now_ns + SECOND)
    assert ([], True) == (guest.read_buffer(), guest.pending() > 1000)


def dump_all(host, guest):
    guest.write("dump", "1")
    host.advance(host.now_ns + 500 * MS)
    guest.read_buffer()


@pytest.mark.parametrize("slots", [2, 10, 100, 1000])
def test_a_cpu_buffer_holds_less_than_its_slots(slots):
    host, guest = profiled(cpu_buffer_size=slots)
    host.advance(90 * MS)  # 2880 samples before the first move
    host.profiler.oprofile("0").write("enable", "0")
    received = int(guest.read("stats/cpu0/sample_received"))
    lost = int(guest.read("stats/cpu0/sample_lost_overflow"))
    assert received - lost == guest.pending() < slots
    assert lost > 1000


@pytest.mark.parametrize(("count", "lost_percent"), [(100_000, 0), (50_000, 0), (30_000, 23)])
def test_a_cpu_buffer_is_emptied_each_100_ms(count, lost_percent):
    """It has 8191 slots: 6400 samples come in that time at a count of 50 000, 10 700 at 30 000."""
    host, guest = profiled(count=count)
    host.advance(2 * SECOND)
    received = int(guest.read("stats/cpu0/sample_received"))
    lost = int(guest.read("stats/cpu0/sample_lost_overflow"))
    assert lost_percent == pytest.approx(100 * lost / received, abs=1)


def test_the_daemon_is_woken_in_the_middle_of_a_lot():
    """Two vcpus and two events make 51 000 entries every 200 ms, which fit into the real buffer."""
    host = make_host(domain("a", cpu(threads=2), vcpus=2))
    for index, event in {0: CYCLES, 3: INSTRUCTIONS}.items():
        set_counter(host, index, event=event)
    begin(host, (0, 1))
    host.advance(5 * SECOND)
    guest = host.profiler.oprofile("a")
    assert "0" == guest.read("stats/event_lost_overflow")
    assert len(dumped(host, guest)) > 500_000


def test_counting_often_does_not_fill_the_cpu_buffers():
    host, guest = profiled(count=50_000)
    for _ in range(60):
        host.advance(host.now_ns + 37 * MS)
        count_now(host)
    assert "0" == guest.read("stats/cpu0/sample_lost_overflow")


def test_a_full_cpu_buffer_leaves_passive_samples_in_their_ring():
    host = make_host(domain("a", cpu(), cpus="1"), domain0={"cpus": "0", "workload": [burst(5, 5)]})
    driver = host.profiler.oprofile("0")
    driver.write("cpu_buffer_size", "5")
    set_counter(host)
    begin(host, (0,), (1,))
    host.advance(40 * MS)
    count_now(host)
    assert host.xenoprof.unread(1) > 1000


def test_the_driver_tells_what_is_unread_in_the_rings():
    host = make_host(domain("a", cpu()))
    set_counter(host)
    begin(host, (0,), (1,))
    host.hypercalls.pause_domain(0)
    host.advance(20 * MS)
    passive = xenoprof_now(host).passive
    assert str(passive) == host.profiler.oprofile("0").read("unread")


def test_a_drain_reads_what_waits_in_the_rings():
    host = make_host(domain("a", cpu()))
    set_counter(host)
    begin(host, (0,), (1,))
    host.hypercalls.pause_domain(0)
    host.advance(20 * MS)
    count_now(host)
    driver = host.profiler.oprofile("0")
    waiting = int(driver.read("unread"))
    before = driver.pending()
    driver.write("enable", "0")
    driver.write("drain", "1")
    assert ("0", True) == (driver.read("unread"), driver.pending() - before >= waiting > 0)


def test_passive_samples_come_through_domain_0():
    host = make_host(
        domain("a", cpu(), cpus="1"), domain0={"cpus": "0", "workload": [burst(1, 10)]}
    )
    set_counter(host)
    begin(host, (0,), (1,))
    host.advance(300 * MS)
    batch = end(host)[0]
    assert {0, 1} == set(batch.domain.tolist())


# -- The cost of profiling to a domain


def test_the_daemons_work_is_done_in_its_domain():
    host, guest = profiled(buffer_size=60_000, buffer_watershed=50_000)
    host.advance(3 * SECOND)
    batches = [lot.load().columns() for lot in guest.read_buffer()]
    (daemon,) = (task for task in guest.tasks().values() if task.program == "/usr/bin/oprofiled")
    mine = sum(int((batch.tgid == daemon.tgid).sum()) for batch in batches)
    assert 0.003 < mine / sum(map(len, batches)) < 0.03


def test_a_passive_domains_samples_are_domain_0s_work():
    used = []
    for passive in ((), (1,)):
        host = make_host(
            domain("a", cpu(), cpus="1"), domain0={"cpus": "0", "workload": [burst(1, 20)]}
        )
        set_counter(host, count=50_000)
        begin(host, (0,), passive)
        host.advance(2 * SECOND)
        used.append(cpu_ns(host, "Domain-0"))
    assert used[1] > 1.25 * used[0]


def test_statistics_begin_anew_with_each_start():
    host, guest = profiled(cpu_buffer_size=64)
    host.profiler.oprofile("a").write("enable", "1")
    host.advance(300 * MS)
    host.profiler.oprofile("0").write("enable", "0")
    guest.write("enable", "0")
    lost_before = int(guest.read("stats/cpu0/sample_lost_overflow"))
    lost_ever = sum(one.samples for one in host.telemetry.snapshot().lost)

    guest.write("enable", "1")

    assert lost_before > 0
    assert "0" == guest.read("stats/cpu0/sample_lost_overflow")
    assert lost_ever == sum(one.samples for one in host.telemetry.snapshot().lost)
