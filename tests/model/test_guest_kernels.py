"""What a kernel counts of itself: as snapshots tell it and as its /proc shows it."""

import pytest

from hypervisor.model.cpu.look import look
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
    seen,
)

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


@pytest.mark.parametrize(
    ("hypervisor", "work"),
    [
        ("none", netperf("receive", test="TCP_STREAM")),
        ("none", netperf("transmit", test="UDP_STREAM")),
        ("3.0.3", netperf("transmit", test="UDP_STREAM")),
    ],
    ids=lambda one: one if isinstance(one, str) else "-".join(map(str, one.values())),
)
def test_what_a_program_does_itself_for_its_packets_is_not_taken_from_interrupts(hypervisor, work):
    host = make_host(domain0={"vcpus": 2, "workload": [work]}, hypervisor=hypervisor)
    host.advance(SECOND // 2)
    system = host.hypercalls.find("Domain-0")
    assert system is not None
    with look(host.execution.accounting):
        times = host.hypercalls.kernel_times.of_domain(system, host.now_ns)

    assert min(times) >= 0


def test_packets_of_an_emulated_card_are_softirq_time():
    host = make_host(domain("a", netperf("receive"), kind="hvm"))
    host.advance(SECOND // 2)
    system = host.hypercalls.find("a")
    assert system is not None
    packet = host.code.index["rtl8139_receive_packet"]
    with look(host.execution.accounting):
        times = host.hypercalls.kernel_times.of_domain(system, host.now_ns)
        received = sum(one.by_path()[packet] for one in system.domain.path_ns.values())

    assert times.softirq >= received > 0
