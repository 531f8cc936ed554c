"""/proc of guests: the kernels' accounting against the hypervisor's."""

import pytest

from hypervisor.errors import Refused, UnknownDomain
from hypervisor.model.linux.proctimes import LOAD_BITS, LOAD_PERIOD_NS, KernelTimes, LoadAverages
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
    times_ns,
)
from xenprof.service.domain_api import read_of_domain
from xenprof.wire.answers import ProcTexts, Text

NAMES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")


def stat(host, name):
    """Return {line: {column: ticks}} of the cpus, and the single numbers."""
    lines = [line.split() for line in host.toolstack.views.proc(name, "stat").splitlines()]
    return {
        line[0]: dict(zip(NAMES, map(int, line[1:]), strict=True))
        if line[0].startswith("cpu")
        else int(line[1])
        for line in lines
    }


@pytest.fixture(scope="module")
def host():
    """Return a host whose two pcpus have more work than they can do."""
    host = make_host(
        domain("hog", cpu()),
        domain("smp", cpu(), burst(3, 7), vcpus=2),
        domain("io", fileio(op="read", pattern="random", queue_depth=2)),
        domain("net", netperf("receive", rate_bits_per_second=50_000_000)),
        domain("capped", cpu(), cap=20),
        domain("windows", burst(5, 5), kind="hvm"),
    )
    host.advance(8 * SECOND + 123_456_789)
    return host


@pytest.mark.parametrize("name", ["Domain-0", "hog", "smp", "io", "net", "capped", "windows"])
def test_ticks_add_up_to_the_time_of_all_vcpus(host, name):
    vcpus = len(seen(host, name).vcpus)
    uptime = float(host.toolstack.views.proc(name, "uptime").split()[0])

    # each of seven columns is rounded down
    assert 0 <= round(uptime * 100) * vcpus - sum(stat(host, name)["cpu"].values()) <= 7


@pytest.mark.parametrize("name", ["Domain-0", "hog", "smp", "io", "net", "capped"])
def test_steal_is_the_time_that_xen_did_not_give(host, name):
    vcpus = seen(host, name).vcpus

    assert stat(host, name)["cpu"]["steal"] == sum(map(stolen_ns, vcpus)) // 10_000_000


def test_a_guest_that_computes_has_no_idle_time(host):
    ticks = stat(host, "hog")["cpu"]

    assert (ticks["idle"], ticks["iowait"]) == (0, 0)
    assert ticks["steal"] > 100


def test_a_capped_guest_sees_the_rest_as_steal():
    host = make_host(domain("capped", cpu(), cap=40))
    host.advance(SECOND)
    before = stat(host, "capped")["cpu"]["steal"]
    host.advance(11 * SECOND)

    assert abs(stat(host, "capped")["cpu"]["steal"] - before - 600) < 30


def test_a_paused_guest_sees_the_pause_as_steal():
    host = make_host(domain("idle", burst(1, 100)))
    host.advance(SECOND)
    before = stat(host, "idle")["cpu"]["steal"]
    host.toolstack.domains.pause("idle")
    host.advance(3 * SECOND)
    host.toolstack.domains.unpause("idle")
    host.advance(4 * SECOND)

    assert stat(host, "idle")["cpu"]["steal"] - before in (200, 201)


def test_modes_are_those_of_the_domain(host):
    domain_0, ticks = seen(host, "Domain-0"), stat(host, "Domain-0")["cpu"]
    inside_ns = (domain_0.kernel_ns or 0) + (domain_0.hypervisor_ns or 0)

    assert (domain_0.user_ns or 0) // 10_000_000 == ticks["user"]
    inside = ticks["system"] + ticks["irq"] + ticks["softirq"]
    assert 0 <= inside_ns // 10_000_000 - inside <= 2  # each of three columns is rounded down


def test_each_vcpu_has_a_line_and_they_add_up(host):
    ticks = stat(host, "smp")
    parts = [ticks["cpu0"]["steal"] + ticks["cpu1"]["steal"], ticks["cpu"]["steal"]]

    assert {"cpu", "cpu0", "cpu1"} == {name for name in ticks if name.startswith("cpu")}
    assert 0 <= parts[1] - parts[0] <= 1


def test_a_kernel_without_xen_does_not_know_steal(host):
    ticks = stat(host, "windows")["cpu"]
    vcpu = seen(host, "windows").vcpus[0]
    busy_ns = times_ns(vcpu)[0] + stolen_ns(vcpu)

    assert ticks["steal"] == 0
    spent = sum(ticks[name] for name in ("user", "system", "irq", "softirq"))
    assert abs(spent - busy_ns // 10_000_000) <= 3  # each is rounded down


def test_idle_time_while_a_disk_works_is_iowait(host):
    ticks = stat(host, "io")["cpu"]

    assert ticks["iowait"] > 20 * ticks["idle"]


def test_a_task_that_reads_is_blocked_or_at_work():
    host = make_host(domain("io", fileio(op="read", pattern="random")))
    counts = []
    for number in range(50, 90):
        host.advance(number * 11_000_000)
        now = stat(host, "io")
        counts.append((now["procs_running"] - 1, now["procs_blocked"]))  # without the reader itself

    assert {(0, 1), (1, 0)} >= set(counts)
    assert (0, 1) in counts


def test_idle_time_with_nothing_asked_of_a_disk_is_idle(host):
    ticks = stat(host, "net")["cpu"]

    assert (ticks["iowait"], stat(host, "net")["procs_blocked"]) == (0, 0)


def test_times_of_the_whole_never_go_back():
    host = make_host(domain("smp", burst(3, 7), fileio(op="write", pattern="random"), vcpus=2))
    last = stat(host, "smp")["cpu"]
    for number in range(1, 30):
        host.advance(number * SECOND // 7)
        if number in (8, 16):
            host.toolstack.resources.set_vcpus("smp", 1 + number // 16)
        ticks = stat(host, "smp")["cpu"]
        assert all(ticks[name] >= last[name] for name in NAMES), number
        last = ticks


def test_the_time_in_which_a_vcpu_was_unplugged_is_not_stolen():
    host = make_host(domain("smp", burst(3, 7), vcpus=2), sockets=2)
    host.advance(SECOND)
    host.toolstack.resources.set_vcpus("smp", 1)
    host.advance(6 * SECOND)
    host.toolstack.resources.set_vcpus("smp", 2)
    host.advance(8 * SECOND)

    assert stat(host, "smp")["cpu"]["steal"] < 100
    assert "cpu1" in stat(host, "smp")


def test_a_guest_that_was_created_paused_is_as_old_as_its_kernel():
    host = make_host()
    created = host.toolstack.domains.create(
        {"name": "late", "memory": 64, "kernel": "/boot/k"}, paused=True
    )
    host.advance_until(lambda: created.is_done, 60 * SECOND)
    host.advance(host.now_ns + 10 * SECOND)
    host.toolstack.domains.unpause("late")
    host.advance(host.now_ns + SECOND)

    assert float(host.toolstack.views.proc("late", "uptime").split()[0]) == 1.0
    assert stat(host, "late")["cpu"]["steal"] < 10


def test_an_unplugged_vcpu_has_no_line_and_its_time_stands_still():
    host = make_host(domain("smp", burst(3, 7), vcpus=2))
    host.advance(SECOND)
    host.toolstack.resources.set_vcpus("smp", 1)
    host.advance(2 * SECOND)
    smp, times = host.hypercalls.residents[1], host.hypercalls.kernel_times
    vcpu = smp.domain.vcpus[1]
    before = times.of_vcpu(vcpu, smp, host.now_ns)
    host.advance(5 * SECOND)

    assert "cpu1" not in stat(host, "smp")
    assert before == times.of_vcpu(vcpu, smp, host.now_ns)


def test_a_kernel_does_not_see_what_was_before_it_booted():
    host = make_host(domain("idle", burst(1, 100)))
    guest, times = host.hypercalls.live[1], KernelTimes(host.clock)
    idle = host.hypercalls.residents[1]
    host.toolstack.domains.pause("idle")
    host.advance(2 * SECOND)
    paused_ns = guest.vcpus[0].runstate.at(host.now_ns)[3]
    times.booting(guest)
    host.toolstack.domains.unpause("idle")
    host.advance(3 * SECOND)

    assert SECOND == times.uptime_ns(guest, host.now_ns)
    assert times.of_vcpu(guest.vcpus[0], idle, host.now_ns).steal < paused_ns


def test_an_endless_task_brings_the_load_to_one():
    load = LoadAverages()
    for _ in range(12):
        load.sample(1)

    # 1 - (1884 / 2048) ** 12 and so on, with the rounding of fixed point
    assert load.text() == "0.63 0.18 0.06"


def test_loads_are_averaged_every_five_seconds():
    host = make_host(domain("hog", cpu()), domain("io", fileio(op="read", pattern="random")))
    expected = LoadAverages()
    for _ in range(6):
        expected.sample(1)
    host.advance(6 * LOAD_PERIOD_NS + LOAD_BITS)

    assert [expected.text()] * 2 == [
        " ".join(host.toolstack.views.proc(name, "loadavg").split()[:3]) for name in ("hog", "io")
    ]


@pytest.mark.parametrize("name", ["0", "smp", "io", "windows"])
def test_every_file_that_is_listed_can_be_read(host, name):
    listed = host.toolstack.views.proc(name, "").splitlines()

    assert [] == [
        file for file in listed if not isinstance(host.toolstack.views.proc(name, file), str)
    ]


def test_xens_own_files_are_not_in_an_unmodified_kernel(host):
    def own(name):
        return {
            file for file in host.toolstack.views.proc(name, "").split() if file.startswith("xen/")
        }

    assert ({"xen/balloon", "xen/capabilities"}, set()) == (own("io"), own("windows"))


@pytest.mark.parametrize(
    "name", ["nosuch", "stat/", "../stat", "99999/stat", "1e3/stat", "\u0665/stat"]
)
def test_other_files_are_not_there(host, name):
    with pytest.raises(Refused, match="No such file or directory"):
        host.toolstack.views.proc("io", name)


def test_an_unknown_domain_has_no_files(host):
    with pytest.raises(UnknownDomain):
        host.toolstack.views.proc("nobody", "stat")


def test_disks_count_what_the_hypervisor_counts(host):
    words = host.toolstack.views.proc("io", "diskstats").split()
    vbd = seen(host, "io").vbds[0]

    assert ["202", "0", "xvda"] == words[:3]
    answered = measured(vbd.answered_requests)
    assert [answered, answered * 8, measured(vbd.busy_ns) // 1_000_000] == [
        int(words[3]), int(words[5]), int(words[12]),
    ]  # fmt: skip


def test_interfaces_count_what_the_hypervisor_counts(host):
    line = next(
        line for line in host.toolstack.views.proc("net", "net/dev").splitlines() if "eth0" in line
    )
    vif = seen(host, "net").vifs[0]

    assert str(vif.receive_bytes) == line.partition(":")[2].split()[0]


def test_domain_0_sees_the_other_end_of_an_interface(host):
    vif = seen(host, "net").vifs[0]
    line = next(
        line
        for line in host.toolstack.views.proc("0", "net/dev").splitlines()
        if measured(vif.name) in line
    )

    assert str(vif.receive_bytes) == line.partition(":")[2].split()[8]


def test_a_program_has_the_time_of_its_code(host):
    pid, text = next(
        (int(file.partition("/")[0]), host.toolstack.views.proc("hog", file))
        for file in host.toolstack.views.proc("hog", "").split()
        if file.endswith("/stat") and "linpack" in host.toolstack.views.proc("hog", file)
    )
    fields = text.split()
    running_ns = measured(seen(host, "hog").cpu_ns)

    assert (str(pid), "R") == (fields[0], fields[2])
    assert 0.9 * running_ns < (int(fields[13]) + int(fields[14])) * 10_000_000 <= running_ns


def test_the_service_shows_one_file_or_all_of_them(host):
    views = host.toolstack.views
    files = {name: views.proc("io", name) for name in views.proc("io", "").split()}

    assert Text(views.proc("io", "uptime")) == read_of_domain(host, "io", ["proc", "uptime"])
    assert ProcTexts(files) == read_of_domain(host, "io", ["proc"])
