import pytest

from tests.support.fake_hypervisor import GUEST, Bench

POWEROFF, REBOOT, SUSPEND, CRASH, HALT = range(5)
REASONS = {"poweroff": POWEROFF, "reboot": REBOOT, "crash": CRASH}


def started(seconds=0.0, **config):
    """Return a guest that has run for a while."""
    bench = Bench()
    bench.create({**GUEST, "disk": ["phy:sda3,xvda,w"], "vif": ["mac=00:16:3e:00:00:07"], **config})
    bench.after(seconds)
    bench.log.take()
    bench.fake.calls.clear()
    return bench


def uuid_of(bench, domid):
    return bench.context.infos[domid].spec.uuid


# -- what xend does


@pytest.mark.parametrize(
    ("reason", "names"),
    [
        (POWEROFF, {0: "Domain-0"}),
        (REBOOT, {0: "Domain-0", 2: "web"}),
        (CRASH, {0: "Domain-0", 2: "web"}),
        (HALT, {0: "Domain-0"}),
    ],
)
def test_defaults(reason, names):
    bench = started()
    bench.shut_down(1, reason)
    bench.after(1)

    assert bench.names() == names


@pytest.mark.parametrize("option", REASONS)
def test_destroy_takes_the_domain_away(option):
    bench = started(**{f"on_{option}": "destroy"})
    bench.shut_down(1, REASONS[option])

    assert bench.fake.calls == [("destroy", 1)]
    assert bench.store.children("/local/domain") == ["0"]


@pytest.mark.parametrize("option", REASONS)
def test_restart_is_a_new_domain_of_the_same_name_and_uuid(option):
    bench = started(**{f"on_{option}": "restart"})
    uuid = uuid_of(bench, 1)
    bench.shut_down(1, REASONS[option])
    bench.after(1)

    assert (bench.names(), uuid_of(bench, 2)) == ({0: "Domain-0", 2: "web"}, uuid)
    assert not bench.fake.states[2].is_paused


@pytest.mark.parametrize("option", REASONS)
def test_preserve_leaves_everything_as_it_is(option):
    bench = started(**{f"on_{option}": "preserve"})
    bench.shut_down(1, REASONS[option])
    bench.after(100)

    assert bench.fake.calls == []
    assert bench.store.children("/local/domain/1/device") == ["vif", "vbd"]


def test_a_preserved_domain_can_be_destroyed_by_hand():
    bench = started(on_crash="preserve")
    bench.shut_down(1, CRASH)
    bench.xend.domains.destroy("web")

    assert bench.names() == {0: "Domain-0"}


@pytest.mark.parametrize("option", REASONS)
def test_rename_restart_keeps_the_dead_one_under_another_name_and_uuid(option):
    bench = started(**{f"on_{option}": "rename-restart"})
    uuid = uuid_of(bench, 1)
    bench.shut_down(1, REASONS[option])
    bench.after(1)

    assert bench.names() == {0: "Domain-0", 1: "web-1", 2: "web"}
    assert uuid_of(bench, 2) == uuid != uuid_of(bench, 1)


def test_the_name_of_the_dead_one_is_the_first_that_is_free():
    bench = started(on_crash="rename-restart")
    bench.create({**GUEST, "name": "web-1"})
    bench.shut_down(1, CRASH)

    assert bench.names()[1] == "web-2"


def test_a_domain_set_aside_has_its_own_nodes():
    bench = started(on_crash="rename-restart")
    bench.shut_down(1, CRASH)
    bench.after(1)
    vm = f"/vm/{uuid_of(bench, 1)}"

    assert bench.store.read("/local/domain/1/vm") == vm
    assert (bench.store.read(f"{vm}/name"), bench.store.read(f"{vm}/memory")) == ("web-1", "128")


def test_a_domain_set_aside_gives_its_disks_to_the_new_one():
    bench = started(on_crash="rename-restart")
    bench.shut_down(1, CRASH)
    bench.after(1)

    assert [bench.store.children(f"/local/domain/{domid}/device/vbd") for domid in (1, 2)] == [
        [],
        ["51712"],
    ]


# -- restart


def test_the_new_domain_has_the_devices_of_the_old_one():
    bench = started()
    bench.result(bench.xend.devices.attach_block("web", "phy:sda4", "xvdb", "r"))
    bench.shut_down(1, REBOOT)
    bench.after(1)

    assert [one.spec.frontend for one in bench.context.infos[2].devices if one.kind == "vbd"] == [
        "xvda",
        "xvdb",
    ]


def test_the_new_domain_has_the_same_mac():
    bench = started()
    bench.shut_down(1, REBOOT)
    bench.after(1)

    assert bench.store.read("/local/domain/2/device/vif/0/mac") == "00:16:3e:00:00:07"


def test_the_new_domain_has_the_memory_that_was_last_asked_for():
    bench = started(maxmem=256)
    bench.xend.resources.set_memory("web", 64)
    bench.shut_down(1, REBOOT)
    bench.after(1)

    spec = bench.fake.specs[2]
    assert (spec.memory_kib, spec.maximum_kib) == (64 * 1024, 256 * 1024)


def test_restarts_are_counted():
    bench = started()
    for domid in (1, 2):
        bench.after(25)
        bench.shut_down(domid, REBOOT)
        bench.after(1)

    assert bench.context.infos[3].restart_count == 2
    assert bench.store.read(f"{bench.context.infos[3].vm_path}/xend/restart_count") == "2"


@pytest.mark.parametrize(("seconds", "is_restarted"), [(19.0, False), (20.5, True)])
def test_a_second_restart_within_twenty_seconds_is_refused(seconds, is_restarted):
    bench = started()
    bench.shut_down(1, CRASH)
    bench.until(lambda: 2 in bench.fake.states)
    bench.after(seconds)
    bench.shut_down(2, CRASH)
    bench.after(1)

    assert (3 in bench.names()) == is_restarted
    assert (len(bench.logged("restarting too fast")) == 1) != is_restarted


def test_a_first_restart_may_come_at_any_time():
    bench = started()
    bench.shut_down(1, CRASH)
    bench.after(1)

    assert 2 in bench.names()


def test_a_restart_that_fails_is_an_error_in_the_log_and_leaves_nothing():
    bench = started()
    bench.fake.free(-bench.fake.machine.free_kib)
    bench.fake.change(1, memory_kib=0, shutdown_reason=REBOOT)
    bench.fake.change(0, memory_kib=256 * 1024)
    bench.store.announce("@releaseDomain")
    bench.after(100)

    assert bench.names() == {0: "Domain-0"}
    assert len(bench.logged("ERROR (XendDomainInfo:1702) Failed to restart domain: ")) == 1
    assert [name for name in bench.store.children("/vm") if set(name) - set("0-")] == []


# -- requests to shut down


@pytest.mark.parametrize("reason", ["poweroff", "reboot", "halt"])
def test_the_guest_is_asked_through_the_store(reason):
    bench = started()
    bench.xend.domains.shutdown("web", reason)

    assert bench.store.read("/local/domain/1/control/shutdown") == reason


def test_a_guest_that_does_not_answer_within_thirty_seconds_is_destroyed():
    bench = started()
    bench.xend.domains.shutdown("web")
    bench.after(29.9)
    lived = 1 in bench.names()
    bench.after(0.2)

    assert (lived, bench.names()) == (True, {0: "Domain-0"})
    assert len(bench.logged("Domain shutdown timeout expired: name=web id=1")) == 1


def test_asking_again_gives_no_more_time():
    bench = started()
    bench.xend.domains.shutdown("web")
    bench.after(20)
    bench.xend.domains.shutdown("web")
    bench.after(10.1)

    assert bench.names() == {0: "Domain-0"}


def test_a_guest_that_was_asked_and_has_ended_is_not_destroyed_later():
    bench = started(on_poweroff="preserve")
    bench.xend.domains.shutdown("web")
    bench.after(5)
    bench.shut_down(1, POWEROFF)
    bench.after(60)

    assert 1 in bench.names()


def test_the_limit_is_for_the_domain_that_was_asked_and_not_its_successor():
    bench = started()
    bench.xend.domains.shutdown("web", "reboot")
    bench.after(5)
    bench.shut_down(1, REBOOT)
    bench.after(60)

    assert bench.names() == {0: "Domain-0", 2: "web"}


# -- the log


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        (POWEROFF, "INFO (XendDomainInfo:891) Domain has shutdown: name=web id=1 reason=poweroff."),
        (REBOOT, "INFO (XendDomainInfo:891) Domain has shutdown: name=web id=1 reason=reboot."),
        (CRASH, "WARNING (XendDomainInfo:875) Domain has crashed: name=web id=1."),
    ],
)
def test_an_end_is_told_in_the_log(reason, line):
    bench = started()
    bench.shut_down(1, reason)

    assert len(bench.logged(line)) == 1


def test_a_destroyed_domain_is_told_in_the_log():
    bench = started()
    bench.xend.domains.destroy("web")

    assert len(bench.logged("XendDomainInfo.destroy: domid=1")) == 1


# -- cores


@pytest.mark.parametrize(("wanted", "files"), [(True, 1), (False, 0)])
def test_a_crashed_domain_leaves_a_core_where_that_is_wanted(tmp_path, wanted, files):
    bench = started()
    bench.xend.set_domain0_root(str(tmp_path), dumps_crashed=wanted)
    (tmp_path / "var/xen/dump").mkdir(parents=True, exist_ok=True)
    bench.shut_down(1, CRASH)
    bench.after(2)

    assert len(list((tmp_path / "var/xen/dump").iterdir())) == files
    assert 2 in bench.names()


def test_a_core_that_cannot_be_written_does_not_keep_it_from_restarting(tmp_path):
    bench = started()
    bench.xend.set_domain0_root(str(tmp_path / "nowhere"), dumps_crashed=True)
    bench.shut_down(1, CRASH)
    bench.after(2)

    assert 2 in bench.names()


# -- fully virtualized guests

HVM = {"name": "w", "builder": "hvm", "kernel": "/hvmloader", "memory": 64}


@pytest.mark.parametrize(("tools", "calls"), [("3.0.3", []), ("3.1", [("shut down", 1, REBOOT)])])
def test_only_3_1_ends_a_guest_that_does_not_watch_the_store(tools, calls):
    bench = Bench(tools=tools)
    bench.create(HVM)
    bench.fake.calls.clear()
    bench.xend.domains.shutdown("w", "reboot")

    assert calls == bench.fake.calls


def test_a_guest_that_watches_the_store_ends_by_itself_with_3_1():
    bench = Bench(tools="3.1")
    bench.create(GUEST)
    bench.fake.calls.clear()
    bench.xend.domains.shutdown("web", "reboot")

    assert [] == bench.fake.calls
