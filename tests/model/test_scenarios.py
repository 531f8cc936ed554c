"""The built-in scenarios: their load is as promised, and every measured value changes."""

import pytest

from hypervisor.model.machine import build
from hypervisor.model.scenario.spec import load_scenario, scenario_names
from tests.support.model.hosts import SECOND, busy_ns, cpu, cpu_percent, domain, make_host

SECONDS = 20


@pytest.fixture(scope="module")
def grumble():
    host = build(load_scenario("grumble"), epoch_ns=0)
    host.advance(SECONDS * SECOND)
    return host.telemetry.snapshot()


@pytest.fixture(scope="module")
def busy32():
    host = build(load_scenario("busy32"), epoch_ns=0)
    host.advance(2 * SECOND)
    before = host.telemetry.snapshot()
    host.advance(5 * SECOND)
    return before, host.telemetry.snapshot()


def busy_percent(snapshot):
    pcpus = snapshot.pcpus
    return 100 * sum(map(busy_ns, pcpus)) / len(pcpus) / snapshot.time_ns


def moved_bits(snapshot):
    vifs = [vif for one in snapshot.domains for vif in one.vifs]
    # Each guest has one stream; the other way go its acknowledgements.
    return 8 * sum(max(vif.receive_bytes, vif.transmit_bytes) for vif in vifs)


def disk_requests(snapshot):
    vbds = [vbd for one in snapshot.domains for vbd in one.vbds]
    return sum(vbd.read_requests + vbd.write_requests for vbd in vbds)


def test_grumble_has_the_ids_of_the_talk(grumble):
    expected = [
        (0, "Domain-0", 2), (1, "DesktopVM", 1), (2, "ossvm02", 2),
        (3, "rhel5pvtest", 1), (4, "r5b2-mySQL01", 1),
    ]  # fmt: skip
    assert expected == [(one.domid, one.name, len(one.vcpus)) for one in grumble.domains]


def test_grumble_keeps_its_pcpus_sixty_percent_busy(grumble):
    assert busy_percent(grumble) == pytest.approx(60, abs=3)


def test_grumble_moves_200_megabits_a_second(grumble):
    assert moved_bits(grumble) / SECONDS == pytest.approx(200e6, rel=0.05)


def test_grumble_does_300_disk_requests_a_second(grumble):
    assert disk_requests(grumble) / SECONDS == pytest.approx(300, rel=0.05)


def test_every_time_of_grumble_moves(grumble):
    for one in grumble.domains:
        assert one.cpu_ns > 0
        assert sum(waits.sum_ns for waits in one.waits.values()) > 0
        assert sum(sum(waits.counts) for waits in one.waits.values()) > 0
        assert one.evtchn_notifications > 0 or one.domid == 0
        for vcpu in one.vcpus:
            assert min(vcpu.running_ns, vcpu.runnable_ns, vcpu.blocked_ns) > 0
    for pcpu in grumble.pcpus:
        assert min(pcpu.user_ns, pcpu.kernel_ns, pcpu.hypervisor_ns, pcpu.idle_ns) > 0


def test_domain_0_of_grumble_works_for_each_guest_with_devices_at_work(grumble):
    names = {one.name for one in grumble.domains}
    spent = grumble.domains[0].on_behalf
    assert names == set(spent)
    assert min(times.total_ns for times in spent.values()) > 0


def test_every_device_counter_of_grumble_moves_somewhere(grumble):
    vifs = [vif for one in grumble.domains for vif in one.vifs]
    vbds = [vbd for one in grumble.domains for vbd in one.vbds]
    moved = {
        "receive": any(vif.receive_bytes and vif.receive_packets for vif in vifs),
        "transmit": any(vif.transmit_bytes and vif.transmit_packets for vif in vifs),
        "read": any(vbd.read_requests and vbd.read_bytes for vbd in vbds),
        "write": any(vbd.write_requests and vbd.write_bytes for vbd in vbds),
    }
    assert dict.fromkeys(moved, True) == moved


def test_the_scheduler_of_grumble_is_at_work(grumble):
    moving = ("schedule", "acct_run", "vcpu_wake_runnable", "vcpu_sleep", "vcpu_migrate")
    assert min(grumble.counters[name] for name in moving) > 0


def test_every_workload_of_grumble_gets_something_done(grumble):
    for one in grumble.domains[1:]:
        for result in one.workloads:
            done = max(result.get(key, 0) for key in ("bursts", "bytes", "units"))
            assert done > 0


def test_nothing_piles_up_in_grumble():
    host = build(load_scenario("grumble"), epoch_ns=0)
    host.advance(60 * SECOND)
    assert host.clock.pending() < 100
    for owner in host.hypercalls.live.values():
        for vcpu in owner.vcpus:
            assert len(vcpu.tasks) + len(vcpu.interrupts) + len(vcpu.debt) < 50


def test_busy32_has_32_pcpus_and_100_guests(busy32):
    _, now = busy32
    assert (len(now.pcpus), len(now.domains)) == (32, 101)


def test_half_of_busy32_is_loaded_as_grumble_is(busy32):
    before, now = busy32
    ns = now.time_ns - before.time_ns
    busy = sum(map(busy_ns, now.pcpus)) - sum(map(busy_ns, before.pcpus))
    assert 100 * busy / len(now.pcpus) / ns == pytest.approx(60, abs=4)
    assert (moved_bits(now) - moved_bits(before)) / ns * 1e9 == pytest.approx(200e6, rel=0.06)
    assert (disk_requests(now) - disk_requests(before)) / ns * 1e9 == pytest.approx(300, rel=0.05)


def test_the_spare_guests_of_busy32_sleep(busy32):
    _, now = busy32
    spare = [one for one in now.domains if one.name.startswith("spare")]
    assert len(spare) == 50
    assert max(one.cpu_ns for one in spare) < 0.001 * now.time_ns


def test_busy32_needs_fewer_than_20_000_events_a_second():
    """This keeps it faster than real time: events are batches and decisions, not packets."""
    host = build(load_scenario("busy32"), epoch_ns=0)
    host.advance(SECOND)
    first = host.clock.added
    host.advance(2 * SECOND)
    assert host.clock.added - first < 20_000


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_runs(name):
    host = build(load_scenario(name), epoch_ns=0)
    host.advance(100_000_000)
    assert host.telemetry.snapshot().time_ns == 100_000_000


def test_a_guest_of_the_scenario_that_is_created_again_does_its_work_again():
    host = make_host(domain("web", cpu()))
    host.toolstack.domains.destroy("web")
    host.toolstack.domains.create(
        {"name": "web", "memory": 128, "kernel": "/boot/vmlinuz", "vcpus": 1}
    )
    host.advance(host.now_ns + SECOND)

    assert cpu_percent(host, "web") > 80  # percent of the second since boot


def test_in_noisy_the_web_server_waits_more_than_it_runs():
    host = build(load_scenario("noisy"), epoch_ns=0)
    host.advance(5 * SECOND)
    (web,) = (one for one in host.telemetry.snapshot().domains if one.name == "web")
    (vcpu,) = web.vcpus

    assert (vcpu.runnable_ns or 0) > 5 * (vcpu.running_ns or 0)
