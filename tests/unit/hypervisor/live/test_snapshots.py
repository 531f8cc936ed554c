from typing import Any

import pytest

from hypervisor.live.agent.oneline import one_line
from hypervisor.live.agent.report.fields import (
    FORMAT,
    DomainReport,
    HostReport,
    VbdReport,
    VcpuReport,
)
from hypervisor.live.snapshots import snapshot_of
from hypervisor.telemetry import DomainSnapshot, HostSnapshot
from tests.support.live.reports import BOOT_UNIX_NS, SECOND, guest, report


def only(domain: DomainReport, **fields: Any) -> DomainSnapshot:
    (made,) = snapshot_of(report(domains=(domain,), **fields), "h").domains
    return made


def test_the_host_has_the_name_that_the_service_gives_it():
    assert "rack1" == snapshot_of(report(host="evil"), "rack1").host


def test_what_a_report_does_not_know_is_unknown():
    domains = (DomainReport(1, "u", vcpus=(VcpuReport(0),)),)
    known = HostReport(FORMAT, 1, "boot", 2 * SECOND, BOOT_UNIX_NS, 1, 1, 1, "a", domains=domains)
    made = snapshot_of(known, "h")
    bare = HostSnapshot(
        made.generation, made.time_ns, made.unix_ns, "h", domains=made.domains, boot="boot"
    )
    (vcpu,) = made.domains[0].vcpus

    assert bare == made
    assert (vcpu.online, vcpu.runstate, vcpu.running_ns, vcpu.runnable_ns, vcpu.capped_ns) == (
        (None,) * 5
    )  # fmt: skip


def test_a_domain_without_a_name_is_called_as_xend_called_it():
    names = {only(guest(7, name, SECOND)).name for name in (None, "")}

    assert {"Domain-7"} == names


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("web", "web"),
        ("a b", "a b"),
        ("naïve", "naïve"),
        ("a\nb", r"a\nb"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\u202eb", r"a\u202eb"),
        ("a\x9bb", r"a\x9bb"),
        ("a\u2028b", r"a\u2028b"),
    ],
)
def test_a_name_cannot_break_a_line_or_command_a_terminal(given, shown):
    assert (shown, shown) == (one_line(given), only(guest(1, given, SECOND)).name)


@pytest.mark.parametrize(
    ("flags", "state"),
    [
        ({"blocked": True}, (False, False, True)),
        ({"blocked": False}, (False, True, False)),
        ({"blocked": False, "running": True}, (True, False, False)),
        ({"blocked": True, "running": True}, (True, False, False)),
        ({"blocked": False, "paused": True}, (False, False, False)),
        ({"blocked": False, "shutdown": True}, (False, False, False)),
        ({"blocked": False, "dying": True}, (False, False, False)),
    ],
)
def test_the_state_of_a_domain_follows_from_the_flags_of_xen(flags, state):
    made = only(guest(1, "web", SECOND, **flags))

    assert state == (made.running, made.runnable, made.blocked)


@pytest.mark.parametrize(
    ("shutdown", "reason", "crashed"),
    [(False, None, False), (True, 3, True), (True, 0, False), (True, None, None)],
)
def test_a_domain_has_crashed_if_it_shut_down_for_that_reason(shutdown, reason, crashed):
    made = only(guest(1, "web", SECOND, shutdown=shutdown, shutdown_reason=reason))

    assert (crashed, reason) == (made.crashed, made.shutdown_reason)


@pytest.mark.parametrize(
    ("vcpu", "paused", "runstate"),
    [
        (VcpuReport(0, online=False, blocked=True, running=False, pcpu=1), False, "offline"),
        (VcpuReport(0, online=True, blocked=False, running=True, pcpu=1), False, "running"),
        (VcpuReport(0, online=True, blocked=True, running=False, pcpu=1), False, "blocked"),
        (VcpuReport(0, online=True, blocked=False, running=False, pcpu=1), False, "runnable"),
        (VcpuReport(0, online=True, blocked=False, running=False, pcpu=1), True, "offline"),
        (VcpuReport(0, online=True, pcpu=1), False, None),
    ],
)
def test_the_state_of_a_vcpu_is_the_one_that_xen_has_for_it(vcpu, paused, runstate):
    (made,) = only(guest(1, "web", SECOND, paused=paused)._replace(vcpus=(vcpu,))).vcpus

    assert (runstate, None if runstate == "offline" and not paused else 1) == (
        made.runstate,
        made.pcpu,
    )


def test_a_domain_is_created_in_host_time():
    assert 2 * SECOND == only(guest(1, "web", 10 * SECOND)).created_ns


@pytest.mark.parametrize(("unix_ns", "created_ns"), [(0, 0), (BOOT_UNIX_NS * 2, 10 * SECOND)])
def test_a_clock_that_was_set_does_not_put_a_creation_out_of_the_life_of_the_host(
    unix_ns, created_ns
):
    assert created_ns == only(guest(1, "web", SECOND, created_unix_ns=unix_ns)).created_ns


def test_a_disk_whose_name_another_has_is_told_by_its_number():
    vbds = (VbdReport(51712, "xvda"), VbdReport(51728, "xvda"), VbdReport(5, "51712"))
    made = only(guest(1, "web", SECOND)._replace(vbds=vbds))

    assert [(5, None), (51712, None), (51728, None)] == [
        (one.device, one.name) for one in made.vbds
    ]


def test_a_disk_with_an_empty_name_has_none():
    (vbd,) = only(guest(1, "web", SECOND)._replace(vbds=(VbdReport(6, ""),))).vbds

    assert vbd.name is None


def test_domains_and_what_they_have_come_in_the_order_of_their_numbers():
    first = guest(1, "a", SECOND)
    made = snapshot_of(report(domains=(guest(9, "b", SECOND), first)), "h")

    assert [1, 9] == [one.domid for one in made.domains]


def test_kinds_and_sources_that_this_version_does_not_know_are_left_out():
    sources = {"memory": "hypercall", "colour": "hypercall", "vif": "rumour"}

    assert {"memory": "hypercall"} == snapshot_of(report(sources=sources), "h").sources
