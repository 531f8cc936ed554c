"""`make down`, another scenario, `make observe`: of the host before there is history alone."""

import shutil
from pathlib import Path

import pytest

from tests.support.e2e.host import Host
from tests.support.e2e.observed import Observed
from tests.support.e2e.peers import peer, until
from tests.support.e2e.prometheus_server import Prometheus

pytestmark = [pytest.mark.peer, pytest.mark.slow]

HOSTS = "count by (host) (xen_host_info)"
CPU = "count by (host) (xen:domain_cpu:rate5m)"


def hosts(prometheus: Prometheus, promql: str) -> set[str]:
    """Return the hosts in the result of a query."""
    return {row["metric"]["host"] for row in prometheus.query(promql)}


def test_a_host_that_has_gone_is_not_taken_for_present(tmp_path: Path):
    peer(shutil.which("prometheus"), "Prometheus (Debian package prometheus)")
    peer(shutil.which("prometheus-alertmanager"), "Alertmanager (Debian package)")
    host = Host(tmp_path / "home", "--scenario", "noisy")
    observed = Observed.on_free_ports(host, WINDOW="5s")
    prometheus = Prometheus(observed.prometheus_port)
    try:
        assert observed.run("up").returncode == 0
        assert until(lambda: hosts(prometheus, CPU) == {"noisy"})
        observed.run("down")
        host.close()
        host = Host(tmp_path / "home", "--scenario", "grumble")
        observed.host = host
        started = observed.run("up")
        assert started.returncode == 0, started.stderr
        assert until(lambda: hosts(prometheus, HOSTS) == {"grumble"})
        assert until(lambda: hosts(prometheus, CPU) == {"grumble"})
        assert hosts(prometheus, 'ALERTS{host="noisy"}') == set()
        assert hosts(prometheus, "last_over_time(xen_host_info[10m])") == {"noisy", "grumble"}
    finally:
        observed.run("down")
        host.close()
