"""The running time of domains and processors by mode: user, kernel, hypervisor."""

import pytest

from exporters.catalogue import CATALOGUE
from hypervisor.model.machine import build
from hypervisor.model.scenario.spec import load_scenario
from hypervisor.telemetry import HostSnapshot
from tests.support.model.hosts import SECOND, burst, cpu, domain, fileio, make_host, netperf
from tests.support.snapshots import stats

MODES = ("user", "kernel", "hypervisor")
ROUNDING_SECONDS = 1e-6


@pytest.fixture(scope="module", params=["grumble", "squeezed"])
def host(request: pytest.FixtureRequest) -> HostSnapshot:
    """Return a host after three seconds; the second one swaps, and has more vcpus than pcpus."""
    if request.param == "grumble":
        machine = build(load_scenario("grumble"), epoch_ns=0)
    else:
        machine = make_host(
            domain("web", burst(5, 3), netperf("receive"), vcpus=3),
            domain("db", fileio(memory_mib=100), memory_mib=96),
            domain("batch", cpu(threads=2), vcpus=2, cap=30),
        )
    machine.advance(3 * SECOND)
    return machine.telemetry.snapshot()


def seconds(host: HostSnapshot, name: str) -> dict[str, float]:
    """Return the sum of a metric over all labels but the last, which is the mode."""
    (metric,) = (row for row in CATALOGUE if row.name == name)
    sums = dict.fromkeys(MODES, 0.0)
    for labels, value in metric.points(host, stats()):
        if labels[-1] in sums:
            assert isinstance(value, int | float)
            sums[labels[-1]] += value
    return sums


def test_modes_of_domains_sum_to_modes_of_pcpus(host: HostSnapshot):
    expected = seconds(host, "xen_pcpu_seconds_total")
    assert seconds(host, "xen_domain_cpu_mode_seconds_total") == pytest.approx(
        expected, abs=ROUNDING_SECONDS
    )


def test_modes_of_a_domain_sum_to_its_running_time(host: HostSnapshot):
    expected = [one.cpu_ns for one in host.domains]
    assert expected == [sum(getattr(one, f"{mode}_ns") for mode in MODES) for one in host.domains]


def test_a_working_domain_has_user_and_kernel_time(host: HostSnapshot):
    assert [one.name for one in host.domains if not (one.user_ns and one.kernel_ns)] == []


def test_pcpus_keep_the_time_of_a_domain_that_is_gone():
    machine = make_host(domain("web", cpu()))
    machine.advance(SECOND)
    expected = seconds(machine.telemetry.snapshot(), "xen_domain_cpu_mode_seconds_total")["user"]
    machine.toolstack.domains.destroy("web")
    assert seconds(machine.telemetry.snapshot(), "xen_pcpu_seconds_total")["user"] >= expected > 0.9
