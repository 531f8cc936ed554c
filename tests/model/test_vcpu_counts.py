"""What a vcpu is told to have done on pcpus: switches, migrations, steals, boosts."""

import pytest

from hypervisor.model.cpu.topology import Topology
from hypervisor.trace_events import SWITCH
from tests.support.measured import measured
from tests.support.model.hosts import SECOND, burst, cpu, domain, make_host, seen
from tests.support.model.schedsim import Sim

RULES = ["3.0.3", "3.1"]
STOLEN = {"3.0.3": "vcpu_migrate", "3.1": "migrate_queued"}


def vcpus(host):
    return [vcpu for one in host.telemetry.snapshot().domains for vcpu in one.vcpus]


def crowded(rules, **host):
    return make_host(
        domain("a", cpu()),
        domain("b", burst(3, 4), vcpus=2),
        domain("c", burst(1, 2)),
        domain("d", burst(7, 5)),
        hypervisor=rules,
        **host,
    )


@pytest.mark.parametrize("rules", RULES)
def test_steals_are_those_of_the_scheduler(rules):
    host = crowded(rules)
    host.advance(5 * SECOND)
    stolen = host.telemetry.snapshot().counters[STOLEN[rules]]
    assert (True, stolen) == (stolen > 100, sum(vcpu.steals for vcpu in vcpus(host)))


def test_under_3_0_3_every_migration_but_a_first_run_is_a_steal():
    host = crowded("3.0.3")
    host.advance(5 * SECOND)
    first_runs = [vcpu.steals - vcpu.migrations for vcpu in vcpus(host)]
    assert {0, 1} >= set(first_runs)


def test_under_3_1_migrations_are_steals_and_moves_of_running_vcpus():
    host = crowded("3.1", sockets=2)
    host.advance(5 * SECOND)
    counters = host.telemetry.snapshot().counters
    moved = counters["migrate_queued"] + counters["migrate_running"]
    migrations = sum(vcpu.migrations for vcpu in vcpus(host))
    assert 0 < migrations <= moved


@pytest.mark.parametrize("scheduler", ["credit", "sedf"])
def test_switches_are_those_of_the_trace(scheduler):
    host = crowded("3.0.3", scheduler=scheduler)
    host.tracer.set_ring_pages(4000)
    host.tracer.set_masks(0xFFFFFFFF, 0xFF)
    host.advance(SECOND)
    switched_to = [tuple(one.data[2:4]) for one in host.tracer.read() if one.event == SWITCH]
    for one in host.telemetry.snapshot().domains:
        for vcpu in one.vcpus:
            assert vcpu.context_switches == switched_to.count((one.domid, vcpu.vcpu))


@pytest.mark.parametrize("rules", RULES)
def test_without_a_cap_each_switch_ends_a_wait(rules):
    host = crowded(rules)
    host.advance(3 * SECOND)
    for one in host.telemetry.snapshot().domains:
        waits = sum(sum(waits.counts) for waits in one.waits.values())
        assert waits == sum(vcpu.context_switches for vcpu in one.vcpus)


def test_a_pinned_vcpu_does_not_migrate():
    host = make_host(domain("a", cpu(), cpus="1"), domain("b", burst(3, 4), cpus="1"))
    host.advance(3 * SECOND)
    assert [(0, 0), (0, 0)] == [
        (vcpu.migrations, vcpu.steals) for name in "ab" for vcpu in seen(host, name).vcpus
    ]


def test_a_vcpu_that_is_pinned_elsewhere_migrates_once():
    host = make_host(domain("a", cpu(), cpus="0"))
    host.advance(SECOND)
    host.toolstack.resources.pin_vcpu("a", 0, [1])
    host.advance(2 * SECOND)
    assert (1, 0) == (seen(host, "a").vcpus[0].migrations, seen(host, "a").vcpus[0].steals)


@pytest.mark.parametrize(("rules", "is_boosted"), [("3.0.3", False), ("3.1", True)])
def test_only_3_1_boosts_who_wakes(rules, is_boosted):
    host = crowded(rules)
    host.advance(3 * SECOND)
    assert is_boosted == any(vcpu.boosts for vcpu in vcpus(host))
    assert {is_boosted} == {vcpu.boosts is not None for vcpu in vcpus(host)}


def test_each_wake_of_one_who_owes_nothing_is_a_boost():
    sim = Sim("credit", "3.1", Topology(1, 1, 1))
    sim.add()
    sleeper = sim.add(run_ns=1_000_000, sleep_ns=99_000_000)
    sim.run(5)
    wakes = len(sim.lives[sleeper.vcpus[0]].wake_latencies_ns)
    assert sim.scheduler.state(sleeper.vcpus[0]).boosts == pytest.approx(wakes, abs=2)


def test_waits_of_two_hogs_on_one_pcpu_are_preempted_and_those_of_a_sleeper_wake():
    hogs = make_host(domain("a", cpu(), cpus="1"), domain("b", cpu(), cpus="1"))
    hogs.advance(5 * SECOND)
    sleeper = make_host(domain("a", burst(1, 9), cpus="1"))
    sleeper.advance(5 * SECOND)
    domains = (seen(hogs, "a"), seen(hogs, "b"), seen(sleeper, "a"))
    found = [measured(one.waits) for one in domains]
    counts = [(sum(one["wake"].counts), sum(one["preempted"].counts)) for one in found]
    assert [1, 1, 500] == pytest.approx([wakes for wakes, _ in counts], abs=5)
    assert [83, 83, 0] == pytest.approx([preempted for _, preempted in counts], abs=3)


def test_under_sedf_there_are_no_boosts_and_no_steals_to_tell():
    host = make_host(domain("a", cpu()), scheduler="sedf")
    host.advance(SECOND)
    assert {(None, None)} == {(vcpu.boosts, vcpu.steals) for vcpu in vcpus(host)}
