from dataclasses import replace

import pytest

from hypervisor.telemetry import Histogram, VbdSnapshot, VifSnapshot
from tests.support.capturing import domain, host, vcpu, window
from xenprof.capture.window import DomainUse, Flow, VcpuUse, Window
from xenprof.errors import UsageError


def use_of(last, first=None) -> DomainUse:
    seen = window(host(last)) if first is None else Window(host(first, seconds=0), host(last))
    return seen.uses()[0]


def test_a_share_is_processor_time_in_pcpus():
    assert 1.5 == use_of(domain(1, "web", vcpu(0, 10), vcpu(1, 5))).share


def test_a_vcpu_is_divided_into_running_asleep_and_held():
    found = use_of(domain(1, "web", vcpu(0, 2, 3, 1))).vcpus

    assert (VcpuUse(running=0.2, blocked=0.4, held=0.4),) == found


def test_demand_leaves_out_the_time_that_a_vcpu_was_held():
    assert 0.25 == VcpuUse(running=0.1, blocked=0.3, held=0.6).demand


@pytest.mark.parametrize("use", [VcpuUse(), VcpuUse(running=0.5), VcpuUse(running=0, blocked=0)])
def test_demand_is_unknown_without_both_times(use):
    assert use.demand is None


def test_what_the_host_does_not_know_stays_unknown():
    found = use_of(domain(1, "web", cpu_ns=None))

    assert (None, None, None) == (found.share, found.wakes_per_second, found.user)


def test_a_counter_that_began_anew_is_unknown():
    before, after = (domain(1, "web", cpu_ns=ns) for ns in (500, 400))

    assert use_of(after, before).share is None


def test_a_domain_that_came_during_the_window_is_new():
    seen = Window(host(seconds=0), host(domain(3, "new", vcpu(0, 5))))

    assert [(True, None)] == [(use.is_new, use.share) for use in seen.uses()]


def test_an_id_that_returned_with_another_uuid_is_another_domain():
    before, after = (domain(1, "web", vcpu(0, 5), uuid=uuid) for uuid in ("a", "b"))

    assert use_of(after, before).is_new


def test_wake_ups_are_counted_as_waits_that_began_so():
    first = domain(1, "web", vcpu(), waits={"wake": Histogram((0, 0), 0)})
    last = replace(first, waits={"wake": Histogram((30, 20), 9)})

    assert 5 == use_of(last, first).wakes_per_second


def test_context_switches_stand_in_for_wake_ups():
    given = domain(1, "web", replace(vcpu(0, 5), context_switches=70))

    assert 7 == use_of(given).wakes_per_second


def test_vcpus_that_are_offline_are_left_out():
    given = domain(1, "web", vcpu(0, 1), replace(vcpu(1), online=False))

    assert 1 == len(use_of(given).vcpus)


def test_traffic_is_told_by_interface_in_a_second():
    vif = VifSnapshot(0, receive_bytes=1000, receive_packets=10, transmit_bytes=0)

    found = use_of(domain(1, "web", vifs=(vif,)))

    assert (Flow(1, 100),) == found.received
    assert (Flow(None, 0),) == found.transmitted


def test_requests_outstanding_are_those_while_there_were_any():
    vbd = VbdSnapshot(51712, read_requests=50, read_bytes=500, wait_ns=800, busy_ns=200)

    found = use_of(domain(1, "web", vbds=(vbd,))).disks[0]

    assert (Flow(5, 50), 4) == (found.reads, found.outstanding)


def test_settings_that_changed_are_told():
    first = domain(1, "web", vcpu())
    last = domain(1, "web", vcpu(affinity=(1,)), weight=512, cap_percent=50)

    assert ("weight", "cap", "pinning") == use_of(last, first).changed


def test_two_looks_at_one_moment_are_refused():
    with pytest.raises(UsageError, match="did not advance"):
        Window(host(), host())


def test_a_vcpu_of_whose_time_a_part_is_unknown_neither_waits_nor_sleeps_for_sure():
    part = replace(vcpu(0, 5), blocked_ns=2 * 10**9)

    assert (VcpuUse(running=0.5),) == use_of(domain(1, "web", part)).vcpus


def test_a_domain_that_was_seen_in_between_alone_has_gone():
    first, between, last = (domain(number, "web") for number in (3, 2, 1))
    seen = Window(host(first, last, seconds=0), host(last), (between, last))

    assert (between, first) == seen.gone()


def test_a_domain_that_was_stopped_half_of_the_time_does_not_compute_all_the_time():
    paused = replace(vcpu(0, 5), blocked_ns=0, offline_ns=5 * 10**9)
    use = use_of(domain(1, "web", paused))

    assert (0.5, 0.5) == (use.stopped, use.vcpus[0].demand)
