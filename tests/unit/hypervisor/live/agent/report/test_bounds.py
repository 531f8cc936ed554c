from hypervisor.live.agent.report.bounds import within_bounds
from hypervisor.live.agent.report.fields import (
    DomainReport,
    PcpuReport,
    VbdReport,
    VcpuReport,
    VifReport,
    WaitsReport,
    to_json,
)
from hypervisor.live.reports import read_report
from tests.support.live.reports import SECOND, domain0, report

BEYOND = (1 << 64) - 1


def spoilt():
    """Return a host on which one number of each record is beyond what can be."""
    guest = DomainReport(
        1,
        "u",
        name="web",
        cpu_ns=1 << 62,
        memory_kib=(1 << 43) + 1,
        created_unix_ns=99999999999_500000000,
        wake_waits=WaitsReport((0, 1), BEYOND),
        preempted_waits=WaitsReport((0, 1), 5),
        vcpus=(VcpuReport(0, cpu_ns=7, pcpu=8192), VcpuReport(1, cpu_ns=BEYOND, pcpu=1)),
        vifs=(VifReport(0, receive_bytes=BEYOND, receive_packets=1),),
        vbds=(VbdReport(1, out_of_requests=BEYOND, read_requests=2),),
    )
    pcpus = (PcpuReport(0, idle_ns=5), PcpuReport(1, idle_ns=BEYOND))
    return report(domains=(domain0(SECOND), guest), pcpus=pcpus, memory_kib=BEYOND, mhz=2400)


def test_a_report_within_its_bounds_is_as_it_was():
    made = report()

    assert made is within_bounds(made)


def test_numbers_beyond_their_bounds_are_unknown_and_all_others_as_they_were():
    made = within_bounds(spoilt())
    guest = made.domains[1]
    assert guest.preempted_waits and guest.vifs and guest.vbds

    assert (None, 2400, (5, None)) == (
        made.memory_kib,
        made.mhz,
        tuple(one.idle_ns for one in made.pcpus),
    )
    assert (None, None, None, "web", None, 5) == (
        guest.cpu_ns,
        guest.memory_kib,
        guest.created_unix_ns,
        guest.name,
        guest.wake_waits,
        guest.preempted_waits.sum_ns,
    )
    assert [(7, None), (None, 1)] == [(one.cpu_ns, one.pcpu) for one in guest.vcpus]
    assert ((None, 1), (None, 2)) == (
        (guest.vifs[0].receive_bytes, guest.vifs[0].receive_packets),
        (guest.vbds[0].out_of_requests, guest.vbds[0].read_requests),
    )


def test_each_kind_of_number_that_was_left_out_is_a_problem_told_once():
    problems = within_bounds(spoilt()).problems

    assert "bounds: domain 1: cpu_ns is beyond what can be, and left out" in problems
    assert len(set(problems)) == len(problems) == 8


def test_what_is_within_bounds_is_what_a_service_reads():
    made = within_bounds(spoilt())

    assert made == read_report(to_json(made).encode())
