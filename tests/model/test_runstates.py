"""Time and memory are conserved, whatever is done to the domains."""

from dataclasses import astuple, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hypervisor.errors import HostError
from hypervisor.telemetry import HostSnapshot
from tests.support.measured import measured, measured_sum
from tests.support.model.hosts import (
    MS,
    SECOND,
    burst,
    busy_ns,
    cpu,
    domain,
    fileio,
    make_host,
    netperf,
    times_ns,
)

XEN_KIB = 64 * 1024
RULES = ["3.0.3", "3.1"]

ref = st.sampled_from(["web", "db", "new", "0", "1", "2", "3", "4", "nobody"])
command = st.one_of(
    st.tuples(st.just("create"), st.sampled_from(["new", "web", "bad name"]), st.integers(-1, 5),
              st.sampled_from([32, 64, 4096]), st.booleans(),
              st.sampled_from(["burst", "cpu", "netperf", "fileio", "nonsense"])),
    st.tuples(st.sampled_from(["destroy", "pause", "pause", "unpause", "unpause"]), ref),
    st.tuples(st.just("set_vcpus"), ref, st.integers(-1, 4)),
    st.tuples(st.just("pin_vcpu"), ref, st.sampled_from([None, 0, 1, 7]),
              st.lists(st.integers(0, 5), max_size=2)),
    st.tuples(st.just("set_memory"), ref, st.sampled_from([0, 16, 70, 128, 200, 4000])),
    st.tuples(st.just("set_sched_credit"), ref, st.sampled_from([None, 0, 1, 512, 65535, 65536]),
              st.sampled_from([None, -1, 0, 10, 150, 401])),
)  # fmt: skip
step = st.tuples(command, st.integers(0, 60 * MS))


def busy_host(rules, topology):
    sockets, cores, threads = topology
    return make_host(
        domain("web", burst(3, 4), cpu(), netperf("receive", rate_bits_per_second=50_000_000), vcpus=2),
        domain("db", burst(11, 2), fileio(queue_depth=4), cap=40, memory_mib=64, maxmem_mib=256),
        hypervisor=rules,
        sockets=sockets,
        cores_per_socket=cores,
        threads_per_core=threads,
        memory_mib=640,
        domain0={"vcpus": 2},
    )  # fmt: skip


def run(host, todo):
    """Execute one command as xm would; return whether it was refused."""
    verb, *args = todo
    try:
        if verb == "create":
            name, vcpus, memory, paused, kind = args
            config = {"name": name, "vcpus": vcpus, "memory": memory, "kernel": "/boot/vmlinuz"}
            extra = {"run_ms": 2, "sleep_ms": 1} if kind == "burst" else {}
            host.toolstack.domains.create(
                config, paused=paused, workloads=[{"kind": kind, **extra}]
            )
        elif verb == "set_sched_credit":
            host.toolstack.resources.set_sched_credit(args[0], weight=args[1], cap_percent=args[2])
        else:
            xend = host.toolstack
            part = xend.resources if "vcpu" in verb or "memory" in verb else xend.domains
            getattr(part, verb)(*args)
    except HostError:
        return True
    return False


def but_for_the_record(seen: HostSnapshot) -> HostSnapshot:
    """Return a snapshot without what is told of operations, those refused included."""
    return replace(seen, generation=0, operations=(), last_operations=())


def check_instant(host, seen: HostSnapshot, dead_ns: int) -> None:
    running = []
    for one in seen.domains:
        for vcpu in one.vcpus:
            assert min(times_ns(vcpu)) >= 0
            assert seen.time_ns - measured(one.created_ns) == sum(times_ns(vcpu))
            assert measured(one.paused) <= (vcpu.runstate == "offline")
            assert vcpu.online or vcpu.runstate == "offline"
            if vcpu.runstate == "running":
                running.append((vcpu.pcpu, one.domid, vcpu.vcpu))
                assert vcpu.pcpu in measured(vcpu.affinity)
    on_pcpus = [
        (pcpu.number, pcpu.current.domain.domid, pcpu.current.vcpu_id)
        for pcpu in host.execution.pcpus
        if pcpu.current is not None
    ]
    assert sorted(running) == sorted(on_pcpus)
    for pcpu in seen.pcpus:
        assert seen.time_ns == busy_ns(pcpu) + measured(pcpu.idle_ns)
        assert measured(pcpu.idle_ns) >= 0
    assert sum(map(busy_ns, seen.pcpus)) == dead_ns + measured_sum(
        *(one.cpu_ns for one in seen.domains)
    )
    owned = [measured(one.memory_kib) for one in seen.domains]
    rest = [measured(seen.free_kib), measured(seen.scrub_kib)]
    assert seen.memory_kib == XEN_KIB + sum(owned) + sum(rest)
    assert min(*owned, *rest) >= 0
    domain0 = seen.domains[0]
    spent = [(0, 0, 0), *map(astuple, measured(domain0.on_behalf).values())]
    modes_ns = [sum(column) for column in zip(*spent, strict=True)]
    assert [domain0.user_ns, domain0.kernel_ns, domain0.hypervisor_ns] == modes_ns
    assert domain0.cpu_ns == sum(modes_ns)


@pytest.mark.parametrize("rules", RULES)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    topology=st.sampled_from([(1, 1, 1), (1, 2, 1), (2, 1, 2)]),
    steps=st.lists(step, min_size=3, max_size=14),
)
def test_nothing_that_xm_does_loses_time_or_memory(rules, topology, steps):
    host = busy_host(rules, topology)
    dead_ns = 0
    highest = 2
    before = host.telemetry.snapshot()
    for todo, ns in steps:
        if run(host, todo):
            assert but_for_the_record(before) == but_for_the_record(host.telemetry.snapshot())
        after = host.telemetry.snapshot()
        alive = {one.domid for one in after.domains}
        dead_ns += gone_ns(before, after)
        new = alive - {one.domid for one in before.domains}
        assert all(domid > highest for domid in new)
        highest = max(highest, *alive)
        check_instant(host, after, dead_ns)
        host.advance(host.now_ns + ns)
        before = host.telemetry.snapshot()
        dead_ns += gone_ns(after, before)  # one that was dying, which does not run any more
        check_instant(host, before, dead_ns)


def gone_ns(before: HostSnapshot, after: HostSnapshot) -> int:
    """Return the time that the domains have used which have gone since."""
    alive = {one.domid for one in after.domains}
    return sum(measured(one.cpu_ns) for one in before.domains if one.domid not in alive)


@pytest.mark.parametrize("rules", RULES)
def test_a_paused_domain_is_offline_and_goes_on_where_it_was(rules):
    host = make_host(domain("a", cpu()), hypervisor=rules)
    host.advance(SECOND)
    host.toolstack.domains.pause("a")
    paused = host.telemetry.snapshot().domains[1]
    host.advance(3 * SECOND)
    host.toolstack.domains.unpause("a")
    host.advance(4 * SECOND)
    vcpu = host.telemetry.snapshot().domains[1].vcpus[0]
    assert vcpu.offline_ns == 2 * SECOND
    assert vcpu.running_ns == pytest.approx(measured(paused.cpu_ns) + SECOND, abs=MS)


def test_pausing_twice_needs_one_unpause():
    host = make_host(domain("a", cpu()))
    host.toolstack.domains.pause("a")
    host.toolstack.domains.pause("a")
    host.toolstack.domains.unpause("a")
    host.advance(SECOND)
    assert measured(host.telemetry.snapshot().domains[1].cpu_ns) > 900 * MS


def test_a_paused_domain_does_not_gather_timers():
    rate = {"rate_bits_per_second": 10_000_000}
    host = make_host(domain("a", netperf("transmit", **rate), fileio(rate_per_second=50)))
    host.advance(SECOND)
    host.toolstack.domains.pause("a")
    host.advance(61 * SECOND)
    vcpu = host.hypercalls.live[1].vcpus[0]
    assert len(vcpu.tasks) + len(vcpu.interrupts) + len(vcpu.debt) < 20


@pytest.mark.parametrize("rules", RULES)
def test_an_unplugged_vcpus_tasks_go_on_elsewhere(rules):
    host = make_host(domain("a", cpu(threads=2), vcpus=2), hypervisor=rules)
    host.advance(SECOND)
    host.toolstack.resources.set_vcpus("a", 1)
    host.advance(3 * SECOND)
    one, two = host.hypercalls.live[1].vcpus
    assert (two.online, len(one.tasks) + (one.current is not None)) == (False, 2)
    offline_ns = measured(host.telemetry.snapshot().domains[1].vcpus[1].offline_ns)
    assert 2 * SECOND - MS < offline_ns < 2 * SECOND  # the guest is told a little later


@pytest.mark.parametrize("rules", RULES)
def test_a_replugged_vcpu_takes_its_part_again(rules):
    host = make_host(
        domain("a", cpu(threads=2), vcpus=2), hypervisor=rules, domain0={"cpus": "0"}, cores_per_socket=4
    )  # fmt: skip
    host.toolstack.resources.set_vcpus("a", 1)
    host.advance(SECOND)
    host.toolstack.resources.set_vcpus("a", 2)
    before = measured(host.telemetry.snapshot().domains[1].cpu_ns)
    host.advance(2 * SECOND)
    assert measured(host.telemetry.snapshot().domains[1].cpu_ns) - before > 1950 * MS


def test_threads_of_one_vcpu_share_it_although_interrupts_cut_in():
    receive = netperf("receive", rate_bits_per_second=50_000_000)
    host = make_host(domain("a", cpu(), cpu(), receive, burst(1, 9)))
    host.advance(10 * SECOND)
    one, two = (work["work_seconds"] for work in host.telemetry.snapshot().domains[1].workloads[:2])
    assert one == pytest.approx(two, rel=0.1)


def test_wait_times_are_counted_once_for_each_wait():
    host = make_host(domain("a", cpu(), cpus="1"), domain("b", cpu(), cpus="1"))
    host.advance(5 * SECOND)
    for one in host.telemetry.snapshot().domains[1:]:
        runnable_ns = measured_sum(*(vcpu.runnable_ns for vcpu in one.vcpus))
        waits = measured(one.waits).values()
        waited_ns = sum(each.sum_ns for each in waits)
        assert 0 <= runnable_ns - waited_ns <= 31 * MS  # the present wait is still open
        assert sum(sum(each.counts) for each in waits) == pytest.approx(5000 / 60, abs=12)


def test_pinned_vcpus_stay_on_their_pcpu():
    host = make_host(domain("a", cpu()), domain("b", cpu()))
    host.toolstack.resources.pin_vcpu("a", 0, [1])
    host.toolstack.resources.pin_vcpu("b", None, [1])
    host.advance(4 * SECOND)
    one, two = host.telemetry.snapshot().domains[1:]
    assert measured_sum(one.cpu_ns, two.cpu_ns) == pytest.approx(4 * SECOND, rel=0.01)
