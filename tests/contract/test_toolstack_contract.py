"""The contract of a host that claims a toolstack; see test_host_contract.py."""

import pytest

from hypervisor.errors import Refused, UnknownDomain
from tests.support.contracts import SECOND, let_pass, named
from tests.support.measured import measured


@pytest.mark.parametrize("name", ["nobody", "99", "", "-1"])
def test_an_unknown_domain_is_named(toolstack, name):
    with pytest.raises(UnknownDomain, match=f"Domain '{name}' does not exist"):
        toolstack.domains.pause(name)


def test_a_domain_may_be_given_by_its_id(host, toolstack):
    toolstack.domains.pause(str(named(host, "busy").domid))

    assert named(host, "busy").paused


def test_a_paused_domain_does_not_run_until_it_is_unpaused(host, toolstack):
    toolstack.domains.pause("busy")
    before = named(host, "busy").cpu_ns
    let_pass(host, 0.3)
    paused = named(host, "busy").cpu_ns
    toolstack.domains.unpause("busy")
    let_pass(host, 0.3)

    assert before == paused
    assert measured(named(host, "busy").cpu_ns) > measured(paused)


def test_a_destroyed_domain_is_gone(host, toolstack):
    toolstack.domains.destroy("busy")

    assert "busy" not in [one.name for one in host.telemetry.snapshot().domains]


def test_domain_0_cannot_be_destroyed(toolstack):
    with pytest.raises(Refused):
        toolstack.domains.destroy("0")


def test_weight_and_cap_are_what_was_set(toolstack):
    toolstack.resources.set_sched_credit("busy", weight=512, cap_percent=40)

    assert toolstack.resources.sched_credit("busy") == (512, 40)


def test_a_pinned_vcpu_runs_where_it_may(host, toolstack):
    toolstack.resources.pin_vcpu("busy", 0, [1])
    let_pass(host, 0.1)
    (vcpu,) = named(host, "busy").vcpus

    assert (vcpu.affinity, vcpu.pcpu) == ((1,), 1)


def test_a_created_domain_has_a_new_id(host, toolstack):
    known = {one.domid for one in host.telemetry.snapshot().domains}
    toolstack.domains.destroy("busy")
    operation = toolstack.domains.create(
        {"name": "new", "memory": 64, "vcpus": 1, "kernel": "/boot/vmlinuz"}
    )
    host.advance_until(lambda: operation.is_done, 10 * SECOND)

    assert operation.result() not in known


def test_an_operation_has_no_result_before_it_is_over(toolstack):
    operation = toolstack.domains.create({"name": "new", "memory": 64, "kernel": "/boot/vmlinuz"})

    with pytest.raises(RuntimeError):
        operation.result()


def test_what_cannot_be_done_at_all_is_refused_without_waiting(toolstack):
    with pytest.raises(Refused):
        toolstack.domains.create({"name": "busy", "memory": 64, "kernel": "/boot/vmlinuz"})


def test_a_guest_that_is_asked_to_shut_down_is_gone_after_half_a_minute(host, toolstack):
    toolstack.domains.shutdown("busy")
    let_pass(host, 31)

    assert "busy" not in [one.name for one in host.telemetry.snapshot().domains]


@pytest.mark.parametrize("kind", ["vbd", "vif"])
def test_devices_of_a_guest_are_listed_connected(host, toolstack, kind):
    let_pass(host, 1)

    assert [row.state for row in toolstack.devices.rows("busy", kind)] == [4]


def test_the_long_description_names_the_domain(toolstack):
    tag, *entries = toolstack.views.sxp("busy")

    assert (tag, ["name", "busy"] in entries) == ("domain", True)


def test_the_log_is_taken_once(toolstack):
    toolstack.domains.pause("busy")
    toolstack.views.take_log()

    assert list(toolstack.views.take_log()) == []


def test_the_tools_have_files_in_domain_0(toolstack):
    paths = [file.path for file in toolstack.views.domain_files("Domain-0")]

    assert all(path.startswith("/") for path in paths)
    assert len(paths) == len(set(paths)) > 0


def test_all_files_of_proc_are_those_that_are_listed(toolstack):
    names = toolstack.views.proc("busy", "").splitlines()
    texts = {name: toolstack.views.proc("busy", name) for name in names}

    assert texts == toolstack.views.proc_texts("busy")


def test_a_file_of_proc_that_is_listed_can_be_read(toolstack):
    texts = toolstack.views.proc_texts("busy")

    assert texts["version"].startswith("Linux version ")
