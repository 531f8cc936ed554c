from dataclasses import replace

from hypervisor.telemetry import (
    DiskSnapshot,
    DomainSnapshot,
    HostSnapshot,
    ModeTimes,
    PcpuSnapshot,
    VbdSnapshot,
    VcpuSnapshot,
    VifSnapshot,
)
from xenprof.advise.facts import DiskFacts, PcpuFacts, PhysicalDiskFacts, VcpuFacts, VifFacts
from xenprof.advise.rules import advice_for
from xenprof.advise.settings import Backing, Settings
from xenprof.advise.watching import facts_of
from xenprof.capture.window import Window

SECOND = 10**9
NOTHING = HostSnapshot(
    1, 0, 0, "h",
    domains=(DomainSnapshot(0, "Domain-0"), DomainSnapshot(1, "web", kind="pv")),
)  # fmt: skip


def snapshot(at_s: float, done: float) -> HostSnapshot:
    """Return a host after some seconds, whose counters stand at `done` of what each has."""
    ns = round(done * SECOND)
    vcpu = VcpuSnapshot(
        0, 1, True, running_ns=ns, runnable_ns=ns // 2, blocked_ns=0, offline_ns=0, capped_ns=ns // 4,
        affinity=(0, 1), migrations=round(8 * done),
    )  # fmt: skip
    vif = VifSnapshot(
        0, mac="m", bridge="xenbr0", receive_bytes=round(1000 * done), transmit_bytes=0,
        receive_packets=0, transmit_packets=0, receive_dropped=round(2 * done),
        rate_limit_bytes=1_250_000, rate_limited_ns=ns,
    )  # fmt: skip
    vbd = VbdSnapshot(
        51712, "xvda", "phy:/dev/sdb1", "w", read_requests=round(40 * done), write_requests=0,
        read_bytes=0, write_bytes=0, busy_ns=ns, wait_ns=2 * ns, answered_requests=round(20 * done),
    )  # fmt: skip
    web = DomainSnapshot(
        1, "web", "u", "pv", cpu_ns=ns, memory_kib=102_400, maximum_kib=204_800, weight=256,
        cap_percent=25, vcpus=(vcpu,), vifs=(vif,), vbds=(vbd,), demand_kib=51_200, swapped_kib=0,
        page_ins=round(4 * done), oom_kills=round(done),
    )  # fmt: skip
    own = DomainSnapshot(
        0, "Domain-0", "v", "dom0", cpu_ns=ns, on_behalf={"web": ModeTimes(0, ns, 0)}
    )
    return HostSnapshot(
        1, round(at_s * SECOND), 0, "h", domains=(own, web), free_kib=1024,
        pcpus=(PcpuSnapshot(0, 0, 0, 0, idle_ns=ns),),
        disks=(DiskSnapshot("sda", read_requests=0, write_requests=round(4 * done), busy_ns=ns),),
        cpu_type="p4", sockets=1, xen_major=3, scheduler="credit",
    )  # fmt: skip


# Half of all that could be done in four seconds.
WINDOW = Window(snapshot(10, 1), snapshot(14, 3))


def test_what_grows_is_told_in_percent_and_in_a_second():
    web = facts_of(WINDOW, Settings()).guests[0]
    assert (50.0, 25.0, 12.5, 50.0, 4.0, 2.0) == (
        web.running_percent,
        web.waiting_percent,
        web.capped_percent,
        web.served_percent,
        web.migrations_per_second,
        web.page_ins_per_second,
    )
    assert (100, 200, 50) == (web.memory_mib, web.maximum_mib, web.demand_mib)
    assert (VcpuFacts(0, (0, 1), 1, 50.0),) == web.online


def test_processes_that_were_killed_before_do_not_count():
    # One killed in each second of what was done: one before, two more until the end.
    assert 2 == facts_of(WINDOW, Settings()).guests[0].oom_kills


def test_devices_are_told_with_what_snapshots_do_not_have():
    settings = Settings(
        elevators={"sda": "cfq"},
        rates={(1, 0): (62_500, 50_000)},
        backings={"phy:/dev/sdb1": Backing("fc", "sdb")},
    )
    found = facts_of(WINDOW, settings)
    assert (PhysicalDiskFacts("sda", "cfq", 50.0, 0.0, 2.0),) == found.disks
    assert (PcpuFacts(0, 0, 0, 50.0),) == found.pcpus
    assert (
        DiskFacts(
            "xvda", "w", "phy:/dev/sdb1", "fc", "sdb", 20.0, 0.0, 10.0, 100.0, 50.0, 2.0, False
        ),
    ) == found.guests[0].disks
    assert (
        VifFacts(0, "m", "xenbr0", 4000.0, 0.0, 1.0, 1_250_000, 50_000, True, 50.0, False),
    ) == found.guests[0].vifs


def test_where_a_host_has_one_disk_all_requests_go_there():
    [disk] = facts_of(WINDOW, Settings()).guests[0].disks
    assert (None, "sda") == (disk.store, disk.disk)


def test_of_a_host_that_tells_nothing_nothing_is_known():
    found = facts_of(Window(NOTHING, replace(NOTHING, time_ns=SECOND)), Settings())
    assert {"check"} == {one.strength for one in advice_for(found)}
    assert (None, None) == (found.guests[0].running_percent, found.idle_percent)


def test_a_domain_that_came_meanwhile_has_done_nothing_that_is_known():
    first = replace(WINDOW.first, domains=WINDOW.first.domains[:1])
    [web] = facts_of(Window(first, WINDOW.last), Settings()).guests
    assert (None, None, None, 100) == (
        web.running_percent,
        web.waiting_percent,
        web.disks[0].await_ms,
        web.memory_mib,
    )
