"""`hypervisor = "none"`: one operating system has all processors, and nothing is between.

Source of the times: Barham et al., SOSP 2003, tables 3 to 5, native Linux with one processor, and
figure 3: a kernel takes 263 s.
"""

import pytest

from exporters.scrape.renderer import Renderer
from hypervisor.errors import MissingCapability, ScenarioError
from hypervisor.host import asked_toolstack_of, profiler_of, toolstack_of, tracer_of
from hypervisor.model.native import KINDS, LACKS, offered
from hypervisor.model.workloads.build import OBJECTS
from tests.support.model.hosts import (
    MS,
    SECOND,
    burst,
    cpu,
    domain,
    interrupts,
    make_host,
    result,
    seen,
)
from tests.support.snapshots import stats

ONE = {"mhz": 2400, "arch": "i386", "cores_per_socket": 1}
TIMES = {
    "null_call": 0.45e-6,
    "page_fault": 1.42e-6,
    "fork": 110e-6,
    "exec": 530e-6,
    "sh": 4000e-6,
    "context_switch": 0.77e-6,
    "null_io": 0.50e-6,
    "stat": 1.28e-6,
    "open_close": 1.92e-6,
    "select": 5.70e-6,
    "signal_install": 0.68e-6,
    "signal_handle": 2.49e-6,
    "protection_fault": 1.06e-6,
    "create": 32.1e-6,
    "delete": 6.08e-6,
    "create_10k": 66.0e-6,
    "delete_10k": 12.5e-6,
}
KNOWN = {
    "xen_disk_busy_seconds_total",
    "xen_disk_in_flight_requests",
    "xen_disk_read_bytes_total",
    "xen_disk_read_operations_total",
    "xen_disk_wait_seconds_total",
    "xen_disk_write_bytes_total",
    "xen_disk_write_operations_total",
    "xen_domain_cpu_mode_seconds_total",
    "xen_domain_cpu_seconds_total",
    "xen_domain_info",
    "xen_domain_memory_actual_bytes",
    "xen_domain_memory_demand_bytes",
    "xen_domain_oom_kills_total",
    "xen_domain_start_time_seconds",
    "xen_domain_swap_in_pages_total",
    "xen_domain_swap_out_pages_total",
    "xen_domain_swap_used_bytes",
    "xen_domain_vcpus",
    "xen_domain_vcpus_online",
    "xen_guest_context_switches_total",
    "xen_guest_interrupts_total",
    "xen_guest_load1",
    "xen_guest_load15",
    "xen_guest_load5",
    "xen_host_cpu_frequency_hertz",
    "xen_host_info",
    "xen_host_memory_bytes",
    "xen_host_time_seconds",
    "xen_host_up",
    "xen_host_uptime_seconds_total",
    "xen_nic_info",
    "xen_nic_receive_bytes_total",
    "xen_nic_receive_dropped_total",
    "xen_nic_receive_errors_total",
    "xen_nic_receive_packets_total",
    "xen_nic_speed_bytes",
    "xen_nic_transmit_bytes_total",
    "xen_nic_transmit_dropped_total",
    "xen_nic_transmit_errors_total",
    "xen_nic_transmit_packets_total",
    "xen_pcpu_info",
    "xen_pcpu_seconds_total",
    "xen_source_info",
    "xen_vcpu_online",
    "xen_vcpu_pcpu",
    "xen_vcpu_state_seconds_total",
}


def native(*workloads, domain0=None, **host):
    return make_host(
        domain0={"workload": list(workloads), "vcpus": 1} | dict(domain0 or {}),
        **({"hypervisor": "none"} | host),
    )


@pytest.mark.parametrize("test", TIMES)
def test_an_operation_takes_what_it_takes_native_linux(test):
    host = native({"kind": "lmbench", "test": test}, **ONE)
    host.advance(SECOND)
    took = result(host, "Domain-0")["operation_seconds"]
    assert took == pytest.approx(TIMES[test], rel=0.03)


def test_a_kernel_is_built_in_the_time_that_was_measured():
    host = native({"kind": "build"}, **ONE)
    host.advance(10 * SECOND)
    assert OBJECTS * 10 / result(host, "Domain-0")["objects"] == pytest.approx(263, rel=0.03)


@pytest.mark.parametrize(
    "work",
    [
        cpu(),
        cpu(program="httpd"),
        burst(1, 3),
        {"kind": "netperf"},
        {"kind": "netperf", "direction": "transmit"},
        {"kind": "fileio", "op": "write", "pattern": "sequential"},
        {"kind": "fileio", "queue_depth": 8},
    ],
    ids=lambda work: "-".join(map(str, work.values())),
)
def test_no_time_is_spent_in_a_hypervisor(work):
    host = native(work, domain0={"vcpus": 2})
    host.advance(SECOND)
    spent = seen(host, "Domain-0")
    assert 0 == spent.hypervisor_ns
    assert spent.cpu_ns


def test_it_has_all_memory_and_all_processors():
    host = make_host(domain0={"vcpus": 2, "memory_mib": 2048}, hypervisor="none")
    assert 2048 * 1024 == seen(host, "Domain-0").memory_kib


def test_its_processors_are_the_hosts_one_by_one():
    host = native(cpu(threads=2), domain0={"vcpus": 2})
    host.advance(100 * MS)
    assert [0, 1] == [vcpu.pcpu for vcpu in seen(host, "Domain-0").vcpus]


def test_the_system_has_the_card_for_itself():
    host = native({"kind": "netperf"})
    host.advance(SECOND)
    assert result(host, "Domain-0")["bits_per_second"] == pytest.approx(940e6, rel=0.01)


def test_its_card_is_told_of_and_shown_by_its_kernel():
    host = native({"kind": "netperf"})
    host.advance(100 * MS)
    (nic,) = offered(host).telemetry.snapshot().nics
    rows = host.toolstack.views.proc("Domain-0", "net/dev").splitlines()[2:]
    shown = {name.strip(): int(row.split()[0]) for name, _, row in (r.partition(":") for r in rows)}
    assert {"lo": 0, nic.name: nic.receive_bytes} == shown
    assert shown[nic.name] > 100_000


def test_its_kernel_counts_the_interrupts_of_its_card():
    counted = []
    for work in ([], [{"kind": "netperf", "rate_bits_per_second": 100_000_000}]):
        host = native(*work)
        host.advance(100 * MS)
        counted.append(interrupts(host, "Domain-0"))
    assert counted[1] - counted[0] > 400


def test_a_web_server_does_more_than_under_xen_by_the_hypervisors_share():
    native_host = native(cpu(program="httpd"))
    native_host.advance(SECOND)
    under_xen = make_host(domain0={"workload": [cpu(program="httpd")]})
    under_xen.advance(SECOND)
    more = result(native_host, "Domain-0")["units"] / result(under_xen, "Domain-0")["units"]
    spent = seen(under_xen, "Domain-0")
    assert spent.hypervisor_ns is not None and spent.cpu_ns is not None
    assert more == pytest.approx(1 / (1 - spent.hypervisor_ns / spent.cpu_ns), rel=0.03)


@pytest.mark.parametrize("ask", [toolstack_of, asked_toolstack_of, profiler_of, tracer_of])
def test_what_needs_xen_is_refused_with_one_line(ask):
    with pytest.raises(MissingCapability) as caught:
        ask(offered(native()))
    assert LACKS == str(caught.value)


def test_its_metrics_are_those_of_linux_and_the_hardware():
    host = offered(native({"kind": "netperf"}, domain0={"vcpus": 2}))
    host.advance(100 * MS)
    text = Renderer().render(host.telemetry.snapshot(), stats(), openmetrics=False).decode()
    lines = [line for line in text.splitlines() if line.startswith("xen_")]
    assert KNOWN == {line.partition("{")[0] for line in lines}


def test_what_xen_alone_has_is_unknown():
    snapshot = offered(native()).telemetry.snapshot()
    assert KINDS == tuple(snapshot.sources)
    (system,) = snapshot.domains
    of_xen = (snapshot.trace, system.weight, system.waits, system.vcpus[0].runnable_ns)
    assert (None,) * 4 == of_xen


def test_programs_see_its_time_go_on():
    host = offered(native())
    host.advance(3 * MS)
    assert (3 * MS, True) == (host.now_ns, host.advance_until(lambda: True, MS))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"domains": [domain("a")]}, "there are no guests; leave out"),
        ({"host": {"scheduler": "sedf"}}, "leave out scheduler"),
        ({"host": {"bridges": ["inner"]}}, "leave out host.bridges"),
        ({"domain0": {"weight": 512}}, "domain0.weight needs Xen; .* use vcpus, memory_mib, os"),
        ({"domain0": {"cpus": "0"}}, "domain0.cpus needs Xen"),
        ({"domain0": {"vcpus": 3}}, "domain0.vcpus is 2 at most"),
    ],
    ids=lambda one: str(one)[:20],
)
def test_what_needs_xen_is_refused_in_scenarios(given, message):
    with pytest.raises(ScenarioError, match=message):
        make_host(
            *given.get("domains", ()),
            domain0=given.get("domain0", {}),
            **({"hypervisor": "none"} | given.get("host", {})),
        )
