"""A real Xen seen from another machine: by Prometheus, and by the service and its programs.

How well captured shares agree is printed by `pytest -s`.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hypervisor.telemetry import HostSnapshot
from tests.support.e2e.host import Host
from tests.support.e2e.prometheus_server import running_prometheus
from tests.support.e2e.served import PASSWORD
from tests.support.realxen.outside import USER, OutsideAgent
from xenprof.wire.paths import SNAPSHOT

MOST_POINTS = 5
GUESTS = ("web", "db", "batch", "idle1")


@pytest.fixture(scope="module")
def host(busy, agent: OutsideAgent, tmp_path_factory) -> Iterator[Host]:
    """Yield a service that watches the real host as `real`."""
    host = Host(
        tmp_path_factory.mktemp("home"),
        f"--host real=agent:{agent.url}",
        f"--host.password-file {agent.password_file}",
        f"--host.ca-file {agent.certificate}",
        "--host.period 5s",  # it is slow to answer, as it is emulated
    )
    assert agent.until(lambda: host.client.get(SNAPSHOT, HostSnapshot).is_up)
    yield host
    host.close()


@pytest.mark.peer
def test_a_real_prometheus_scrapes_it(busy, agent: OutsideAgent, tmp_path: Path):
    more = f"""\
  scheme: https
  basic_auth: {{username: {USER}, password: {PASSWORD}}}
  tls_config: {{ca_file: {agent.certificate}}}
  scrape_interval: 10s
  scrape_timeout: 10s
"""
    with running_prometheus(tmp_path, agent.url.split("//")[1], more=more) as prometheus:
        assert agent.until(lambda: prometheus.query("xen_vcpu_capped_seconds_total"))
        assert 1 == prometheus.value('up{job="xenprof"}')
        assert 5 == prometheus.value("count(xen_domain_info)")


def test_the_service_tells_where_its_data_come_from(host: Host, agent: OutsideAgent):
    wanted = {"vcpu_time": "hypercall", "runstates": "sampled", "vif": "sysfs"}

    assert agent.until(
        lambda: wanted.items() <= host.client.get(SNAPSHOT, HostSnapshot).sources.items()
    )


def test_xm_lists_the_domains(host: Host):
    told = host.run("xm list")

    assert 0 == told.returncode, told.stderr
    assert {"Domain-0", *GUESTS} == {line.split()[0] for line in told.stdout.splitlines()[1:]}


def test_xentop_prints_them_as_that_of_domain_0_does(host: Host, busy):
    ours = host.run("xentop -b -i 1").stdout.splitlines()
    theirs = busy.run("xentop -b -i 1").splitlines()

    assert theirs[0] == ours[0]
    assert [line.split()[0] for line in theirs] == [line.split()[0] for line in ours]


@pytest.mark.parametrize("command", ["xm pause web", "xm destroy web", "xm mem-set web 100"])
def test_what_would_change_a_domain_is_refused(host: Host, command):
    refused = host.run(command)

    assert 0 != refused.returncode
    assert refused.stderr.endswith(f"; in its domain 0: {command.replace('xm', 'xl', 1)}\n")


def test_a_captured_scenario_has_the_shares_of_the_host(host: Host):
    captured = host.run("xenprof capture-scenario --for 30s --json")
    assert 0 == captured.returncode, captured.stderr
    rows = {one["host_name"]: one for one in json.loads(captured.stdout)["domains"]}
    sys.stdout.write(json.dumps(list(rows.values())))

    assert {"Domain-0", *GUESTS} == set(rows)
    assert all(abs(row["error_points"]) <= MOST_POINTS for row in rows.values()), rows
