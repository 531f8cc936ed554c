"""The number of samples is the events counted divided by the period; each has a cost."""

import math

import pytest

from hypervisor.telemetry import Mode
from tests.support.model.hosts import (
    MS,
    SECOND,
    burst,
    cpu,
    cpu_ns,
    domain,
    fileio,
    make_host,
    result,
)
from tests.support.model.profiling import (
    CYCLES,
    INSTRUCTIONS,
    begin,
    count_now,
    set_counter,
    xenoprof_now,
)

CYCLES_PER_NS = 3.2


def modes_ns(host):
    """Return the time that the pcpus have spent in each mode so far."""
    pcpus = host.telemetry.snapshot().pcpus
    return (
        sum(one.user_ns for one in pcpus),
        sum(one.kernel_ns for one in pcpus),
        sum(one.hypervisor_ns for one in pcpus),
    )


def mixed(**host):
    return make_host(
        domain("busy", cpu()),
        domain("bursty", burst(3, 5)),
        domain("disk", fileio(rate_per_second=300)),
        **host,
    )


def taken(host, **counter):
    """Return (overflows, time by mode) of 700 ms with one counter."""
    host.advance(100 * MS)
    set_counter(host, **counter)
    begin(host, (0, 1, 2, 3))
    before = modes_ns(host)
    host.advance(host.now_ns + 700 * MS)
    spent = [now - then for now, then in zip(modes_ns(host), before, strict=True)]
    return xenoprof_now(host).total, spent


@pytest.mark.parametrize("cpu_type", ["p4", "p4-ht"])
@pytest.mark.parametrize("count", [30_000, 100_000, 1_000_000])
def test_a_clock_event_follows_the_running_time(cpu_type, count):
    threads = 2 if cpu_type == "p4-ht" else 1
    host = mixed(cpu=cpu_type, threads_per_core=threads)
    total, spent = taken(host, count=count)
    expected = sum(spent) * CYCLES_PER_NS / count
    assert abs(total - expected) <= 2 * threads


@pytest.mark.parametrize(
    ("user", "kernel", "modes"),
    [(1, 0, (Mode.USER,)), (0, 1, (Mode.KERNEL, Mode.HYPERVISOR))],
)
def test_a_filter_counts_the_time_in_its_modes(user, kernel, modes):
    total, spent = taken(mixed(), count=20_000, user=user, kernel=kernel)
    expected = sum(spent[mode] for mode in modes) * CYCLES_PER_NS / 20_000
    # The time of a path in each mode is known in whole cycles, and in whole ns.
    assert abs(total - expected) <= 2 + expected / 500


@pytest.mark.parametrize(
    ("user", "kernel", "modes"),
    [(1, 0, {Mode.USER}), (0, 1, {Mode.KERNEL, Mode.HYPERVISOR}), (1, 1, set(Mode)), (0, 0, set())],
)
def test_a_filter_lets_no_other_mode_through(user, kernel, modes):
    host = mixed()
    taken(host, count=20_000, user=user, kernel=kernel)
    assert modes == {count.mode for count in host.telemetry.snapshot().samples}


def test_modes_get_samples_in_proportion_to_their_time():
    host = mixed()
    total, spent = taken(host, count=10_000)
    got = [0, 0, 0]
    for one in host.telemetry.snapshot().samples:
        got[one.mode] += one.samples
    for samples, ns in zip(got, spent, strict=True):
        expected = total * ns / sum(spent)
        assert abs(samples - expected) < 5 * math.sqrt(expected)


def test_each_domain_gets_samples_for_its_running_time():
    host = mixed()
    taken(host, count=50_000)
    counts = dict.fromkeys(("Domain-0", "busy", "bursty", "disk"), 0)
    for one in host.telemetry.snapshot().samples:
        counts[one.domain] += one.samples
    running = {name: cpu_ns(host, name) for name in counts}
    busy = counts["busy"] / running["busy"]
    assert [
        name
        for name, samples in counts.items()
        if abs(samples - busy * running[name]) > 0.2 * busy * running[name]
    ] == []


def test_a_count_of_nothing_is_the_longest_period():
    total, spent = taken(mixed(), count=0)
    assert 0 == total
    assert sum(spent) * CYCLES_PER_NS < 1 << 32


# -- Other events follow the work


def instructions(*guests):
    """Return (instructions per cycle, instructions per second of work) of `a`, alone or not."""
    host = make_host(*guests, cpu="p4-ht", cores_per_socket=2, threads_per_core=2)
    names = {0: "cycles", 3: "instructions"}
    for index, name in names.items():
        host.profiler.oprofile("0").write(f"{index}/name", name)
    set_counter(host, 0, event=CYCLES, count=100_000)
    set_counter(host, 3, event=INSTRUCTIONS, count=20_000)
    begin(host, (0, 1))
    host.advance(SECOND)
    counts = {"cycles": 0, "instructions": 0}
    for one in host.telemetry.snapshot().samples:
        if one.domain == "a":
            counts[one.event] += one.samples
    executed = counts["instructions"] * 20_000
    return (
        executed / (counts["cycles"] * 100_000),
        executed / result(host, "a")["work_seconds"],
    )


def test_a_busy_sibling_lowers_the_instructions_per_cycle_but_not_those_of_the_work():
    alone = instructions(domain("a", cpu(), cpus="2"))
    shared = instructions(domain("a", cpu(), cpus="2"), domain("b", cpu(), cpus="3"))
    assert shared[0] / alone[0] == pytest.approx(0.5, abs=0.03)  # linpack: no gain
    assert shared[1] / alone[1] == pytest.approx(1, abs=0.05)


def test_a_domain_on_another_core_changes_nothing():
    alone = instructions(domain("a", cpu(), cpus="2"))
    beside = instructions(domain("a", cpu(), cpus="2"), domain("b", cpu(), cpus="1"))
    assert alone == pytest.approx(beside, rel=0.005)


def test_instructions_do_not_depend_on_what_else_is_counted():
    totals = []
    for others in ((), (0,)):
        host = make_host(domain("a", cpu()))
        set_counter(host, 3, event=INSTRUCTIONS, count=1_000_000)
        for index in others:
            set_counter(host, index, count=10_000_000)
        begin(host, (0, 1))
        host.advance(2 * SECOND)
        totals.append(
            sum(by_mode[0] for (_, k), by_mode in host.xenoprof.tally.logged.items() if k == 3)
        )
    assert totals[0] == pytest.approx(totals[1], rel=0.01)


# -- The cost of a sample


def worked(count):
    """Return (work done, samples) in 4 s of a guest that has a pcpu to itself."""
    host = make_host(domain("a", cpu(), cpus="1"), domain0={"cpus": "0"})
    host.advance(SECOND // 2)
    if count:
        for name, value in {"buffer_size": "20000", "buffer_watershed": "18000"}.items():
            host.profiler.oprofile("a").write(name, value)  # so that the daemon works all the time
        set_counter(host, count=count)
        begin(host, (0, 1))
        host.advance(host.now_ns + SECOND // 2)  # until the daemon and the debts keep pace
    else:
        host.advance(SECOND)
    before, logged = result(host, "a")["work_seconds"], sampled(host)
    host.advance(host.now_ns + 4 * SECOND)
    return result(host, "a")["work_seconds"] - before, sampled(host) - logged


def sampled(host):
    count_now(host)
    return sum(
        sum(counts) for (domid, _), counts in host.xenoprof.tally.logged.items() if domid == 1
    )


PERIODS = (100_000, 200_000, 500_000, 1_000_000)


def test_the_slowdown_is_a_constant_divided_by_the_period():
    free, _ = worked(0)
    profiled = {count: worked(count) for count in PERIODS}
    points = [(math.log(c), math.log(free / work - 1)) for c, (work, _) in profiled.items()]
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum(
        (x - mean_x) ** 2 for x, _ in points
    )
    each = [(free - work) * 1e9 * CYCLES_PER_NS / samples for work, samples in profiled.values()]
    assert slope == pytest.approx(-1, abs=0.05)
    assert [cycles for cycles in each if not 2000 <= cycles <= 6000] == []
