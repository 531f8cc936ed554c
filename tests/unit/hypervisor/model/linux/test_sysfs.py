import pytest

from hypervisor.errors import Refused
from hypervisor.model.machine import build
from hypervisor.model.scenario.spec import parse_scenario
from tests.support.model.hosts import SECOND, domain, fileio, make_host

SCHEDULER = "block/sda/queue/scheduler"


@pytest.fixture
def host():
    return make_host(domain("a", fileio()))


def test_domain_0_shows_the_queue_of_its_disk(host):
    views = host.toolstack.views
    shown = {
        name: views.sys("Domain-0", f"block/sda/queue/{name}")
        for name in ("scheduler", "nr_requests", "read_ahead_kb", "max_sectors_kb")
    }
    assert shown == {
        "scheduler": "noop anticipatory deadline [cfq]\n",
        "nr_requests": "128\n",
        "read_ahead_kb": "128\n",
        "max_sectors_kb": "512\n",
    }
    assert views.sys("Domain-0", "block/sda/queue/iosched/slice_idle") == "8\n"


def test_another_scheduler_is_chosen_by_writing_its_name(host):
    views = host.toolstack.views
    host.advance(SECOND)
    views.write_sys("Domain-0", SCHEDULER, "deadline\n")
    host.advance(2 * SECOND)
    assert views.sys("Domain-0", SCHEDULER) == "noop anticipatory [deadline] cfq\n"
    assert "block/sda/queue/iosched/fifo_batch" in views.sys("Domain-0", "").splitlines()
    assert host.hypercalls.backends.blkback.stores.system.queue.elevator.name == "deadline"


def test_a_tunable_is_set_by_writing_a_number(host):
    views = host.toolstack.views
    views.write_sys("Domain-0", "block/sda/queue/iosched/quantum", "16\n")
    assert views.sys("Domain-0", "block/sda/queue/iosched/quantum") == "16\n"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (SCHEDULER, "cqf", "Invalid argument (noop, anticipatory, deadline, cfq)"),
        ("block/sda/queue/nr_requests", "many", "Invalid argument (a whole number)"),
        ("block/sda/queue/max_sectors_kb", "4096", "Invalid argument (4 to 512)"),
        ("block/sda/queue/max_hw_sectors_kb", "4", "Permission denied"),
        ("block/sdz/queue/scheduler", "noop", "/sys/block/sdz/queue/scheduler: No such file"),
    ],
)
def test_what_cannot_be_written_is_refused_with_what_can(host, name, text, said):
    with pytest.raises(Refused) as refusal:
        host.toolstack.views.write_sys("Domain-0", name, text)
    assert said in str(refusal.value)


def test_a_guest_has_noop_for_good(host):
    views = host.toolstack.views
    name = "block/xvda/queue/scheduler"
    assert views.sys("a", name) == "[noop] anticipatory deadline cfq\n"
    with pytest.raises(Refused, match="Permission denied"):
        views.write_sys("a", name, "cfq")


def test_elevator_is_told_to_the_kernel_at_boot():
    host = make_host(domain("a"), domain0={"elevator": "as"})
    assert host.toolstack.views.proc("Domain-0", "cmdline") == "elevator=as\n"
    assert host.toolstack.views.sys("Domain-0", SCHEDULER) == "noop [anticipatory] deadline cfq\n"


def test_devices_of_stores_are_in_diskstats_and_have_queues_of_their_own():
    text = """
    [[host.store]]
    name = "san"
    kind = "fc"
    elevator = "deadline"
    [domain0]
    memory_mib = 256
    [[domain]]
    name = "a"
    disk = ["phy:/dev/san/0,xvda,w"]
    [[domain.workload]]
    kind = "fileio"
    """
    host = build(parse_scenario(text, "test"), epoch_ns=0)
    host.advance(SECOND)
    views = host.toolstack.views
    counts = {
        line.split()[2]: int(line.split()[3])
        for line in views.proc("Domain-0", "diskstats").splitlines()
    }
    assert counts["sdb"] > 100 > counts["sda"]
    assert (
        views.sys("Domain-0", "block/sdb/queue/scheduler") == "noop anticipatory [deadline] cfq\n"
    )
    disks = host.telemetry.snapshot().disks
    assert disks is not None
    assert [disk.name for disk in disks] == ["sda", "sdb"]


def test_the_disk_of_an_hvm_guest_has_cfq_until_blkfront_drives_it():
    host = make_host(domain("a", kind="hvm", disk=["phy:/dev/a,hda,w"]))
    views = host.toolstack.views
    name = "block/hda/queue/scheduler"
    with pytest.raises(Refused, match="not simulated"):
        views.write_sys("a", name, "noop")
    before = views.sys("a", name)
    views.write_sys("a", "bus/xen/drivers/vbd/bind", "vbd")
    expected = "noop anticipatory deadline [cfq]\n", "[noop] anticipatory deadline cfq\n"
    assert expected == (before, views.sys("a", name))
