"""Every operation of the toolstack is recorded: what was asked, for whom, how it ended."""

import inspect

import pytest

from hypervisor import control
from hypervisor.errors import HostError
from hypervisor.shutdown import CRASH, POWEROFF, SUSPEND
from hypervisor.toolstack.timers import SECOND_NS
from tests.support.fake_hypervisor import GUEST, GUEST_WITH_DEVICES, MS, Bench, refusal

CONFIG = {**GUEST, "disk": ["phy:sda3,xvda,w"], "vif": ["mac=00:16:3e:00:00:07"]}
# What only tells, and changes nothing.
QUESTIONS = {"describe", "inactive", "rows", "sched_credit", "sched_sedf"}
MANAGED = {"new", "delete", "start", "suspend", "resume"}


@pytest.fixture
def bench():
    bench = Bench()
    bench.create(GUEST)
    return bench


def last(bench):
    return bench.context.operations.last()[-1]


def told(bench):
    """Return what the last record says: operation, result, domain, domid, error."""
    one = last(bench)
    return one.operation, one.result, one.domain, one.domid, one.error


def names(record):
    return [step.name for step in record.steps]


@pytest.mark.parametrize("part", ["domains", "managed", "resources", "devices"])
def test_every_method_that_changes_something_is_recorded(bench, part):
    protocol = {
        "domains": control.Domains,
        "managed": control.ManagedDomains,
        "resources": control.Resources,
        "devices": control.Devices,
    }[part]
    methods = {name for name, _ in inspect.getmembers(protocol, inspect.isfunction)}
    methods = {name for name in methods if not name.startswith("_")} - QUESTIONS
    kind = type(getattr(bench.xend, part))

    assert {name for name in methods if not hasattr(getattr(kind, name), "__wrapped__")} == set()


REQUESTS = {
    "pause": lambda xend: xend.domains.pause("web"),
    "unpause": lambda xend: xend.domains.unpause("1"),
    "rename": lambda xend: xend.domains.rename("web", "www"),
    "sysrq": lambda xend: xend.domains.sysrq("web", "s"),
    "destroy": lambda xend: xend.domains.destroy("web"),
    "vcpu-set": lambda xend: xend.resources.set_vcpus("web", 1),
    "vcpu-pin": lambda xend: xend.resources.pin_vcpu("web", None, [0]),
    "mem-set": lambda xend: xend.resources.set_memory("web", 64),
    "mem-max": lambda xend: xend.resources.set_maximum_memory(domain="web", mib=256),
    "sched-credit": lambda xend: xend.resources.set_sched_credit("web", weight=512),
}


@pytest.mark.parametrize("operation", REQUESTS)
def test_a_request_is_done_at_once_for_the_domain_of_that_name_or_id(bench, operation):
    REQUESTS[operation](bench.xend)

    assert told(bench) == (operation, "done", "web", 1, None)
    assert last(bench).began_ns == last(bench).ended_ns == bench.clock.now


@pytest.mark.parametrize(
    ("operation", "ask"),
    [
        ("pause", lambda xend: xend.domains.pause("nobody")),
        ("save", lambda xend: xend.domains.save("nobody", "/tmp/none")),
        ("mem-set", lambda xend: xend.resources.set_memory("nobody", 64)),
        ("block-detach", lambda xend: xend.devices.detach_block("nobody", "xvda")),
    ],
)
def test_an_unknown_domain_is_a_failure_under_the_name_that_was_typed(bench, operation, ask):
    refusal(ask, bench.xend)

    assert told(bench) == (
        operation, "failed", "nobody", None, "Domain 'nobody' does not exist.",
    )  # fmt: skip


def test_a_creation_has_the_steps_that_took_its_time():
    bench = Bench()
    bench.fake.script_ns = 50 * MS
    began_ns = bench.clock.now
    bench.create(GUEST_WITH_DEVICES)
    record = last(bench)

    assert told(bench) == ("create", "done", "web", 1, None)
    assert record.began_ns == began_ns
    # Each program takes 50 ms: xend, the builder, then the scripts together.
    assert [(step.name, step.began_ns - began_ns, step.ended_ns - began_ns) for step in record.steps] == [
        ("free memory", 0, 0),
        ("xend", 0, 50 * MS),
        ("builder", 50 * MS, 100 * MS),
        ("hotplug vif 0", 100 * MS, 150 * MS),
        ("hotplug vbd 51712", 100 * MS, 150 * MS),
        ("hotplug tap 51728", 100 * MS, 150 * MS),
    ]  # fmt: skip
    assert record.ended_ns == began_ns + 150 * MS


def test_a_creation_for_which_no_memory_is_freed_says_what_it_waited_for():
    bench = Bench()
    text = refusal(bench.create, {**GUEST, "memory": "600"})  # domain 0 does not balloon here
    record = last(bench)

    assert told(bench) == ("create", "failed", "web", None, text)
    assert names(record) == ["free memory"]
    # The sleeps grow by 0.1 s: 0.1 + 0.2 + ... + 2.0 s.
    assert record.ended_ns - record.began_ns == 21 * SECOND_NS


def test_a_name_in_use_is_a_failed_creation_with_the_text_that_the_user_gets(bench):
    text = refusal(bench.create, {**GUEST, "uuid": "00000000-0000-0000-0000-000000000001"})

    assert told(bench) == ("create", "failed", "web", None, text)


def test_a_configuration_that_cannot_be_read_is_a_failed_creation_of_nobody(bench):
    text = refusal(bench.xend.domains.create_from_text, "memory = (", "web.cfg")

    assert told(bench) == ("create", "failed", None, None, text)


def test_a_device_that_is_refused_fails_the_creation_with_its_text():
    bench = Bench()
    bench.fake.refuses = HostError("no free event channel")
    text = refusal(bench.create, CONFIG)

    assert told(bench) == ("create", "failed", "web", 1, text)
    assert "no free event channel" in text


def test_a_save_has_the_suspension_and_the_memory_as_steps(bench, tmp_path):
    operation = bench.xend.domains.save("web", str(tmp_path / "web.save"))
    bench.after(0.05)
    bench.shut_down(1, SUSPEND)
    bench.result(operation)

    assert told(bench) == ("save", "done", "web", 1, None)
    assert names(last(bench)) == ["suspend", "memory"]
    # 128 MiB in lots of 4 MiB, each of which takes 1 ms here.
    memory = last(bench).steps[1]
    assert memory.ended_ns - memory.began_ns == 32 * MS


def test_a_restore_is_an_operation_of_its_own_with_its_memory(bench, tmp_path):
    path = str(tmp_path / "web.save")
    operation = bench.xend.domains.save("web", path)
    bench.shut_down(1, SUSPEND)
    bench.result(operation)
    bench.result(bench.xend.domains.restore(path))

    assert told(bench) == ("restore", "done", "web", 2, None)
    assert names(last(bench)) == ["free memory", "xend", "memory"]


def test_a_file_that_is_no_save_fails_the_restore(bench, tmp_path):
    (tmp_path / "web.save").write_text("nothing")
    text = refusal(bench.xend.domains.restore, str(tmp_path / "web.save"))

    assert told(bench) == ("restore", "failed", None, None, text)


def test_attaching_ends_when_the_script_has(bench):
    bench.result(bench.xend.devices.attach_block("web", "phy:sdb1", "xvdb", "w"))
    record = last(bench)

    assert told(bench) == ("block-attach", "done", "web", 1, None)
    assert (names(record), record.ended_ns - record.began_ns) == (["hotplug vbd 51728"], 50 * MS)


def test_detaching_ends_when_the_guest_has_given_the_device_up():
    bench = Bench()
    bench.create(CONFIG)
    bench.xend.devices.detach_network("web", 0)
    bench.after(1)
    assert last(bench).operation == "create"

    bench.store.write("/local/domain/1/device/vif/0/state", 6)
    bench.after(1)
    assert told(bench) == ("network-detach", "done", "web", 1, None)
    assert names(last(bench)) == ["hotplug vif 0"]
    assert last(bench).ended_ns - last(bench).began_ns > SECOND_NS


def test_detaching_ends_with_the_domain():
    bench = Bench()
    bench.create(CONFIG)
    bench.xend.devices.detach_block("web", "xvda")
    bench.xend.domains.destroy("web")
    bench.after(1)

    assert sorted(one.operation for one in bench.context.operations.last()) == [
        "block-detach", "create", "destroy",
    ]  # fmt: skip


@pytest.mark.parametrize("reason", [POWEROFF, CRASH])
def test_a_shutdown_ends_when_the_domain_has(bench, reason):
    bench.xend.domains.shutdown("web")
    bench.after(3)
    assert last(bench).operation == "create"

    bench.shut_down(1, reason)
    record = last(bench)
    assert told(bench) == ("shutdown", "done", "web", 1, None)
    assert 3 * SECOND_NS <= record.ended_ns - record.began_ns < 4 * SECOND_NS


def test_a_shutdown_that_nobody_obeys_fails_after_30_seconds(bench):
    bench.xend.domains.shutdown("web")
    bench.after(31)

    record = last(bench)
    assert told(bench) == (
        "shutdown", "failed", "web", 1, "Domain shutdown timeout expired: name=web id=1",
    )  # fmt: skip
    assert record.ended_ns - record.began_ns == 30 * SECOND_NS


def test_a_restart_of_xends_own_accord_is_recorded():
    bench = Bench()
    bench.create({**GUEST, "on_crash": "restart"})
    bench.shut_down(1, CRASH)
    bench.after(1)

    assert told(bench) == ("restart", "done", "web", 2, None)


def test_lives_are_told_apart_by_their_ids(bench):
    bench.xend.domains.destroy("web")
    bench.create(GUEST)
    bench.xend.domains.pause("web")

    assert [(one.operation, one.domid) for one in bench.context.operations.last()] == [
        ("create", 1), ("destroy", 1), ("create", 2), ("pause", 2),
    ]  # fmt: skip


def test_a_dump_that_crashes_the_domain_is_one_operation(bench, tmp_path):
    bench.result(bench.xend.domains.dump_core("web", str(tmp_path / "core"), crash=True))

    operations = [one.operation for one in bench.context.operations.last()]
    assert (operations, names(last(bench))) == (["create", "dump-core"], ["memory"])


def test_managed_domains_are_started_suspended_and_resumed_under_those_names(tmp_path):
    bench = Bench(tools="3.1", domain0_root=tmp_path)
    text = "name = 'db'\nmemory = 64\nkernel = '/boot/vmlinuz-2.6.18-8.el5xen'\n"
    managed = bench.xend.managed
    managed.new(text, "db.cfg")
    bench.result(managed.start("db"))
    suspending = managed.suspend("db")
    bench.shut_down(1, SUSPEND)
    bench.result(suspending)
    bench.result(managed.resume("db"))
    refusal(managed.delete, "db")

    assert [(one.operation, one.result, one.domain) for one in bench.context.operations.last()] == [
        ("new", "done", None),
        ("start", "done", "db"),
        ("suspend", "done", "db"),
        ("resume", "done", "db"),
        ("delete", "failed", "db"),
    ]


def test_the_same_commands_have_the_same_traces():
    ids = []
    for _ in range(2):
        bench = Bench()
        bench.create(CONFIG)
        bench.xend.domains.pause("web")
        ids.append([one.trace_id for one in bench.context.operations.last()])

    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


ASKED_AGAIN = {
    "block-detach": lambda xend: xend.devices.detach_block("web", "xvda"),
    "network-detach": lambda xend: xend.devices.detach_network("web", 0),
    "shutdown": lambda xend: xend.domains.shutdown("web"),
}


@pytest.mark.parametrize("operation", ASKED_AGAIN)
def test_what_is_asked_again_while_the_guest_has_not_answered_goes_on_once(operation):
    bench = Bench()
    bench.create(CONFIG)
    before = len(bench.context.operations.last())
    for _ in range(100):
        ASKED_AGAIN[operation](bench.xend)

    ended = bench.context.operations.last()[before:]
    assert [(operation, "done")] * 99 == [(one.operation, one.result) for one in ended]


def test_another_wish_for_the_end_is_a_request_of_its_own(bench):
    before = len(bench.context.operations.last())
    for reason in ("poweroff", "reboot", "poweroff", "reboot"):
        bench.xend.domains.shutdown("web", reason)

    assert len(bench.context.operations.last()) - before == 2
