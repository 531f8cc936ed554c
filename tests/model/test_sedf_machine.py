"""Whole hosts under SEDF. Oracle: slice/period, and the same host under credit."""

import pytest

from hypervisor.domainsettings import SedfParameters
from hypervisor.model.cpu.sched.sedf import SedfScheduler
from hypervisor.model.machine import build
from hypervisor.model.scenario.spec import load_scenario
from hypervisor.toolstack.config.schedparams import DOMAIN0_SEDF, GUEST_SEDF
from tests.support.model.hosts import (
    MS,
    SECOND,
    burst,
    cpu,
    cpu_percent,
    domain,
    make_host,
    result,
    seen,
    times_ns,
)


def sedf_host(*domains, **given):
    """Return a host with one pcpu, or as `given`, shared by domain 0 and all guests."""
    return make_host(*domains, scheduler="sedf", **{"cores_per_socket": 1, **given})


def sedf_of(host):
    scheduler = host.execution.scheduler
    assert isinstance(scheduler, SedfScheduler)
    return scheduler


def give(host, name, period_ms, slice_ms, *, extratime=False):
    """Guarantee a slice to a domain."""
    domid = seen(host, name).domid
    parameters = SedfParameters(period_ms * MS, slice_ms * MS, 0, extratime=extratime, weight=0)
    sedf_of(host).adjust_sedf(host.hypercalls.live[domid], parameters)


def grumble_under(scheduler):
    scenario = load_scenario("grumble")
    host = scenario.host.model_copy(update={"scheduler": scheduler})
    return build(scenario.model_copy(update={"host": host}), epoch_ns=0)


@pytest.fixture(scope="module")
def grumble():
    host = grumble_under("sedf")
    host.advance(30 * SECOND)
    return host


def test_slices_hold_beside_domain_0_and_the_rest_is_idle():
    host = sedf_host(domain("a", cpu()), domain("b", cpu()))
    give(host, "a", 100, 30)
    give(host, "b", 100, 55)
    host.advance(20 * SECOND)
    shares = [cpu_percent(host, name) for name in "ab"]
    assert shares == pytest.approx([30, 55], rel=0.02)


def test_slices_shorter_than_what_was_given_before_are_kept():
    """A pcpu that was idle for long has a timer far in the future."""
    host = sedf_host(domain("a", burst(1, 300)), domain("b", cpu()))
    give(host, "a", 200, 20)
    give(host, "b", 20, 2)
    host.advance(20 * SECOND)
    assert cpu_percent(host, "b") == pytest.approx(10, rel=0.02)


def test_guests_as_created_share_what_domain_0_leaves():
    host = sedf_host(*(domain(name, cpu()) for name in "abc"))
    host.advance(20 * SECOND)
    shares = [cpu_percent(host, name) for name in "abc"]
    assert max(shares) - min(shares) < 1
    assert 97 < sum(shares) < 100


def test_hogs_cannot_starve_domain_0():
    host = sedf_host(
        *(domain(name, cpu()) for name in "abc"),
        domain0={"workload": [burst(5, 15)]},
    )
    host.advance(20 * SECOND)
    latency = result(host, "Domain-0")["wake_latency_seconds"]
    assert latency["p99"] < 0.001
    assert cpu_percent(host, "Domain-0") > 22


def test_a_busy_domain_0_has_its_three_quarters_at_least():
    host = sedf_host(domain("a", cpu()), domain0={"workload": [cpu()]})
    give(host, "a", 100, 20)
    host.advance(20 * SECOND)
    assert cpu_percent(host, "Domain-0") > 75
    assert cpu_percent(host, "a") == pytest.approx(20, rel=0.02)


def test_vcpus_of_grumble_stay_where_they_are():
    host = grumble_under("sedf")
    homes = None
    for second in range(1, 6):
        host.advance(second * SECOND)
        now = [vcpu.pcpu for one in host.telemetry.snapshot().domains for vcpu in one.vcpus]
        homes = homes or now
        assert homes == now


def test_grumble_under_sedf_gets_something_done_everywhere(grumble):
    for one in grumble.telemetry.snapshot().domains[1:]:
        for work in one.workloads:
            assert max(work.get(key, 0) for key in ("bursts", "bytes", "units")) > 0


def test_grumble_moves_as_many_bytes_as_under_credit(grumble):
    other = grumble_under("credit")
    other.advance(30 * SECOND)

    def sent(host):
        vifs = [vif for one in host.telemetry.snapshot().domains for vif in one.vifs]
        return sum(vif.receive_bytes + vif.transmit_bytes for vif in vifs)

    assert sent(grumble) == pytest.approx(sent(other), rel=0.03)


def test_all_time_of_grumble_is_in_one_runstate(grumble):
    now = grumble.telemetry.snapshot()
    for one in now.domains:
        for vcpu in one.vcpus:
            assert sum(times_ns(vcpu)) == now.time_ns - one.created_ns


def test_the_snapshot_tells_what_there_is_under_sedf(grumble):
    now = grumble.telemetry.snapshot()
    assert now.scheduler == "sedf"
    for one in now.domains:
        assert (one.weight, one.cap_percent) == (None, None)
        assert {(vcpu.credit, vcpu.priority) for vcpu in one.vcpus} == {(None, None)}
    names = ("block_tot", "short_block_tot", "long_block_tot", "pen_extra_slices")
    assert min(now.counters[name] for name in names) > 0


@pytest.mark.no_cover
def test_grumble_under_sedf_is_the_same_each_time(grumble):
    twin = grumble_under("sedf")
    twin.advance(30 * SECOND)
    assert twin.telemetry.snapshot().domains == grumble.telemetry.snapshot().domains


def test_the_keys_of_a_scenario_reach_the_scheduler():
    host = sedf_host(
        domain("a", cpu(), sedf_slice_ms=30, sedf_extratime=False),
        domain("b", cpu()),
        domain0={"sedf_extratime": False},
    )
    live = host.hypercalls.live
    read = [sedf_of(host).sedf_parameters(live[domid]) for domid in range(3)]
    assert read == [
        SedfParameters(20 * MS, 15 * MS, 0, extratime=False, weight=0),
        SedfParameters(100 * MS, 30 * MS, 0, extratime=False, weight=0),
        GUEST_SEDF,
    ]


def test_domain_0_keeps_its_parameters(grumble):
    assert sedf_of(grumble).sedf_parameters(grumble.hypercalls.live[0]) == DOMAIN0_SEDF


def test_destroyed_and_paused_domains_leave_no_trace_on_the_queues():
    host = sedf_host(*(domain(name, cpu()) for name in "ab"))
    host.advance(1 * SECOND)
    host.hypercalls.pause_domain(1)
    host.hypercalls.destroy_domain(2)
    host.advance(2 * SECOND)
    queues = sedf_of(host)._pcpus[0]
    queued = [record.vcpu.domain.domid for record in queues.run + queues.wait + queues.extra[1]]
    assert set(queued) <= {0}
