"""Two threads of one core share it, and how well depends on what both do.

Dense floating point gains nothing from a second thread, two servers together about 30 %: so each
works at 50 and at 63 to 66 % of the speed that it has alone (see `sharing.toml` for the sources).
"""

import pytest

from hypervisor.errors import ScenarioError
from tests.support.model.hosts import MS, SECOND, burst, cpu, cpu_percent, domain, make_host, result

DENSE = 0.5
SERVERS = 0.635


def one_core(*domains):
    """Return a host with two threads of one core; domain 0 uses the second, and mostly sleeps."""
    return make_host(
        *domains, cpu="p4-ht", cores_per_socket=1, threads_per_core=2, domain0={"cpus": "1"}
    )


def test_alone_a_thread_has_the_whole_core():
    host = one_core(domain("a", cpu(), cpus="0"))
    host.advance(5 * SECOND)
    assert result(host, "a")["work_seconds"] == pytest.approx(5, rel=0.01)


@pytest.mark.parametrize(("program", "share"), [("linpack", DENSE), ("httpd", SERVERS)])
def test_two_busy_threads_do_what_their_load_lets_them(program, share):
    work = cpu(program=program)
    host = one_core(domain("a", work, cpus="0"), domain("b", work, cpus="1"))
    host.advance(5 * SECOND)
    for name in "ab":
        assert result(host, name)["work_seconds"] == pytest.approx(5 * share, rel=0.02)
        assert cpu_percent(host, name) == pytest.approx(100, abs=1)


def test_unlike_neighbours_gain_what_lies_between():
    host = one_core(
        domain("a", cpu(program="linpack"), cpus="0"), domain("b", cpu(program="httpd"), cpus="1")
    )
    host.advance(5 * SECOND)
    for name in "ab":
        expected = 5 * (DENSE + SERVERS) / 2
        assert result(host, name)["work_seconds"] == pytest.approx(expected, rel=0.02)


def test_two_guests_start_on_different_cores():
    """Xen 3.0.3 puts new domains on the second threads of cores (common/domctl.c)."""
    host = make_host(
        domain("a", cpu()), domain("b", cpu()), cpu="p4-ht", sockets=2, cores_per_socket=1,
        threads_per_core=2, domain0={"vcpus": 4},
    )  # fmt: skip
    host.advance(10 * SECOND)
    for name in "ab":
        assert result(host, name)["work_seconds"] == pytest.approx(10, rel=0.05)


def test_threads_of_different_cores_do_not_slow_each_other():
    host = make_host(
        domain("a", cpu(), cpus="0"), domain("b", cpu(), cpus="2"),
        cpu="p4-ht", threads_per_core=2, domain0={"cpus": "1,3"},
    )  # fmt: skip
    host.advance(5 * SECOND)
    assert result(host, "b")["work_seconds"] == pytest.approx(5, rel=0.01)


def test_work_under_way_is_retimed_when_the_sibling_wakes_and_sleeps():
    """A burst of 100 ms whose sibling computes a quarter of the time takes accordingly longer."""
    alone = one_core(domain("a", burst(100, 100), cpus="0"))
    shared = one_core(domain("a", burst(100, 100), cpus="0"), domain("b", burst(5, 15), cpus="1"))
    for host in (alone, shared):
        host.advance(20 * SECOND)
    awake = cpu_percent(shared, "b") / 100
    took_ms = [
        seen.cpu_ns / MS / seen.workloads[0]["bursts"]
        for seen in (host.telemetry.snapshot().domains[1] for host in (alone, shared))
    ]
    # Of the time when both work, 63 % counts.
    assert took_ms[0] == pytest.approx(100, rel=0.02)
    assert took_ms[1] == pytest.approx(100 / (1 - awake * (1 - SERVERS)), rel=0.05)


def test_a_core_has_two_threads_at_most():
    with pytest.raises(ScenarioError, match="threads_per_core"):
        make_host(cpu="p4-ht", threads_per_core=4)


def test_cycles_are_counted_by_time_not_by_work():
    """A shared thread has as many cycles per second as one alone; only its work is slower."""
    host = one_core(domain("a", cpu(), cpus="0"), domain("b", cpu(), cpus="1"))
    driver = host.profiler.oprofile("0")
    settings = {
        "enabled": 1,
        "event": 0x1D,
        "unit_mask": 1,
        "count": 1_000_000,
        "kernel": 1,
        "user": 1,
    }
    for name, value in settings.items():
        driver.write(f"0/{name}", str(value))
    driver.write("active_domains", "0,1,2")
    driver.open_buffer()
    for name in "ab":
        host.profiler.oprofile(name).open_buffer()
    driver.write("enable", "1")
    start_ns = host.now_ns
    host.advance(start_ns + 2 * SECOND)
    taken = {
        name: sum(one.samples for one in host.telemetry.snapshot().samples if one.domain == name)
        for name in "ab"
    }
    expected = pytest.approx(2 * 3200, rel=0.03)  # 3.2 GHz, one sample every million cycles
    assert [taken["a"], taken["b"]] == [expected, expected]
