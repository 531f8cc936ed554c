"""Makes small hosts for the tests of the model, and reads values from them."""

import json
from collections.abc import Mapping
from typing import Any

from hypervisor.model.domain.domain import Domain
from hypervisor.model.machine import Machine, build
from hypervisor.model.scenario.spec import parse_scenario
from hypervisor.model.timing.kernelticks import PARAVIRTUAL_HZ, KernelTicks
from hypervisor.model.timing.random_stream import RandomStream
from hypervisor.telemetry import (
    DomainSnapshot,
    PcpuSnapshot,
    VbdSnapshot,
    VcpuSnapshot,
    VifSnapshot,
)
from tests.support.measured import measured, measured_sum

MS = 1_000_000
SECOND = 1_000_000_000

HOST: Mapping[str, Any] = {
    "cpu": "p4",
    "mhz": 3200,
    "sockets": 1,
    "cores_per_socket": 2,
    "threads_per_core": 1,
    "memory_mib": 2048,
    "hypervisor": "3.0.3",
}


# Of TCP in guests of 128 and 512 MiB. Source: tcp_init (net/ipv4/tcp.c): buffers of a 256th of the
# memory, of which three quarters are the window; 1448 bytes a segment.
SEND_BUFFER_BYTES = 128 * 2**20 // 256
WINDOW_BYTES = SEND_BUFFER_BYTES * 3 // 4
LARGE_WINDOW_FRAMES = 4 * WINDOW_BYTES // 1448


def domain(name: str, *workloads: Mapping[str, Any], **settings: Any) -> dict[str, Any]:
    """Return a guest with one disk and one vif; `settings` are as in a scenario."""
    plain = {
        "name": name,
        "memory_mib": 128,
        "disk": [f"phy:/dev/{name},xvda,w"],
        "vif": ["bridge=xenbr0"],
    }
    return plain | settings | {"workload": list(workloads)}


def cpu(**given: Any) -> dict[str, Any]:
    return {"kind": "cpu", **given}


def burst(run_ms: float, sleep_ms: float, **given: Any) -> dict[str, Any]:
    """Return a burst that sleeps for exactly so long: no timer of its kernel wakes it."""
    return {
        "kind": "burst", "run_ms": run_ms, "sleep_ms": sleep_ms, "awaits": "event", **given
    }  # fmt: skip


def netperf(direction: str, **given: Any) -> dict[str, Any]:
    return {"kind": "netperf", "direction": direction, **given}


def fileio(**given: Any) -> dict[str, Any]:
    return {"kind": "fileio", **given}


def make_host(
    *domains: Mapping[str, Any], domain0: Mapping[str, Any] | None = None, **host: Any
) -> Machine:
    """Return a booted host; `host` changes HOST; by default `domain0` has one vcpu and 256 MiB."""
    lines = ["[host]", *_lines(dict(HOST) | host)]
    heads: list[tuple[str, Mapping[str, Any]]] = [
        ("[domain0]", {"vcpus": 1, "memory_mib": 256} | dict(domain0 or {}))
    ]
    for head, one in heads + [("[[domain]]", one) for one in domains]:
        lines += [head, *_lines({key: one[key] for key in one if key != "workload"})]
        for workload in one.get("workload", ()):
            lines += [f"[[{head.strip('[]')}.workload]]", *_lines(workload)]
    return build(parse_scenario("\n".join(lines), "test"), epoch_ns=0)


def _lines(table: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {json.dumps(value)}" for key, value in table.items()]


def seen(host: Machine, name: str) -> DomainSnapshot:
    """Return the present snapshot of the domain of this name."""
    return next(one for one in host.telemetry.snapshot().domains if one.name == name)


def times_ns(vcpu: VcpuSnapshot) -> tuple[int, ...]:
    """Return the times of a vcpu that sum to its life."""
    return tuple(
        value or 0
        for value in (
            vcpu.running_ns,
            vcpu.runnable_ns,
            vcpu.blocked_ns,
            vcpu.offline_ns,
            vcpu.capped_ns,
        )
    )


def stolen_ns(vcpu: VcpuSnapshot) -> int:
    """Return the time that a vcpu's kernel counts as stolen."""
    _, runnable_ns, _, offline_ns, capped_ns = times_ns(vcpu)
    return runnable_ns + offline_ns + capped_ns


def result(host: Machine, name: str, index: int = 0) -> Mapping[str, Any]:
    """Return the present report of a domain's workload."""
    return seen(host, name).workloads[index]


def vif(host: Machine, name: str) -> VifSnapshot:
    return seen(host, name).vifs[0]


def vbd(host: Machine, name: str) -> VbdSnapshot:
    return seen(host, name).vbds[0]


def cpu_ns(host: Machine, name: str) -> int:
    """Return the running time of a domain."""
    return measured(seen(host, name).cpu_ns)


def bare_domain(domid: int = 1, now_ns: int = 0) -> Domain:
    """Return a domain without vcpus and a host."""
    ticks = KernelTicks(PARAVIRTUAL_HZ, RandomStream(1, "ticks"))
    return Domain(domid, f"domain{domid}", "", "pv", 0, None, now_ns, ticks)


def interrupts(host: Machine, name: str) -> int:
    """Return how many interrupts a domain's kernel has counted."""
    return int(host.toolstack.views.proc(name, "stat").partition("intr ")[2].split()[0])


def behalf_ns(host: Machine) -> dict[str, int]:
    """Return the time of domain 0 by beneficiary."""
    spent = measured(seen(host, "Domain-0").on_behalf)
    return {
        name: times.user_ns + times.kernel_ns + times.hypervisor_ns for name, times in spent.items()
    }


def busy_ns(pcpu: PcpuSnapshot) -> int:
    return measured_sum(pcpu.user_ns, pcpu.kernel_ns, pcpu.hypervisor_ns)


def cpu_percent(host: Machine, name: str) -> float:
    """Return the domain's running time since boot in percent of one pcpu."""
    return 100 * cpu_ns(host, name) / host.now_ns
