"""Windows of hosts, for tests of what captures them."""

import tomllib
from dataclasses import replace

from hypervisor.model.machine import build
from hypervisor.model.scenario.spec import Scenario, load_scenario, parse_scenario
from hypervisor.telemetry import DomainSnapshot, HostSnapshot, PcpuSnapshot, VcpuSnapshot
from xenprof.capture.fitting import Captured, capture
from xenprof.capture.window import Window
from xenprof.cli.looking import trial

SECOND = 1_000_000_000
EPOCH_NS = 1_178_668_800 * SECOND
_WARM_UP_NS = 5 * SECOND


def modelled(name_or_text: str, seconds: int = 30) -> Window:
    """Return what the model of a scenario, built-in or given as text, does after a warm-up."""
    if "\n" in name_or_text:
        scenario = parse_scenario(name_or_text, "test")
    else:
        scenario = load_scenario(name_or_text)
    return _watched(scenario, _WARM_UP_NS, seconds * SECOND)


def glimpse(text: str) -> Window:
    """Run a scenario for a moment: enough to know that the model takes it."""
    return _watched(parse_scenario(text, "captured"), 0, SECOND // 20)


def _watched(scenario: Scenario, warm_up_ns: int, ns: int) -> Window:
    host = build(scenario, epoch_ns=EPOCH_NS)
    host.advance(warm_up_ns)
    first = host.telemetry.snapshot()
    host.advance(warm_up_ns + ns)
    return Window(first, host.telemetry.snapshot())


def captured(name_or_text: str) -> Captured:
    """Return what is captured of the model of a scenario."""
    return capture(modelled(name_or_text), trial)


def errors(fit: Captured) -> dict[str, float]:
    """Return the error of each domain in points."""
    return {row.name: 100 * row.error for row in fit.rows if row.error is not None}


def vcpu(
    number: int = 0,
    running: float = 0.0,
    waiting: float = 0.0,
    capped: float = 0.0,
    affinity: tuple[int, ...] = (0, 1),
    seconds: float = 10,
) -> VcpuSnapshot:
    """Return a vcpu that has spent so many of its seconds in each state, and slept otherwise."""
    return VcpuSnapshot(
        number,
        pcpu=affinity[0],
        online=True,
        running_ns=round(running * SECOND),
        runnable_ns=round(waiting * SECOND),
        blocked_ns=round((seconds - running - waiting - capped) * SECOND),
        offline_ns=0,
        capped_ns=round(capped * SECOND),
        affinity=affinity,
    )


def domain(domid: int, name: str, *vcpus: VcpuSnapshot, **fields: object) -> DomainSnapshot:
    """Return a domain whose processor time is that of its vcpus."""
    made = DomainSnapshot(
        domid,
        name,
        f"00000000-0000-0000-0000-{domid:012d}",
        kind="pv" if domid else "dom0",
        cpu_ns=sum(one.running_ns or 0 for one in vcpus),
        memory_kib=163_840 if domid else 1_048_576,
        weight=256,
        cap_percent=0,
        vcpus=vcpus,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def host(*domains: DomainSnapshot, seconds: float = 10, **fields: object) -> HostSnapshot:
    """Return a host like the one of `realxen`, so many seconds after its boot."""
    made = HostSnapshot(
        1,
        round(seconds * SECOND),
        EPOCH_NS + round(seconds * SECOND),
        "xen0",
        cpu_type="GenuineIntel family 6 model 6",
        mhz=2600,
        sockets=1,
        cores_per_socket=2,
        threads_per_core=1,
        xen_major=4,
        xen_minor=17,
        xen_extra=".7",
        tools="xl",
        scheduler="credit",
        memory_kib=3_145_000,
        domains=domains,
        pcpus=(PcpuSnapshot(0), PcpuSnapshot(1)),
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def window(last: HostSnapshot) -> Window:
    """Return the time from the boot of a host, when all its counters were 0."""
    return Window(replace(last, time_ns=0, domains=tuple(map(_at_birth, last.domains))), last)


def _at_birth(domain: DomainSnapshot) -> DomainSnapshot:
    return replace(
        domain,
        cpu_ns=None if domain.cpu_ns is None else 0,
        vcpus=tuple(_none_yet(one) for one in domain.vcpus),
        vifs=tuple(replace(vif, **_zeros(vif, _VIF)) for vif in domain.vifs),  # type: ignore[arg-type]
        vbds=tuple(replace(vbd, **_zeros(vbd, _VBD)) for vbd in domain.vbds),  # type: ignore[arg-type]
    )


_VCPU = (
    "running_ns",
    "runnable_ns",
    "blocked_ns",
    "offline_ns",
    "capped_ns",
    "context_switches",
)
_VIF = ("receive_bytes", "receive_packets", "transmit_bytes", "transmit_packets")
_VBD = ("read_requests", "write_requests", "read_bytes", "write_bytes", "wait_ns", "busy_ns")


def _none_yet(vcpu: VcpuSnapshot) -> VcpuSnapshot:
    return replace(vcpu, **_zeros(vcpu, _VCPU))  # type: ignore[arg-type]


def _zeros(record: object, names: tuple[str, ...]) -> dict[str, int]:
    return {name: 0 for name in names if getattr(record, name) is not None}


def real_xen() -> Window:
    """Return ten seconds of the recorded Xen 4.17, as xenalyze tells them of its trace.

    Three domains compute all the time on pcpu 1: web, db with twice the weight, batch with a cap.
    """
    return window(
        host(
            domain(0, "Domain-0", vcpu(0, 0.48, 0.52, affinity=(0,))),
            domain(1, "idle1", vcpu(0, 0.74, 0.50), vcpu(1, 0.84, 0.74)),
            domain(2, "web", vcpu(0, 3.59, 6.29, affinity=(1,), seconds=9.88)),
            domain(3, "db", vcpu(0, 3.91, 6.06, affinity=(1,), seconds=9.97), weight=512),
            domain(
                4,
                "batch",
                vcpu(0, 2.47, 6.84, 0.54, affinity=(1,), seconds=9.85),
                cap_percent=25,
            ),
        )
    )


def still(text: str) -> Window:
    """Return a model in which nobody does anything; the domains are those of the scenario."""
    guests = tomllib.loads(text).get("domain", ())
    return window(host(*(domain(domid, str(domid), vcpu()) for domid in range(len(guests) + 1))))
