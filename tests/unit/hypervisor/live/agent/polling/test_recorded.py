"""What a real Xen 4.17 has answered, read as its own tools told it at that time."""

import pytest

from hypervisor.live.agent.polling.host import Poller
from hypervisor.live.agent.xen.hypercalls import Xen
from tests.support.live.fakes import FACTS, FakeClock, FakeDevices, FakeStore
from tests.support.live.recorded_privcmd import RecordedPrivcmd, recording


@pytest.fixture
def xen():
    return Xen(RecordedPrivcmd("xen-4.17"))


@pytest.fixture
def report(xen):
    return Poller(xen, FakeStore(), FakeDevices(), FACTS, FakeClock()).poll()


def test_the_versions_are_those_of_4_17(xen):
    assert (0x15, 0x15) == (xen.domctl.version, xen.sysctl.version)


def test_the_host_is_read(report):
    assert (4, 17, ".7", "credit", 2600, 1, 2, 1) == (
        report.xen_major,
        report.xen_minor,
        report.xen_extra,
        report.scheduler,
        report.mhz,
        report.sockets,
        report.cores_per_socket,
        report.threads_per_core,
    )
    assert (3145200, 1406924, 0, ()) == (
        report.memory_kib,
        report.free_kib,
        report.scrub_kib,
        report.problems,
    )


def test_domains_are_those_that_xl_list_shows(report):
    """xl list, xl sched-credit and xl list -l of the same minute."""
    assert [
        (0, "00000000-0000-0000-0000-000000000000", "dom0", 1024, False, 256, 0),
        (1, "d9a849ab-b195-4b9d-8671-5b56cf03aaaa", "pv", 160, False, 256, 0),
        (3, "48a55f67-f5d9-4925-8c2e-6589bdbc10e2", "pv", 160, True, 512, 0),
        (4, "b94ee713-843d-47d0-865d-708aa01cba7c", "pv", 160, True, 256, 25),
        (5, "acc9bd35-37e8-4c17-bf1d-3ff2dfdc3c28", "pv", 160, True, 256, 0),
    ] == [
        (
            one.domid,
            one.uuid,
            one.kind,
            one.memory_kib // 1024,
            one.paused,
            one.weight,
            one.cap_percent,
        )
        for one in report.domains
    ]


def test_running_times_are_those_that_xl_list_rounds(report):
    paused = {one.domid: f"{one.cpu_ns / 1e9:.1f}" for one in report.domains if one.paused}

    assert {3: "38.6", 4: "2.6", 5: "2.4"} == paused


def test_vcpus_are_those_that_xl_vcpu_list_shows(report):
    assert [
        (0, 0, 0, (0,)),
        (1, 0, 1, (0, 1)),
        (1, 1, 1, (1,)),
        (3, 0, 1, (1,)),
        (4, 0, 1, (1,)),
        (5, 0, 1, (1,)),
    ] == [
        (one.domid, vcpu.vcpu, vcpu.pcpu, vcpu.affinity)
        for one in report.domains
        for vcpu in one.vcpus
    ]


def test_the_vcpus_of_a_domain_have_run_as_long_as_the_domain(report):
    for domain in report.domains:
        run_ns = sum(vcpu.cpu_ns for vcpu in domain.vcpus)
        assert pytest.approx(run_ns, abs=10_000_000) == domain.cpu_ns


def test_a_poll_of_five_domains_and_six_vcpus_takes_thirty_four_hypercalls_at_first(report):
    """Of them six probe the versions; version, pools and topology are kept from then on.

    When it was recorded domains were not yet listed again at the end.
    """
    assert (28, 33) == (report.hypercalls, recording("xen-4.17")["poll_calls"])


def test_guests_are_where_their_programs_and_kernels_are(xen, report):
    contexts = [xen.context(one.domid, 0) for one in report.domains[1:]]

    assert [True, True, True, True] == [
        one is not None and (one.rip >> 47 == 0x1FFFF) == one.in_kernel for one in contexts
    ]
    assert [64] * 4 == [xen.address_bits(one.domid) for one in report.domains[1:]]


def test_there_were_no_trace_buffers(xen):
    assert (0, 0) == xen.trace_info()[:2]
