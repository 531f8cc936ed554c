"""What the model tells of a domain as a whole: its state, its kernel, and where that is known from."""

import pytest

from hypervisor.telemetry import DATA_KINDS
from tests.support.model.hosts import SECOND, cpu, domain, make_host, seen

STATES = ("running", "runnable", "blocked", "paused", "shutdown", "crashed", "dying")


def states(host, name):
    one = seen(host, name)
    return {state for state in STATES if getattr(one, state)}


def test_of_two_hogs_on_one_pcpu_one_runs_and_one_is_runnable():
    host = make_host(domain("a", cpu(), cpus="1"), domain("b", cpu(), cpus="1"))
    host.advance(SECOND)
    assert [{"runnable"}, {"running"}] == sorted((states(host, "a"), states(host, "b")), key=sorted)


def test_a_domain_that_sleeps_is_blocked():
    host = make_host(domain("a", {"kind": "idle"}))
    host.advance(SECOND)
    assert {"blocked"} == states(host, "a")


@pytest.mark.parametrize("rules", ["3.0.3", "3.1"])
def test_a_domain_that_its_cap_keeps_from_running_is_runnable(rules):
    host = make_host(domain("a", cpu(), cap=10), hypervisor=rules)
    found = set()
    for step in range(1, 60):
        host.advance(step * SECOND // 59)
        found |= {tuple(states(host, "a"))}
    assert {("running",), ("runnable",)} == found


def test_a_paused_domain_is_not_runnable():
    host = make_host(domain("a", cpu()))
    host.advance(SECOND)
    host.toolstack.domains.pause("a")
    assert {"paused"} == states(host, "a")


def test_domain_0_is_running_for_those_who_ask():
    assert {"running"} == states(make_host(), "Domain-0")


def test_the_kernel_is_linux_for_the_machine_of_the_guest():
    host = make_host(domain("a"), domain("b", arch="i386"), support_limits=False)
    assert [("linux", "x86_64"), ("linux", "x86_64"), ("linux", "i386")] == [
        (one.os, one.arch) for one in host.telemetry.snapshot().domains
    ]


def test_the_model_knows_everything_itself():
    assert dict.fromkeys(DATA_KINDS, "model") == make_host().telemetry.snapshot().sources
