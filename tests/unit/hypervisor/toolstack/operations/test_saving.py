from pathlib import Path

import pytest

from hypervisor.errors import Refused
from hypervisor.toolstack.operations.saving import SUSPEND_LIMIT_NS
from hypervisor.toolstack.records import savefile
from hypervisor.toolstack.records.savefile import read_save
from tests.support.fake_hypervisor import GUEST, MS, Bench, refusal

SUSPEND, CRASH, POWEROFF = 2, 3, 0
CONFIG = {**GUEST, "disk": ["phy:sda3,xvda,w"], "vif": ["mac=00:16:3e:00:00:07"]}


@pytest.fixture
def bench():
    bench = Bench()
    bench.create(CONFIG)
    bench.fake.calls.clear()
    bench.log.take()
    return bench


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "web.save")


def begun(bench, path, **settings):
    """Return a save whose guest has suspended itself."""
    operation = bench.xend.domains.save("web", path, **settings)
    bench.after(0.05)
    bench.shut_down(1, SUSPEND)
    return operation


# -- save


def test_the_guest_is_asked_through_the_store(bench, path):
    bench.xend.domains.save("web", path)

    assert bench.store.read("/local/domain/1/control/shutdown") == "suspend"


def test_it_has_another_name_meanwhile(bench, path):
    bench.xend.domains.save("web", path)

    assert bench.names()[1] == bench.store.read("/local/domain/1/name") == "migrating-web"


def test_it_is_destroyed_when_all_is_written(bench, path):
    bench.result(begun(bench, path))

    assert (bench.names(), Path(path).exists()) == ({0: "Domain-0"}, True)


def test_every_page_is_copied(bench, path):
    bench.result(begun(bench, path))

    assert bench.fake.copied_kib == 128 * 1024


def test_the_file_holds_name_devices_and_state(bench, path):
    bench.result(begun(bench, path))
    saved = read_save(path)

    assert "(name web)" in saved.sxp_text
    assert (saved.image.pages, saved.image.state["of"]) == (128 * 256, 1)


def test_pages_in_the_balloon_are_not_written(bench, path):
    bench.fake.change(1, memory_kib=100 * 1024)
    bench.result(begun(bench, path))
    image = read_save(path).image

    assert (image.pages, image.total_pages) == (100 * 256, 128 * 256)


def test_a_checkpoint_leaves_it_running_under_its_name(bench, path):
    bench.result(begun(bench, path, checkpoint=True))

    assert bench.names()[1] == bench.store.read("/local/domain/1/name") == "web"
    assert ("resume", 1) in bench.fake.calls
    assert Path(path).exists()


def test_after_a_checkpoint_its_end_is_seen_like_any_other(bench, path):
    bench.result(begun(bench, path, checkpoint=True))
    bench.shut_down(1, POWEROFF)

    assert bench.names() == {0: "Domain-0"}


def test_a_domain_cannot_be_saved_twice_at_once(bench, path):
    bench.xend.domains.save("web", path)

    assert "is being saved already" in refusal(bench.xend.domains.save, "1", path)


def test_a_name_of_a_domain_being_saved_cannot_be_used_for_another_save(bench, path):
    bench.xend.domains.save("web", path)
    bench.create({**GUEST, "disk": [], "vif": []})

    assert refusal(bench.xend.domains.save, "web", path + "2") == (
        "VM name 'migrating-web' already in use by domain 1"
    )


def test_domain_0_cannot_be_saved(bench, path):
    assert refusal(bench.xend.domains.save, "0", path) == "Cannot save privileged domain 0"


def test_tools_3_0_3_cannot_save_fully_virtualized_guests(bench, path):
    bench.create({"name": "w", "builder": "hvm", "kernel": "/hvmloader", "memory": 64})

    assert "fully virtualized" in refusal(bench.xend.domains.save, "w", path)


# -- a save that fails loses nothing


def runs_on(bench):
    info = bench.context.infos[1]
    state = bench.fake.states[1]
    nodes = bench.store.read("/local/domain/1/name"), bench.store.read(f"{info.vm_path}/name")
    return (info.name, *nodes, state.shutdown_reason, info.is_saving) == (
        "web", "web", "web", None, False,
    )  # fmt: skip


def test_a_file_that_cannot_be_made_is_refused_before_the_guest_is_asked(bench, tmp_path):
    before = bench.xend.views.xenstore()
    message = refusal(bench.xend.domains.save, "web", str(tmp_path / "no/web.save"))

    assert "no/web.save" in message
    assert (bench.xend.views.xenstore(), bench.fake.calls) == (before, [])


def test_a_disk_that_is_full_at_the_end_leaves_the_guest_running(bench, path, monkeypatch):
    def full(*given):
        raise Refused("can't write guest state file: No space left on device")

    monkeypatch.setattr(savefile, "write_save", full)
    message = refusal(bench.result, begun(bench, path))

    assert message.endswith("No space left on device")
    assert runs_on(bench)
    assert ("resume", 1) in bench.fake.calls
    assert len(bench.logged("ERROR (XendCheckpoint:107) Save failed on domain web (1).")) == 1


def test_a_guest_that_does_not_suspend_is_given_up(bench, path):
    operation = bench.xend.domains.save("web", path)
    bench.after(SUSPEND_LIMIT_NS / 1e9 + 1)

    assert "did not suspend" in refusal(operation.result)
    assert runs_on(bench)


def test_a_guest_that_was_given_up_is_no_longer_asked_to_suspend(bench, path):
    bench.xend.domains.save("web", path)
    bench.after(SUSPEND_LIMIT_NS / 1e9 + 1)

    assert not bench.store.read("/local/domain/1/control/shutdown")


def test_a_guest_that_is_destroyed_while_it_is_saved(bench, path):
    bench.fake.copy_ns = 100 * MS
    operation = begun(bench, path)
    bench.after(0.3)
    bench.xend.domains.destroy("1")

    assert "destroyed while it was being saved" in refusal(bench.result, operation)
    assert not Path(path).exists()


def test_a_guest_that_ends_instead_of_suspending(bench, path):
    operation = bench.xend.domains.save("web", path)
    bench.shut_down(1, POWEROFF)

    assert "went away" in refusal(bench.result, operation)


def test_a_guest_that_crashes_instead_of_suspending_restarts_under_its_name(bench, path):
    operation = bench.xend.domains.save("web", path)
    bench.shut_down(1, CRASH)
    refusal(bench.result, operation)
    bench.after(1)

    assert bench.names() == {0: "Domain-0", 2: "web"}


def test_a_guest_that_crashes_and_is_preserved_has_its_name_back(bench, path):
    bench.create({**GUEST, "name": "b", "on_crash": "preserve"})
    operation = bench.xend.domains.save("b", path)
    bench.shut_down(2, CRASH)

    assert "has ended" in refusal(bench.result, operation)
    assert bench.names()[2] == "b"


def test_a_name_that_somebody_else_has_taken_is_not_taken_back(bench, path):
    operation = bench.xend.domains.save("web", path)
    bench.create(GUEST)
    bench.after(70)
    refusal(operation.result)

    assert bench.names() == {0: "Domain-0", 1: "migrating-web", 2: "web"}


# -- restore


@pytest.fixture
def saved(bench, path):
    bench.result(begun(bench, path))
    bench.log.take()
    bench.fake.calls.clear()
    return path


def test_a_restored_domain_has_its_name_and_uuid_and_a_new_id(bench, path):
    uuid = bench.context.infos[1].spec.uuid
    bench.result(begun(bench, path))

    assert bench.result(bench.xend.domains.restore(path)) == 2
    assert (bench.names()[2], bench.context.infos[2].spec.uuid) == ("web", uuid)


def test_it_has_its_devices_and_runs(bench, saved):
    bench.result(bench.xend.domains.restore(saved))

    assert [call[0] for call in bench.fake.calls] == ["add vif", "add disk", "unpause"]
    assert bench.store.read("/local/domain/2/device/vif/0/mac") == "00:16:3e:00:00:07"


def test_it_can_be_restored_paused(bench, saved):
    bench.result(bench.xend.domains.restore(saved, paused=True))

    assert bench.fake.states[2].is_paused


def test_its_state_is_handed_to_the_hypervisor(bench, saved):
    bench.result(bench.xend.domains.restore(saved))

    assert bench.fake.saved[-1]["of"] == 1


def test_every_page_is_read(bench, saved):
    bench.fake.copied_kib = 0
    bench.result(bench.xend.domains.restore(saved))

    assert bench.fake.copied_kib == 128 * 1024


def test_a_file_can_be_restored_once_at_a_time(bench, saved):
    bench.result(bench.xend.domains.restore(saved))

    assert refusal(bench.xend.domains.restore, saved) == "VM name 'web' already in use by domain 2"


def test_memory_is_freed_for_it(bench, saved):
    bench.fake.free(-bench.fake.machine.free_kib)
    bench.xend.domains.restore(saved)

    assert bench.store.read("/local/domain/0/memory/target") == str((657 - 128) * 1024)


def test_too_little_memory_is_refused_and_the_file_is_still_good(bench, saved):
    bench.fake.free(-bench.fake.machine.free_kib)
    bench.fake.change(0, memory_kib=256 * 1024)
    message = refusal(bench.result, bench.xend.domains.restore(saved))

    assert message.startswith("I need 131072 KiB, but dom0_min_mem is")
    assert len(bench.logged("ERROR (XendDomain:275) Restore failed")) == 1
    bench.fake.free(200 * 1024)
    assert bench.result(bench.xend.domains.restore(saved)) == 2


@pytest.mark.parametrize("size", [0, 10, 20, 100, 5000, -1])
def test_a_damaged_file_is_refused_at_once(bench, saved, size):
    data = Path(saved).read_bytes()
    Path(saved).write_bytes(data[:size])

    assert saved in refusal(bench.xend.domains.restore, saved)
    assert bench.names() == {0: "Domain-0"}


def test_a_file_that_is_not_there_is_refused(bench, path):
    assert path in refusal(bench.xend.domains.restore, path)


def test_a_checkpoint_can_be_restored_once_its_domain_is_gone(bench, path):
    bench.result(begun(bench, path, checkpoint=True))
    bench.xend.domains.destroy("web")

    assert bench.result(bench.xend.domains.restore(path)) == 2
