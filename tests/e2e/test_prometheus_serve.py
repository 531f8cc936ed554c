"""A real Prometheus scrapes a real service: PromQL shows what the scheduler was set to."""

from collections.abc import Iterator

import pytest

from tests.support.e2e.host import Host
from tests.support.e2e.peers import until
from tests.support.e2e.prometheus_server import Prometheus, running_prometheus

pytestmark = pytest.mark.peer

# One pcpu, two guests that want all of it, weights 1 : 2, and one with a cap of 20 %.
SCENARIO = """
[host]
name = "shares"
cpu = "p4"
sockets = 1
threads_per_core = 1
memory_mib = 1024
hypervisor = "3.1"

[domain0]
vcpus = 1
memory_mib = 256

[[domain]]
name = "light"
weight = 256
workload = [{kind = "cpu"}]

[[domain]]
name = "heavy"
weight = 512
workload = [{kind = "cpu"}]

[[domain]]
name = "capped"
weight = 512
cap = 20
workload = [{kind = "cpu"}]
"""
# Accounting is by sampling at ticks; over about 40 virtual seconds shares are this exact.
TOLERANCE = 0.03
# Both sides of a division come from one scrape, and so from one snapshot: no rate() over a wall
# clock that a busy machine stretches.
MODEL_SECONDS = "scalar(xenprof_model_time_seconds_total)"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    directory = tmp_path_factory.mktemp("serve")
    scenario = directory / "shares.toml"
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
        service.wait(60)  # virtual seconds
        # Wait until a scrape has seen them and rates have their window.
        until(lambda: running.query("xenprof_model_time_seconds_total > 60"))
        yield running


def share(prometheus: Prometheus, domain: str) -> float:
    return prometheus.value(f'xen_domain_cpu_seconds_total{{domain="{domain}"}} / {MODEL_SECONDS}')


@pytest.mark.parametrize(
    ("domain", "expected"), [("capped", 0.20), ("light", 0.8 / 3), ("heavy", 1.6 / 3)]
)
def test_shares_are_those_of_weights_and_caps(
    prometheus: Prometheus, domain: str, expected: float
) -> None:
    assert share(prometheus, domain) == pytest.approx(expected, abs=TOLERANCE)


def test_the_pcpu_is_never_idle(prometheus: Prometheus) -> None:
    idle = prometheus.value(f'sum(xen_pcpu_seconds_total{{mode="idle"}}) / {MODEL_SECONDS}')

    assert idle < 0.01


def test_waiting_is_what_running_leaves(prometheus: Prometheus) -> None:
    both = prometheus.value(
        'sum(xen_vcpu_state_seconds_total{domain="light",state=~"running|runnable"})'
        f" / {MODEL_SECONDS}"
    )

    assert both == pytest.approx(1, abs=0.01)


def test_rates_per_virtual_second_tell_the_same(prometheus: Prometheus) -> None:
    heavy = prometheus.value('rate(xen_domain_cpu_seconds_total{domain="heavy"}[5s])')
    light = prometheus.value('rate(xen_domain_cpu_seconds_total{domain="light"}[5s])')

    assert heavy / light == pytest.approx(2, rel=0.2)
