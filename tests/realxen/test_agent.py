"""The agent in domain 0 of a real Xen."""

import json
import re
from collections.abc import Iterator

import pytest

from hypervisor.live.packing import packed
from tests.support.realxen.machine import Machine

FILE = "/root/xenprof-agent.pyz"
SOCKET = "/run/xenprof-agent.sock"
LOG = "/root/xenprof-agent.log"
ADDRESS = "127.0.0.1:10032"
NAMED = "[x]enprof-agent.pyz"
"""A pattern that fits the agent, and not the shell that looks for it."""
START = f"""\
setsid python3 -I {FILE} --web.listen-address {ADDRESS} --web.unix-socket {SOCKET} --sample-hz 20 \
  >{LOG} 2>&1 </dev/null &
for _ in $(seq 600); do grep -q 'serving on {SOCKET}' {LOG} && break; sleep 0.2; done
grep -q 'serving on {SOCKET}' {LOG} && pgrep -f '{NAMED}'
"""
SLOW_SECONDS = 300  # under emulation, on a machine that does other things too


@pytest.fixture(scope="module")
def dom0(xen: Machine) -> Machine:
    xen.put(packed("1.0"), FILE)
    return xen


@pytest.fixture
def agent(dom0: Machine) -> Iterator[str]:
    """Start an agent and yield its process."""
    dom0.run(f": >{LOG}")
    pid = dom0.run(START, SLOW_SECONDS).split()[-1]
    yield pid
    dom0.run(f"pkill -f '{NAMED}'; true")


@pytest.fixture
def guest(dom0: Machine) -> Iterator[str]:
    dom0.create("guest", wishes="spin=1", has_disk=True)
    yield "guest"
    dom0.run("xl destroy guest 2>/dev/null; true")


def metrics(dom0: Machine) -> str:
    return dom0.run(f"sleep 1.1; curl -sS --max-time 60 http://{ADDRESS}/metrics", SLOW_SECONDS)


def value(page: str, series: str) -> float:
    """Return the value of the series whose name and labels fit a pattern."""
    (found,) = re.findall(rf"^{series} (\S+)$", page, re.MULTILINE)
    return float(found)


def test_a_check_finds_all_that_serving_needs(dom0):
    told = dom0.run(f"python3 -I {FILE} --check", SLOW_SECONDS)

    assert "FATAL" not in told
    assert re.search(r"^ok +hypervisor: answers by domctl 0x15, sysctl 0x15$", told, re.MULTILINE)


def test_one_report_tells_of_domain_0_as_xl_does(dom0):
    report = json.loads(dom0.run(f"python3 -I {FILE} --once", SLOW_SECONDS))
    names = {one["name"]: one["domid"] for one in report["domains"]}

    assert 0 == names["Domain-0"]
    assert (4, 17) == (report["xen_major"], report["xen_minor"])


def test_a_guest_is_seen_with_its_disk_and_its_time_grows(dom0, agent, guest):
    first, second = metrics(dom0), metrics(dom0)
    running = 'xen_domain_cpu_seconds_total{domain="guest",host="[^"]*"}'

    assert 0 < value(first, running) < value(second, running)
    assert 1 == value(second, 'xen_vbd_info{backend="[^"]*",.*domain="guest",.*vbd="xvda"}')


def test_without_capabilities_it_goes_on_reading(dom0, agent):
    status = dom0.run(f"cat /proc/{agent}/status")
    page = metrics(dom0)

    assert {"0" * 16} == set(re.findall(r"^Cap\w+:\t(\w+)$", status, re.MULTILINE))
    assert (1, 0) == (
        value(page, "xenprof_up{.*}"),
        value(page, "xenprof_agent_problems{.*}"),
    )


def test_it_stays_below_30_mib(dom0, agent):
    assert value(metrics(dom0), "xenprof_agent_resident_memory_bytes{.*}") < 30 << 20


def test_a_guest_that_is_destroyed_while_it_is_sampled_ends_and_nothing_else(dom0, agent, guest):
    before = metrics(dom0)
    dom0.run("xl destroy guest")
    after = metrics(dom0)

    assert 'domain="guest"' in before
    assert 'domain="guest"' not in after
    assert (1, 0) == (
        value(after, "xenprof_up{.*}"),
        value(after, "xenprof_agent_failed_polls_total{.*}"),
    )


def test_after_a_kill_another_one_serves_at_the_same_socket(dom0, agent):
    dom0.run(f"kill -9 {agent}; : >{LOG}")
    dom0.run(START, SLOW_SECONDS)
    ready = f"curl -sS --max-time 60 --unix-socket {SOCKET} http://localhost/-/ready"

    assert "ready\n" == dom0.run(ready, SLOW_SECONDS)
