"""A real Prometheus scrapes a real service: what PromQL says is what the scheduler was told."""

from collections.abc import Iterator

import pytest

from tests.e2e.host import Host
from tests.e2e.prometheus_server import Prometheus, running_prometheus

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
# Accounting is by sampling at ticks; over some 40 virtual seconds shares are this close.
TOLERANCE = 0.03
VIRTUAL = "rate(xen_domain_cpu_seconds_total[5s]) / on() group_left rate(xenprof_model_time_seconds_total[5s])"


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
        service.wait(60)  # virtual seconds: six of the wall's, over which rates are taken
        yield running


def share(prometheus: Prometheus, domain: str) -> float:
    return prometheus.value(
        f'sum by (domain) ({VIRTUAL}) and on(domain) xen_domain_info{{domain="{domain}"}}'
    )


@pytest.mark.parametrize(
    ("domain", "expected"), [("capped", 0.20), ("light", 0.8 / 3), ("heavy", 1.6 / 3)]
)
def test_shares_are_those_of_weights_and_caps(
    prometheus: Prometheus, domain: str, expected: float
) -> None:
    assert share(prometheus, domain) == pytest.approx(expected, abs=TOLERANCE)


def test_the_pcpu_is_never_idle(prometheus: Prometheus) -> None:
    idle = prometheus.value(
        'sum(rate(xen_pcpu_seconds_total{mode="idle"}[5s]))'
        " / scalar(rate(xenprof_model_time_seconds_total[5s]))"
    )

    assert idle < 0.01


def test_waiting_is_what_running_leaves(prometheus: Prometheus) -> None:
    waiting = prometheus.value(
        'sum(rate(xen_vcpu_state_seconds_total{domain="light",state="runnable"}[5s]))'
        " / scalar(rate(xenprof_model_time_seconds_total[5s]))"
    )

    assert waiting == pytest.approx(1 - share(prometheus, "light"), abs=TOLERANCE)
