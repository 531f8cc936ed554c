"""What a snapshot tells of a guest's kernel is what its /proc shows."""

import pytest

from tests.support.measured import measured
from tests.support.model.hosts import MS, SECOND, burst, cpu, domain, fileio, make_host, seen

NAMES = ("Domain-0", "hog", "smp", "io", "windows")


@pytest.fixture(scope="module")
def host():
    host = make_host(
        domain("hog", cpu(), cpus="1"),
        domain("smp", cpu(threads=3), burst(5, 5), vcpus=2),
        domain("io", fileio(queue_depth=4)),
        domain("windows", burst(5, 5), kind="hvm"),
    )
    host.advance(63 * SECOND + 21 * MS)
    return host


@pytest.mark.parametrize("name", NAMES)
def test_loads_are_those_of_proc_loadavg(host, name):
    kernel = measured(seen(host, name).kernel)
    shown = host.toolstack.views.proc(name, "loadavg").split()[:3]
    assert [f"{load:.2f}" for load in (kernel.load1, kernel.load5, kernel.load15)] == shown


@pytest.mark.parametrize("name", NAMES)
def test_switches_and_interrupts_are_those_of_proc_stat(host, name):
    kernel = measured(seen(host, name).kernel)
    shown = dict(line.split()[:2] for line in host.toolstack.views.proc(name, "stat").splitlines())
    assert (kernel.context_switches, kernel.interrupts) == (int(shown["ctxt"]), int(shown["intr"]))


def test_a_task_that_computes_is_a_load_of_one_damped_over_a_minute(host):
    """Oracle: 1 - (1884/2048)**n for n samples, one every 5 s (Linux 2.6.18, EXP_1)."""
    expected = 1 - (1884 / 2048) ** 12
    assert measured(seen(host, "hog").kernel).load1 == pytest.approx(expected, abs=0.02)


def test_tasks_that_wait_for_a_disk_are_a_load_too(host):
    assert measured(measured(seen(host, "io").kernel).load1) > 0.4
