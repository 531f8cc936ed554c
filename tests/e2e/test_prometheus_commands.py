"""Changes by xm to guests of a real service show in the dashboards' queries to Prometheus."""

from collections.abc import Iterator
from typing import Any

import pytest

from dashboards.queries import QUERIES
from tests.support.e2e.host import Host
from tests.support.e2e.peers import until
from tests.support.e2e.prometheus_server import Prometheus, running_prometheus

pytestmark = pytest.mark.peer

SCENARIO = """
[host]
name = "commands"
cpu = "p4"
sockets = 2
threads_per_core = 1
memory_mib = 2048
hypervisor = "3.1"

[domain0]
vcpus = 1
memory_mib = 256

[[domain]]
name = "web"
vcpus = 2
memory_mib = 256
disk = ["phy:/dev/web,xvda,w"]
workload = [{kind = "cpu", threads = 2, memory_mib = 120}]

[[domain]]
name = "gone"
memory_mib = 64
disk = ["phy:/dev/gone,xvda,w"]

[[domain]]
name = "weak"
memory_mib = 64
disk = ["phy:/dev/weak,xvda,w"]
"""
VARIABLES = {
    "host": ".*",
    "domain": ".*",
    "vcpu": ".*",
    "topn": "5",
    "__interval": "60s",
    "__rate_interval": "60s",
}
MIB = 1 << 20


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    directory = tmp_path_factory.mktemp("serve")
    scenario = directory / "commands.toml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    host = Host(directory / "home", f"--scenario {scenario}", "--speed 10")
    try:
        yield host
    finally:
        host.close()


@pytest.fixture(scope="module")
def prometheus(service: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    target = service.url.removeprefix("http://").rstrip("/")
    with running_prometheus(tmp_path_factory.mktemp("prometheus"), target) as running:
        running.value('xen_domain_info{domain="web"}')
        yield running


def seen(prometheus: Prometheus, name: str, expected: float, **labels: str) -> float | None:
    """Return the value of a dashboard's query, once it is as expected or time is up."""

    def value() -> float | None:
        rows: list[dict[str, Any]] = prometheus.query(QUERIES[name].filled(VARIABLES))
        found = [row for row in rows if labels.items() <= row["metric"].items()]
        return float(found[0]["value"][1]) if found else None

    until(lambda: value() == pytest.approx(expected))
    return value()


@pytest.mark.parametrize(
    ("command", "query", "labels", "expected"),
    [
        ("mem-set web 200", "memory_target", {"domain": "web"}, 200 * MIB),
        ("mem-set web 200", "memory_actual", {"domain": "web"}, 200 * MIB),
        ("mem-max web 300", "domain_memory_maximum", {"domain": "web"}, 300 * MIB),
        ("vcpu-pin web 0 1", "vcpu_table", {"domain": "web", "vcpu": "0", "cpus": "1"}, 1),
        ("vcpu-pin web 0 1", "vcpu_pcpu", {"domain": "web", "vcpu": "0"}, 1),
        ("sched-credit -d web -c 25", "cap", {"domain": "web"}, 0.25),
        ("sched-credit -d web -w 512", "domain_weight", {"domain": "web"}, 512),
        ("vcpu-set web 1", "vcpus_online", {"domain": "web"}, 1),
        ("pause web", "domain_state_now", {"domain": "web", "state": "paused"}, 1),
        ("destroy gone", "toolstack_events", {"event": "destroyed"}, 1),
        ("sysrq weak c", "crashes", {"event": "crashed"}, 1),
    ],
)
def test_a_command_shows(
    service: Host,
    prometheus: Prometheus,
    command: str,
    query: str,
    labels: dict[str, str],
    expected: float,
):
    done = service.run(f"xm {command}")
    assert (done.returncode, seen(prometheus, query, expected, **labels)) == (0, expected)


def test_a_guest_that_is_squeezed_swaps(service: Host, prometheus: Prometheus):
    service.run("xm unpause web; xm mem-set web 100")
    assert until(lambda: prometheus.query('xen_domain_swap_used_bytes{domain="web"} > 0'))


def test_modes_of_domains_are_those_of_the_pcpus(prometheus: Prometheus):
    pcpus = 'sum by (mode) (xen_pcpu_seconds_total{mode!="idle"})'
    domains = "sum by (mode) (xen_domain_cpu_mode_seconds_total)"
    prometheus.value(f"count({pcpus})")
    assert prometheus.query(f"abs({pcpus} - {domains}) > 0.001") == []
