"""The agent in domain 0 of a real Xen."""

import json
import re
from collections.abc import Iterator

import pytest
from requests import ConnectionError, post

from tests.support.measured import measured
from tests.support.realxen.machine import Machine
from tests.support.realxen.outside import FILE, OutsideAgent

SLOW_SECONDS = 300  # under emulation, on a machine that does other things too


@pytest.fixture
def guest(xen: Machine) -> Iterator[str]:
    xen.create("guest", wishes="spin=1", has_disk=True)
    yield "guest"
    xen.run("xl destroy guest 2>/dev/null; true")


def value(page: str, series: str) -> float:
    """Return the value of the series whose name and labels fit a pattern."""
    (found,) = re.findall(rf"^{series} (\S+)$", page, re.MULTILINE)
    return float(found)


def test_a_check_finds_all_that_serving_needs(xen, agent: OutsideAgent):
    told = xen.run(f"python3 -I {FILE} --check", SLOW_SECONDS)

    assert "FATAL" not in told
    assert re.search(r"^ok +hypervisor: answers by domctl 0x15, sysctl 0x15$", told, re.MULTILINE)


def test_one_report_tells_of_domain_0_as_xl_does(xen, agent: OutsideAgent):
    report = json.loads(xen.run(f"python3 -I {FILE} --once", SLOW_SECONDS))
    names = {one["name"]: one["domid"] for one in report["domains"]}

    assert 0 == names["Domain-0"]
    assert (4, 17) == (report["xen_major"], report["xen_minor"])


def test_nobody_reads_it_without_a_password(agent: OutsideAgent):
    with pytest.raises(ConnectionError):
        post(agent.url.replace("https", "http"), timeout=SLOW_SECONDS)
    refused = post(agent.url, verify=str(agent.certificate), timeout=SLOW_SECONDS)

    assert 401 == refused.status_code


def test_a_guest_is_seen_with_its_disk_and_its_time_grows(agent: OutsideAgent, guest):
    first = agent.domain(guest)
    second = agent.domain(guest)

    assert first is not None
    assert second is not None
    assert 0 < measured(first.cpu_ns) < measured(second.cpu_ns)
    assert ["xvda"] == [vbd.name for vbd in measured(second.vbds)]


def test_without_capabilities_it_goes_on_reading(xen, agent: OutsideAgent):
    status = xen.run(f"cat /proc/{agent.pid}/status")
    page = agent.page()

    assert {"0" * 16} == set(re.findall(r"^Cap\w+:\t(\w+)$", status, re.MULTILINE))
    assert (1, 0) == (
        value(page, "xenprof_up{.*}"),
        value(page, "xenprof_agent_problems{.*}"),
    )


def test_it_stays_below_30_mib(agent: OutsideAgent):
    assert value(agent.page(), "xenprof_agent_resident_memory_bytes{.*}") < 30 << 20


def test_a_guest_that_is_destroyed_while_it_is_sampled_ends_and_nothing_else(
    xen, agent: OutsideAgent, guest
):
    before = agent.domain(guest)
    xen.run("xl destroy guest")

    assert before is not None
    assert agent.domain(guest) is None
    assert 0 == value(agent.page(), "xenprof_agent_failed_polls_total{.*}")


def test_after_a_kill_another_one_serves_at_the_same_socket(xen, agent: OutsideAgent):
    before = agent.pid
    agent.end("KILL")
    agent.start()

    assert before != agent.pid
    assert "serving on /run/xenprof-agent.sock" in agent.log
    assert 0 == agent.new_report().domains[0].domid
