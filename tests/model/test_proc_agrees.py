"""What a guest shows of itself agrees with what its host did: processes, interrupts, devices."""

import pytest

from hypervisor.model.cpu.look import look
from hypervisor.model.linux.procprocesses import Processes
from tests.support.measured import measured
from tests.support.model.hosts import (
    SECOND,
    burst,
    cpu,
    domain,
    fileio,
    make_host,
    netperf,
    seen,
    stolen_ns,
    vif,
)
from tests.support.model.profiling import begin
from xenprof.cli.console.procfiles import disks, processes, ticks
from xenprof.cli.console.top import table

MBIT = 1_000_000
PV = ["Domain-0", "hog", "twins", "io", "server", "sender"]


def files(host, name):
    """Return all files of a domain's /proc."""
    views = host.toolstack.views
    return {file: views.proc(name, file) for file in views.proc(name, "").splitlines()}


def resident(host, name):
    return host.hypercalls.find(name)


def names(host, name):
    """Return the names of the processes that `ps` shows."""
    return [one.name for one in processes(files(host, name))]


def interfaces(host, name):
    """Return (received bytes, packets, sent bytes, packets) by interface."""
    rows = (line.partition(":") for line in files(host, name)["net/dev"].splitlines()[2:])
    found = {}
    for label, _, numbers in rows:
        columns = [int(word) for word in numbers.split()]
        found[label.strip()] = (columns[0], columns[1], columns[8], columns[9])
    return found


@pytest.fixture(scope="module")
def host():
    """Return a host with every kind of load, profiled."""
    host = make_host(
        domain("hog", cpu()),
        domain("twins", burst(3, 7), burst(20, 7), cpu(program="httpd"), vcpus=2),
        domain("io", fileio(op="read", pattern="sequential", queue_depth=2)),
        domain("server", netperf("receive", rate_bits_per_second=146 * MBIT)),
        domain("sender", netperf("transmit", rate_bits_per_second=60 * MBIT)),
        domain("windows", burst(5, 5), kind="hvm"),
        cores_per_socket=4,
        domain0={"vcpus": 2, "memory_mib": 256},
    )
    host.advance(SECOND)
    begin(host, (0, 1))
    host.advance(8 * SECOND + 123_456_789)
    return host


@pytest.mark.parametrize("name", PV)
def test_processes_add_up_to_user_and_system_time_to_the_nanosecond(host, name):
    system = resident(host, name)
    found = Processes(host.code, host.execution.accounting.path_modes)
    with look(host.execution.accounting):
        times = host.hypercalls.kernel_times.of_domain(system, host.now_ns)
        each = [found.times_ns(system, pid) for pid in found.living(system)]

    assert times.user + times.system == sum(user + inside for user, inside in each)
    assert 0 <= times.user - sum(user for user, _ in each) <= len(each)


@pytest.mark.parametrize("name", PV)
def test_the_rows_of_top_add_up_to_its_line_of_the_cpus(host, name):
    shown = files(host, name)
    spent = ticks(shown)
    each = [one.ticks for one in processes(shown)]

    # each of two columns is rounded down, and so are two times of each process
    assert -2 <= spent.user + spent.system - sum(each) <= 2 * len(each)


@pytest.mark.parametrize("name", [*PV, "windows"])
def test_no_time_is_negative_and_all_of_them_are_the_running_time(host, name):
    system = resident(host, name)
    with look(host.execution.accounting):
        times = host.hypercalls.kernel_times.of_domain(system, host.now_ns)
        running = system.domain.cpu_ns(host.now_ns)
    stolen = sum(map(stolen_ns, seen(host, name).vcpus)) if name == "windows" else 0

    assert min(times) >= 0
    assert running + stolen == times.user + times.system + times.irq + times.softirq


def test_looking_twice_shows_the_same(host):
    assert files(host, "twins") == files(host, "twins")


def test_a_server_that_moves_146_mbit_a_second_has_cpu_time(host):
    server = next(one for one in processes(files(host, "server")) if one.name == "netserver")
    kib = 8 * 146 * MBIT // 8 // 1024
    code = host.code
    copied = code.cycles[code.index["copy_to_user_kib"]] * kib * 1000 // host.scenario.host.mhz

    assert server.ticks * 10_000_000 > 0.95 * copied


def test_packets_are_softirq_time_and_their_interrupts_irq_time(host):
    system = resident(host, "Domain-0")
    spent = ticks(files(host, "Domain-0"))
    bridge = host.code.index["bridge_packet"]
    bridged = sum(one.by_path()[bridge] for one in system.domain.path_ns.values())

    assert spent.softirq * 10_000_000 > bridged > 0
    assert 0 < spent.irq < spent.softirq


def test_a_guest_that_computes_has_hardly_any_interrupt_time(host):
    spent = ticks(files(host, "hog"))

    assert (0, True) == (spent.softirq, spent.irq <= 1)


def test_top_shows_interrupt_and_softirq_time(host):
    shown = files(host, "server")
    spent = ticks(shown)
    line = next(line for line in table(None, shown) if line.startswith("Cpu(s):"))

    assert f"{100 * spent.softirq / sum(spent):5.1f}%si" in line
    assert spent.softirq > 10


def test_the_thread_of_each_disk_has_its_time(host):
    found = {one.name: one.ticks for one in processes(files(host, "Domain-0"))}

    assert {f"blkback.{domid}.xvda" for domid in range(1, 7)} <= found.keys()
    assert found["blkback.3.xvda"] > 10
    assert found["blkback.1.xvda"] == 0


def test_each_daemon_of_the_toolstack_is_one_process(host):
    shown = names(host, "Domain-0")

    assert (1, 1, 0) == (shown.count("xend"), shown.count("xenstored"), shown.count("python"))


def test_xend_has_the_time_of_its_work(host):
    found = {one.name: one.ticks for one in processes(files(host, "Domain-0"))}

    assert found["xend"] > 0


def test_an_unmodified_kernel_has_no_thread_for_xen(host):
    shown = names(host, "windows")

    assert ("events/0" in shown, "xenwatch" in shown) == (True, False)


def test_a_daemon_is_shown_while_it_runs():
    host = make_host(domain("a", cpu()))
    host.advance(SECOND)
    seen_of = ["oprofiled" in names(host, "Domain-0")]
    begin(host)
    host.advance(2 * SECOND)
    seen_of.append("oprofiled" in names(host, "Domain-0"))
    host.profiler.oprofile("0").close_buffer()
    seen_of.append("oprofiled" in names(host, "Domain-0"))

    assert [False, True, False] == seen_of


def test_scripts_and_xc_save_are_gone_when_they_have_ended(tmp_path):
    host = make_host(domain("a", cpu()))
    host.advance(SECOND)
    shown = set()
    operation = host.toolstack.domains.save("a", str(tmp_path / "a.save"))
    while not operation.is_done:
        host.advance(host.now_ns + 20_000_000)
        shown.update(names(host, "Domain-0"))
    restored = host.toolstack.domains.restore(str(tmp_path / "a.save"))
    while not restored.is_done:
        host.advance(host.now_ns + 20_000_000)
        shown.update(names(host, "Domain-0"))

    transient = {"xc_save", "xc_restore", "bash"}
    assert (transient, set()) == (
        transient & shown,
        transient & set(names(host, "Domain-0")),
    )


def test_a_script_that_runs_again_starts_with_no_time():
    host = make_host(domain("a", cpu()))
    host.advance(SECOND)
    most = []
    for number in range(6):
        created = host.toolstack.domains.create(
            {"name": f"b{number}", "memory": 32, "kernel": "/boot/k", "vif": ["bridge=xenbr0"]}
        )
        most.append(0)
        while not created.is_done:
            host.advance(host.now_ns + 10_000_000)
            for one in processes(files(host, "Domain-0")):
                if one.name == "bash":
                    most[-1] = max(most[-1], one.ticks)

    # 80 ms of a vif script, perhaps at half the speed of an unshared core
    assert 0 < max(most) <= 16


@pytest.mark.parametrize(
    ("disk", "served"),
    [("tap:aio:/images/a.img,xvda,w", ["blktap.1.xvda", "tapdisk"]),
     ("phy:/dev/a,xvda,w", ["blkback.1.xvda"])],
)  # fmt: skip
def test_what_served_a_disk_is_gone_with_its_domain(disk, served):
    host = make_host(domain("a", fileio(op="read", pattern="random"), disk=[disk]))
    host.advance(SECOND)
    before = [name for name in names(host, "Domain-0") if name in served]
    host.toolstack.domains.destroy("a")
    host.advance(host.now_ns + SECOND)

    assert (served, []) == (
        before,
        [name for name in names(host, "Domain-0") if name in served],
    )


def test_a_server_ends_with_its_client_and_gives_its_memory_back():
    host = make_host(
        domain("server", {"kind": "idle"}),
        domain("client", netperf("to", peer="server", rate_bits_per_second=MBIT)),
    )
    host.advance(2 * SECOND)
    before = resident(host, "server").paging.demand_kib
    assert "netserver" in names(host, "server")
    host.toolstack.domains.destroy("client")

    assert ("netserver" in names(host, "server"), 1024) == (
        False,
        before - resident(host, "server").paging.demand_kib,
    )


def test_a_killed_process_is_gone():
    host = make_host(domain("a", cpu(memory_mib=30), disk=[]))
    host.advance(SECOND)
    host.toolstack.resources.set_memory("a", 40)
    host.advance(5 * SECOND)

    assert "linpack" not in names(host, "a")


# Disks


def test_domain_0_shows_the_disk_of_the_host(host):
    last = files(host, "Domain-0")["partitions"].splitlines()[-1]

    assert "   8     0  142577664 sda" == last  # 146 GB in KiB


def test_domain_0s_disk_moves_what_the_guests_read(host):
    read = measured(seen(host, "io").vbds[0].read_bytes) // 512
    disk = disks(files(host, "Domain-0"))["sda"]

    assert 0 <= read - disk.read_sectors <= 2 * 128  # two requests of 64 KiB are under way
    assert disk.read_sectors > 10_000


def test_domain_0s_disk_counts_requests_and_merges(host):
    vbd = seen(host, "io").vbds[0]
    disk = disks(files(host, "Domain-0"))["sda"]

    assert vbd.read_requests == disk.reads + disk.reads_merged + pending(host)
    assert disk.in_flight in range(3)


def pending(host):
    """Return the requests that the disk has not answered."""
    disk = host.hypercalls.backends.blkback.stores.system
    served = disk.operations + disk.merged
    return seen(host, "io").vbds[0].read_requests - served


def test_domain_0s_disk_is_busy_while_it_works():
    host = make_host(domain("io", fileio(op="read", pattern="random")))
    host.advance(SECOND)
    before = disks(files(host, "Domain-0"))["sda"].busy_ms
    host.advance(11 * SECOND)

    assert 9_000 < disks(files(host, "Domain-0"))["sda"].busy_ms - before <= 10_000


def test_pages_in_and_out_of_domain_0_are_those_of_its_disk(host):
    shown = files(host, "Domain-0")
    counts = dict(line.split() for line in shown["vmstat"].splitlines())

    assert str(disks(shown)["sda"].read_sectors // 2) == counts["pgpgin"]


# Interfaces


def test_domain_0_has_its_card_its_bridge_and_both_ends_of_its_own_interface(host):
    found = interfaces(host, "Domain-0")

    assert ["lo", "peth0", "eth0", "vif0.0", "xenbr0"] == list(found)[:5]
    assert found["vif0.0"] == found["eth0"][2:] + found["eth0"][:2]


def held(host, domid):
    """Return the acknowledgements of a domain's receiver that are moved with later ones."""
    (source,) = host.hypercalls.residents[domid].programs.running
    bridge = host.hypercalls.backends.network.first.bridge
    return source._connection.held_acks + bridge.held_packets


def test_a_receiver_acknowledges_every_second_frame_with_66_bytes():
    host = make_host(domain("a", netperf("receive", rate_bits_per_second=50 * MBIT)))
    host.advance(5 * SECOND)
    seen_by = vif(host, "a")

    sent = measured(seen_by.transmit_packets)
    assert abs(measured(seen_by.receive_packets) - 2 * (sent + held(host, 1))) <= 1
    assert seen_by.transmit_bytes == 66 * sent
    assert sent > 5000


def test_the_card_carries_the_acknowledgements():
    host = make_host(domain("a", netperf("receive", rate_bits_per_second=50 * MBIT)))
    host.advance(5 * SECOND)
    found = interfaces(host, "Domain-0")

    assert found["peth0"][2:] == found["vif1.0"][:2]
    assert found["xenbr0"][1] >= found["vif1.0"][1] + found["vif1.0"][3]


def test_the_bridge_forwards_what_its_ports_receive():
    host = make_host(
        domain("a", netperf("receive", rate_bits_per_second=50 * MBIT)),
        domain("b", netperf("to", peer="a", rate_bits_per_second=20 * MBIT)),
        domain("c", netperf("to", peer="Domain-0", rate_bits_per_second=20 * MBIT)),
        domain0={"vcpus": 1, "memory_mib": 256,
                 "workload": [netperf("transmit", rate_bits_per_second=10 * MBIT)]},
    )  # fmt: skip
    host.advance(5 * SECOND)
    found = interfaces(host, "Domain-0")
    ports = ("peth0", "vif0.0", "vif1.0", "vif2.0", "vif3.0")
    into = sum(found[port][1] for port in ports)

    # frames in the card's ring, in netback and on their way out are counted at one end only
    assert abs(found["xenbr0"][1] - into) < 600
    assert into > 15_000


def test_an_outside_receiver_acknowledges_what_a_guest_sends():
    host = make_host(domain("a", netperf("transmit", rate_bits_per_second=50 * MBIT)))
    host.advance(5 * SECOND)
    card = host.hypercalls.backends.network.cards[0].nic
    received = vif(host, "a").receive_packets

    assert received == card.received_packets
    assert abs(card.transmitted_packets - 2 * received) <= 200  # some are on the wire


def test_domain_0s_own_traffic_is_that_of_its_interface():
    host = make_host(
        domain0={"vcpus": 1, "memory_mib": 256,
                 "workload": [netperf("receive", rate_bits_per_second=50 * MBIT)]},
    )  # fmt: skip
    host.advance(5 * SECOND)
    own = interfaces(host, "Domain-0")["eth0"]

    assert abs(own[1] - 2 * (own[3] + held(host, 0))) <= 1
    assert own[1] > 10_000
