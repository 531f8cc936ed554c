from dataclasses import replace

import pytest

from hypervisor.errors import Refused
from hypervisor.toolstack.operations.creation import Creation
from tests.support.fake_hypervisor import GUEST, Bench, refusal

DISK = "phy:sda3,xvda,w"
DEVICES = {**GUEST, "disk": [DISK], "vif": ["mac=00:16:3e:00:00:01", ""]}


@pytest.fixture
def bench():
    return Bench()


def test_a_creation_takes_time_in_domain_0(bench):
    operation = bench.xend.domains.create(GUEST)

    assert (operation.is_done, bench.names()) == (False, {0: "Domain-0"})


def test_the_result_is_the_next_id(bench):
    assert [bench.create({**GUEST, "name": name}) for name in "ab"] == [1, 2]


def test_devices_are_there_before_the_guest_runs(bench):
    bench.create(DEVICES)

    assert bench.fake.calls == [
        ("add vif", 1, 0),
        ("add vif", 1, 1),
        ("add disk", 1, "xvda"),
        ("unpause", 1),
    ]


def test_a_paused_creation_ends_when_its_devices_are_there(bench):
    bench.create(DEVICES, paused=True)

    assert bench.fake.calls[-1] == ("add disk", 1, "xvda")


def test_a_name_is_taken_from_the_moment_a_creation_begins(bench):
    bench.xend.domains.create(GUEST)

    assert "'web' already in use" in refusal(bench.xend.domains.create, GUEST)


def test_a_uuid_is_taken_from_the_moment_a_creation_begins(bench):
    uuid = "0" * 31 + "1"
    bench.xend.domains.create({**GUEST, "uuid": uuid})

    assert "already in use" in refusal(
        bench.xend.domains.create, {**GUEST, "name": "b", "uuid": uuid}
    )


@pytest.mark.parametrize("limits", [True, False])
def test_a_device_that_cannot_be_tears_the_domain_down(limits):
    bench = Bench(support_limits=limits)
    before = [entry for entry in bench.xend.views.xenstore() if entry[1]]
    message = refusal(bench.create, {**DEVICES, "vif": ["bridge=nobr"]})

    assert (message, bench.names()) == (
        "Device 0 (vif) could not be connected. Could not find bridge device nobr; "
        "there are virbr0, xenbr0, xenbr1",
        {0: "Domain-0"},
    )
    assert [entry for entry in bench.xend.views.xenstore() if entry[1]] == before


def test_memory_of_a_domain_torn_down_is_given_back(bench):
    free_kib = bench.fake.machine.free_kib
    refusal(bench.create, {**GUEST, "disk": ["phy:nothing,xvda,w"]})

    assert bench.fake.machine.free_kib == free_kib


def test_a_failed_creation_uses_up_its_id(bench):
    refusal(bench.create, {**GUEST, "disk": ["phy:nothing,xvda,w"]})

    assert bench.create(GUEST) == 2


def test_a_name_is_free_again_after_a_failed_creation(bench):
    refusal(bench.create, {**GUEST, "disk": ["phy:nothing,xvda,w"]})

    assert bench.context.reserved == {}


def test_a_domain_destroyed_while_it_is_created_stays_away(bench):
    operation = bench.xend.domains.create(DEVICES)
    bench.until(lambda: 1 in bench.context.infos)
    bench.xend.domains.destroy("web")

    assert refusal(bench.result, operation).endswith("It has been detached.")
    assert bench.names() == {0: "Domain-0"}


def test_a_guest_without_devices_that_is_destroyed_while_it_is_created_stays_away(bench):
    operation = bench.xend.domains.create({**GUEST, "vif": [""]})
    bench.until(lambda: 1 in bench.context.infos)
    bench.xend.domains.destroy("1")
    refusal(bench.result, operation)

    assert 1 not in bench.fake.states


def test_two_creations_at_once_do_not_take_the_same_memory(bench):
    """Domain 0 gives what the second one lacks, as if one had come after the other."""
    one = bench.xend.domains.create({**GUEST, "name": "a", "memory": 400})
    other = bench.xend.domains.create({**GUEST, "name": "b", "memory": 400})
    bench.result(one)

    assert not other.is_done
    assert bench.store.read("/local/domain/0/memory/target") == str((657 - (400 - 112)) * 1024)


def test_what_a_create_logs(bench):
    bench.create({**GUEST, "vif": [""]})
    texts = [line.split(") ", 1)[1].partition(" [")[0] for line in bench.log.take()]

    wanted = ["XendDomainInfo.create(", "Balloon: 524288 KiB free; need 131072; done.",
              "XendDomainInfo.initDomain: 1 1.0", "Waiting for 0.",
              "hotplugStatusCallback /local/domain/0/backend/vif/1/0/hotplug-status.",
              "hotplugStatusCallback 1.", "Domain web (1) unpaused."]  # fmt: skip
    found = [next((text for text in texts if text.startswith(one)), None) for one in wanted]
    assert None not in found


def test_a_restarted_domain_counts_its_restarts(bench):
    bench.create(GUEST)
    first = bench.context.infos.pop(1)
    creation = Creation(bench.context, first.spec, restarts=first)
    creation.begin(creation.start)
    bench.result(creation)

    assert bench.store.read(f"{first.vm_path}/xend/restart_count") == "1"


def test_the_state_of_a_saved_guest_is_passed_on(bench):
    spec = replace(bench.xend.configurations.spec_of(GUEST), name="saved")
    creation = Creation(bench.context, spec, saved={"workloads": []})
    creation.begin(creation.start)
    bench.result(creation)

    assert bench.fake.saved[-1] == {"workloads": []}


def test_at_boot_everything_is_there_at_once(bench):
    spec = bench.xend.configurations.spec_of(DEVICES)
    info = Creation(bench.context, spec).at_once()

    assert (info.domid, bench.fake.calls[-1]) == (1, ("unpause", 1))


def test_a_hypervisor_that_refuses_a_device_is_quoted(bench):
    bench.fake.refuses = Refused("vif1.0: no grant references left")

    message = refusal(bench.create, {**GUEST, "vif": [""]})
    assert message == "Device 0 (vif) could not be connected. vif1.0: no grant references left"


def test_nodes_of_a_domain(bench):
    bench.create({**GUEST, "maxmem": 256, "on_crash": "preserve", "uuid": "1" * 32})
    store, uuid = bench.store, bench.context.infos[1].spec.uuid
    vm = {name: store.read(f"/vm/{uuid}/{name}") for name in store.children(f"/vm/{uuid}")}

    assert vm == {
        "uuid": uuid, "name": "web", "memory": "128", "maxmem": "256", "shadow_memory": "0",
        "vcpus": "2", "vcpu_avail": "3", "on_poweroff": "destroy", "on_reboot": "restart",
        "on_crash": "preserve", "image": vm["image"], "start_time": vm["start_time"], "xend": "",
    }  # fmt: skip
    own = dict(store.walk("/local/domain/1"))
    names = [
        "vm", "domid", "name", "memory/target", "cpu/0/availability", "cpu/1/availability",
        "console/port", "console/ring-ref", "console/limit", "console/tty", "store/port",
        "store/ring-ref",
    ]  # fmt: skip
    assert [name for name in names if f"/local/domain/1/{name}" not in own] == []
