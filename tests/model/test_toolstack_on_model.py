"""xend on the whole model: with guests that answer, and a domain 0 that has other work."""

from typing import Any

import pytest

from hypervisor.errors import HostError, Refused
from tests.support.measured import measured
from tests.support.model.hosts import (
    SECOND,
    burst,
    cpu,
    domain,
    fileio,
    make_host,
    netperf,
    result,
    seen,
)
from tests.support.model.managing import GUEST, after, configure, done, logged, names, refusal

# -- the end of a guest


@pytest.mark.parametrize(
    ("reason", "left"), [("poweroff", {0: "Domain-0"}), ("halt", {0: "Domain-0"}),
                         ("reboot", {0: "Domain-0", 2: "a"})],
)  # fmt: skip
def test_a_guest_that_is_asked_ends_within_ten_seconds(reason, left):
    host = make_host(domain("a", burst(1, 9)))
    after(host, 1)
    host.toolstack.domains.shutdown("a", reason)
    after(host, 10)

    assert names(host) == left


def test_a_guest_that_ends_says_so_on_its_console():
    host = make_host(domain("a"))
    after(host, 1)
    configure(host, on_poweroff="preserve")
    host.toolstack.domains.shutdown("a")
    after(host, 10)

    assert "System halted." in host.toolstack.views.console("a")
    assert seen(host, "a").shutdown


def test_a_fully_virtualized_guest_never_answers_and_is_destroyed_after_thirty_seconds():
    host = make_host(domain("w", cpu(), kind="hvm", vif=[], disk=[]))
    host.toolstack.domains.shutdown("w")
    after(host, 29.9)
    lived = 1 in names(host)
    after(host, 0.2)

    assert (lived, names(host)) == (True, {0: "Domain-0"})


def test_a_paused_guest_does_not_answer_and_is_destroyed_after_thirty_seconds():
    host = make_host(domain("a"))
    host.toolstack.domains.pause("a")
    host.toolstack.domains.shutdown("a")
    after(host, 30.1)

    assert names(host) == {0: "Domain-0"}


def test_a_paused_guest_that_is_unpaused_in_time_answers_after_all():
    host = make_host(domain("a"))
    configure(host, on_poweroff="preserve")
    host.toolstack.domains.pause("a")
    host.toolstack.domains.shutdown("a")
    after(host, 20)
    host.toolstack.domains.unpause("a")
    after(host, 9)

    assert seen(host, "a").shutdown


@pytest.mark.no_cover
def test_a_starved_guest_answers_late():
    def seconds(*others: dict[str, Any]) -> float:
        host = make_host(domain("a", cpu(), weight=1), *others, cores_per_socket=1)
        configure(host, on_poweroff="preserve")
        host.toolstack.domains.shutdown("a")
        host.advance_until(lambda: measured(seen(host, "a").shutdown), 30 * SECOND)
        return host.now_ns / SECOND

    assert seconds(domain("hog", cpu(), weight=65535)) > 2 * seconds()


def test_a_crashed_guest_restarts_under_a_new_id_with_its_work():
    host = make_host(domain("a", cpu()))
    after(host, 1)
    host.toolstack.domains.sysrq("a", "c")
    after(host, 3)

    assert names(host) == {0: "Domain-0", 2: "a"}
    assert result(host, "a")["work_seconds"] > 0


def test_a_preserved_crash_is_shown_as_crashed_and_uses_no_cpu():
    host = make_host(domain("a", cpu()))
    configure(host, on_crash="preserve")
    after(host, 1)
    host.toolstack.domains.sysrq("a", "c")
    after(host, 1)
    used_ns = seen(host, "a").cpu_ns
    after(host, 1)
    one = seen(host, "a")

    assert (one.crashed, one.shutdown, one.running, one.cpu_ns) == (True, False, False, used_ns)


def test_a_guest_that_crashes_again_and_again_is_given_up():
    host = make_host(domain("a"))
    for _ in range(3):
        if "a" in names(host).values():
            host.toolstack.domains.sysrq("a", "c")
        after(host, 2)

    assert names(host) == {0: "Domain-0"}
    assert logged(host, "VM a restarting too fast") == 1


def test_a_restart_keeps_pins_but_not_weight_and_cap():
    host = make_host(domain("a", cpus="1"))
    host.toolstack.resources.set_sched_credit("a", weight=512, cap_percent=50)
    host.toolstack.domains.shutdown("a", "reboot")
    after(host, 10)
    one = seen(host, "a")

    assert (one.domid, one.vcpus[0].affinity, one.weight, one.cap_percent) == (2, (1,), 256, 0)


def test_a_guest_set_aside_gives_its_disk_to_its_successor():
    host = make_host(domain("a", fileio()))
    configure(host, on_crash="rename-restart")
    after(host, 1)
    host.toolstack.domains.sysrq("a", "c")
    after(host, 5)
    now = {one.domid: one for one in host.telemetry.snapshot().domains}

    assert {domid: one.name for domid, one in now.items()} == {0: "Domain-0", 1: "a-1", 2: "a"}
    assert len({one.uuid for one in now.values()}) == 3
    assert (len(now[1].vbds), measured(now[2].vbds[0].read_requests) > 0) == (0, True)


@pytest.mark.parametrize(
    ("key", "left"), [("b", {0: "Domain-0", 2: "a"}), ("o", {0: "Domain-0"}), ("c", {0: "Domain-0", 2: "a"})]
)  # fmt: skip
def test_magic_keys_that_end_a_guest(key, left):
    host = make_host(domain("a"))
    host.toolstack.domains.sysrq("a", key)
    after(host, 2)

    assert names(host) == left


@pytest.mark.parametrize(
    ("key", "line"), [("s", "Emergency Sync"), ("m", "Show Memory"), ("?", "HELP")]
)
def test_magic_keys_that_write_on_the_console(key, line):
    host = make_host(domain("a"))
    host.toolstack.domains.sysrq("a", key)
    after(host, 1)

    assert line in host.toolstack.views.console("a")
    assert host.toolstack.context.store.read("/local/domain/1/control/sysrq") == ""


# -- creation


def test_domain_0_with_other_work_takes_longer_to_create_a_guest():
    def seconds(**domain0: Any) -> float:
        host = make_host(domain0={"workload": [cpu(threads=8)], **domain0} if domain0 else {})
        done(
            host,
            host.toolstack.domains.create({**GUEST, "vif": ["", ""], "disk": ["phy:sda5,xvda,w"]}),
        )
        return host.now_ns / SECOND

    assert seconds(cap=20) > 3 * seconds()


def test_a_domain_0_that_gets_nearly_nothing_cannot_connect_devices_in_time():
    host = make_host(
        domain0={"cap": 1, "workload": [cpu(threads=32)] * 2}, sockets=1, cores_per_socket=1
    )
    operation = host.toolstack.domains.create({**GUEST, "vif": [""]})
    host.advance_until(lambda: operation.is_done, 500 * SECOND)
    message = refusal(host, operation)

    assert message == "Device 0 (vif) could not be connected. Hotplug scripts not working."


def test_memory_comes_from_domain_0_and_xm_list_shows_its_target():
    host = make_host(domain0={"memory_mib": 1500})
    free_mib = measured(host.telemetry.snapshot().free_kib) // 1024
    done(host, host.toolstack.domains.create({**GUEST, "memory": free_mib + 400}))
    after(host, 2)
    domain0 = host.telemetry.snapshot().domains[0]

    assert domain0.memory_kib == domain0.target_kib
    assert 1500 - 400 - 1 <= measured(domain0.target_kib) // 1024 <= 1500 - 400


def test_nobody_gives_domain_0_its_memory_back():
    host = make_host(domain0={"memory_mib": 1500})
    done(host, host.toolstack.domains.create({**GUEST, "memory": 800}))
    target_kib = host.telemetry.snapshot().domains[0].target_kib
    host.toolstack.domains.destroy("b")
    after(host, 5)

    assert host.telemetry.snapshot().domains[0].memory_kib == target_kib


def test_a_guest_waits_until_the_memory_of_a_dead_one_is_scrubbed():
    host = make_host(domain("a", memory_mib=1600))
    target_kib = host.telemetry.snapshot().domains[0].target_kib
    host.toolstack.domains.destroy("a")
    created = done(host, host.toolstack.domains.create({**GUEST, "memory": 1500}))

    assert (created, host.telemetry.snapshot().domains[0].target_kib) == (2, target_kib)
    assert host.now_ns > SECOND


def test_what_was_asked_of_a_guest_before_it_boots_holds():
    host = make_host()
    done(host, host.toolstack.domains.create({**GUEST, "vcpus": 2}, paused=True))
    host.toolstack.resources.set_memory("b", 48)
    host.toolstack.resources.set_vcpus("b", 1)
    after(host, 1)
    host.toolstack.domains.unpause("b")
    after(host, 1)
    one = seen(host, "b")

    assert (one.memory_kib, [vcpu.online for vcpu in one.vcpus]) == (48 * 1024, [True, False])


def test_ids_grow_also_over_failed_creations():
    host = make_host()
    refusal(host, host.toolstack.domains.create({**GUEST, "disk": ["phy:nothing,xvda,w"]}))
    done(host, host.toolstack.domains.create(GUEST))
    host.toolstack.domains.destroy("b")

    assert done(host, host.toolstack.domains.create(GUEST)) == 3


# -- devices


def test_devices_of_a_guest_that_boots_get_connected():
    host = make_host()
    done(host, host.toolstack.domains.create({**GUEST, "vif": [""], "disk": ["phy:sda5,xvda,w"]}))
    after(host, 1)
    rows = [*host.toolstack.devices.rows("b", "vif"), *host.toolstack.devices.rows("b", "vbd")]

    assert [row.state for row in rows] == [4, 4]
    assert all(row.event_channel > 0 for row in rows)


def test_both_halves_of_a_device_say_connected():
    host = make_host(domain("a"))
    after(host, 1)
    read = host.toolstack.context.store.read

    assert [read(f"/local/domain/{path}/state") for path in
            ("1/device/vif/0", "0/backend/vif/1/0", "1/device/vbd/51712", "0/backend/vbd/1/51712")
            ] == ["4"] * 4  # fmt: skip


def test_a_disk_attached_to_a_running_guest_gets_connected():
    host = make_host(domain("a"))
    after(host, 1)
    done(host, host.toolstack.devices.attach_block("a", "phy:sda5", "xvdb", "w"))
    after(host, 1)

    assert [row.state for row in host.toolstack.devices.rows("a", "vbd")] == [4, 4]
    assert [one.name for one in seen(host, "a").vbds] == ["xvda", "xvdb"]


def test_a_disk_that_is_not_mounted_goes():
    host = make_host(domain("a"))
    done(host, host.toolstack.devices.attach_block("a", "phy:sda5", "xvdb", "w"))
    after(host, 1)
    host.toolstack.devices.detach_block("a", "xvdb")
    after(host, 2)

    assert [one.name for one in seen(host, "a").vbds] == ["xvda"]


def test_a_mounted_disk_lingers():
    host = make_host(domain("a", fileio()))
    after(host, 1)
    host.toolstack.devices.detach_block("a", "xvda")
    after(host, 60)
    read = host.toolstack.context.store.read

    assert (read("/local/domain/0/backend/vbd/1/51712/state"),
            read("/local/domain/0/backend/vbd/1/51712/online"),
            read("/local/domain/1/device/vbd/51712/state")) == ("5", "0", "4")  # fmt: skip


def test_an_interface_goes_while_it_is_in_use():
    host = make_host(domain("a", netperf("transmit")))
    after(host, 1)
    host.toolstack.devices.detach_network("a", 0)
    after(host, 2)

    assert seen(host, "a").vifs == ()
    assert host.toolstack.context.store.children("/local/domain/1/device/vif") == []


def test_a_paused_guest_gives_its_devices_up_when_it_goes_on():
    host = make_host(domain("a"))
    after(host, 1)
    host.toolstack.domains.pause("a")
    host.toolstack.devices.detach_network("a", 0)
    after(host, 5)
    held = len(seen(host, "a").vifs)
    host.toolstack.domains.unpause("a")
    after(host, 1)

    assert (held, len(seen(host, "a").vifs)) == (1, 0)


def test_a_fourth_interface_lacks_grant_entries_where_limits_are_lifted():
    host = make_host(domain("a", vif=["", "", ""]))
    host.toolstack.context.support_limits = False
    used = host.hypercalls.live[1].grants.used
    ports = len(host.hypercalls.live[1].channels.ports)
    message = refusal(host, host.toolstack.devices.attach_network("a", ""))

    assert "no grant references left" in message
    assert host.hypercalls.live[1].grants.used == used
    assert len(host.hypercalls.live[1].channels.ports) == ports


def test_an_interface_without_an_event_channel_takes_no_grant_entries():
    host = make_host(domain("a"))
    guest, domain0 = (host.hypercalls.live[domid] for domid in (1, 0))
    while True:
        try:
            guest.channels.bind("virq", "taken")
        except Refused:
            break
    before = guest.grants.used, len(domain0.channels.ports)
    message = refusal(host, host.toolstack.devices.attach_network("a", ""))

    assert "no free event channel" in message
    assert before == (guest.grants.used, len(domain0.channels.ports))


# -- names


def test_a_renamed_guest_is_found_by_its_new_name_only():
    host = make_host(domain("a"))
    host.toolstack.domains.rename("a", "shop")

    assert names(host)[1] == "shop"
    assert host.toolstack.context.store.read("/local/domain/1/name") == "shop"
    with pytest.raises(HostError, match="Domain 'a' does not exist"):
        host.toolstack.domains.pause("a")


def test_a_guest_that_was_renamed_restarts_under_its_new_name():
    host = make_host(domain("a"))
    host.toolstack.domains.rename("a", "shop")
    host.toolstack.domains.shutdown("shop", "reboot")
    after(host, 10)

    assert names(host) == {0: "Domain-0", 2: "shop"}
