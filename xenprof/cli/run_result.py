"""Makes the output of `xenprof run`: one JSON object, or tables."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from hypervisor.telemetry import (
    DomainSnapshot,
    HostSnapshot,
    PcpuSnapshot,
    VbdSnapshot,
    XenoprofSnapshot,
)
from hypervisor.telemetry.unknown import UNKNOWN, seconds, shown, whole
from xenprof.cli.aligned import aligned
from xenprof.profile.losses import lost_text
from xenprof.xentop.span import waited_ns

# Results that are 0 only if a workload did nothing; latencies and rates say nothing more.
_DONE = (
    "units", "work_seconds", "bursts", "bytes", "messages", "requests", "transactions",
    "operations", "flops", "jobs", "objects",
)  # fmt: skip
XENOPROF_COUNTERS = ("total", "active", "passive", "others", "lost", "invalid", "corrupted")
_VIF_FIELDS = (
    "index", "name", "mac", "bridge",
    "receive_bytes", "receive_packets", "receive_errors", "receive_dropped",
    "transmit_bytes", "transmit_packets", "transmit_errors", "transmit_dropped",
    "ring_full",
)  # fmt: skip
_STATE_LETTERS = (
    ("running", "r"),
    ("blocked", "b"),
    ("paused", "p"),
    ("shutdown", "s"),
    ("crashed", "c"),
    ("dying", "d"),
)


def as_json(snapshot: HostSnapshot, xenoprof: XenoprofSnapshot | None) -> dict[str, object]:
    """Return the object of `--json`; times in seconds.

    `xenoprof` is counted until the last buffer was drained, a little after `snapshot`.
    """
    return {
        "time_seconds": snapshot.time_ns / 1e9,
        "host": _host(snapshot),
        "domains": [_domain(domain) for domain in snapshot.domains],
        "xenoprof": _counts(xenoprof),
    }


def never_ran(snapshot: HostSnapshot) -> list[str]:
    """Return a line for each workload that has done nothing, with what is known of why.

    In less than a second even one that is well may not have finished anything.
    """
    lines: list[str] = []
    if snapshot.time_ns < 1_000_000_000:
        return lines
    for domain in snapshot.domains:
        for number, workload in enumerate(domain.workloads, 1):
            done = [workload[name] for name in _DONE if name in workload]
            if (done and not any(done)) or (not done and "hindered" in workload):
                why = workload.get("hindered") or _why_not(domain, snapshot.scheduler)
                lines.append(
                    f"{domain.name}: its workload {number} ({workload['kind']}) has done nothing: "
                    f"{why}"
                )
    return lines


def _why_not(domain: DomainSnapshot, scheduler: str | None) -> str:
    """Return the first of what may hold all programs of a domain that is the case."""
    if domain.oom_kills:
        return "its kernel has killed processes for lack of memory; give it more memory_mib"
    if domain.crashed:
        return "it has crashed"
    if domain.shutdown:
        return "it has shut down"
    if domain.paused:
        return "it is paused"
    if not domain.cpu_ns:
        if not waited_ns(domain):
            return "it has slept all the time; what it waits for has not come yet"
        shares = "its slice" if scheduler == "sedf" else "weight, cap"
        return f"it has had no processor; look at cpus, {shares} and its neighbours'"
    if any(vif.rate_limited_ns for vif in domain.vifs):
        return "rate= of its interface has held it up"
    if any(vbd.in_flight_requests for vbd in domain.vbds):
        return "its requests to a disk have not been answered yet"
    return "it had no time for that"


def _counts(xenoprof: XenoprofSnapshot | None) -> dict[str, int | None]:
    """Return the counters by name, all unknown on a host that cannot sample."""
    return {name: getattr(xenoprof, name, None) for name in XENOPROF_COUNTERS}


def _host(snapshot: HostSnapshot) -> dict[str, object]:
    return {
        "name": snapshot.host,
        "cpu": snapshot.cpu_type,
        "mhz": snapshot.mhz,
        "sockets": snapshot.sockets,
        "cores_per_socket": snapshot.cores_per_socket,
        "threads_per_core": snapshot.threads_per_core,
        "memory_kib": snapshot.memory_kib,
        "free_kib": snapshot.free_kib,
        "hypervisor": snapshot.xen_version,
        "tools": snapshot.tools,
        "scheduler": snapshot.scheduler,
        "pcpus": [_pcpu(pcpu) for pcpu in snapshot.pcpus],
        "counters": dict(snapshot.counters),
    }


def _pcpu(pcpu: PcpuSnapshot) -> dict[str, object]:
    return {
        "pcpu": pcpu.pcpu,
        "user_seconds": seconds(pcpu.user_ns),
        "kernel_seconds": seconds(pcpu.kernel_ns),
        "hypervisor_seconds": seconds(pcpu.hypervisor_ns),
        "idle_seconds": seconds(pcpu.idle_ns),
    }


def _domain(domain: DomainSnapshot) -> dict[str, object]:
    return {
        "id": domain.domid,
        "name": domain.name,
        "kind": domain.kind,
        "state": _state(domain),
        "cpu_seconds": seconds(domain.cpu_ns),
        "memory_kib": domain.memory_kib,
        "target_kib": domain.target_kib,
        "vcpus": [
            {
                "vcpu": vcpu.vcpu,
                "pcpu": vcpu.pcpu,
                "running_seconds": seconds(vcpu.running_ns),
                "runnable_seconds": seconds(vcpu.runnable_ns),
                "blocked_seconds": seconds(vcpu.blocked_ns),
                "offline_seconds": seconds(vcpu.offline_ns),
                "capped_seconds": seconds(vcpu.capped_ns),
            }
            for vcpu in domain.vcpus
        ],
        "vifs": [{name: getattr(vif, name) for name in _VIF_FIELDS} for vif in domain.vifs],
        "vbds": [_vbd(vbd) for vbd in domain.vbds],
        "workloads": [dict(workload) for workload in domain.workloads],
    }


def _vbd(vbd: VbdSnapshot) -> dict[str, object]:
    return {
        "device": vbd.device,
        "name": vbd.name,
        "backend": vbd.backend,
        "mode": vbd.mode,
        "read_requests": vbd.read_requests,
        "write_requests": vbd.write_requests,
        "read_bytes": vbd.read_bytes,
        "write_bytes": vbd.write_bytes,
        "ring_full": vbd.out_of_requests,
        "statistics": vbd.out_of_requests is not None,
        "busy_ns": vbd.busy_ns,
        "wait_ns": vbd.wait_ns,
        "answered_requests": vbd.answered_requests,
    }


def _state(domain: DomainSnapshot) -> str | None:
    """Return a domain's state as the six letters of `xm list`; None if it is unknown."""
    if all(getattr(domain, name) is None for name, _ in _STATE_LETTERS):
        return None
    return "".join(letter if getattr(domain, name) else "-" for name, letter in _STATE_LETTERS)


def lost_line(snapshot: HostSnapshot) -> str:
    """Return a line about all samples lost, in Xen and above it; "" if there are none."""
    lost: Counter[str] = Counter()
    for one in snapshot.lost:
        lost[one.reason] += one.samples
    return lost_text(lost)


def as_text(snapshot: HostSnapshot, xenoprof: XenoprofSnapshot | None) -> str:
    """Return the result as tables to read."""
    elapsed = snapshot.time_ns / 1e9
    has_caps = any(domain.cap_percent for domain in snapshot.domains)
    head = ("Domain", "ID", "Kind", "State", "VCPUs", "CPU %", "Steal %", "Mem(MiB)")
    lines = [
        f"{snapshot.host}: Xen {shown(snapshot.xen_version)}, "
        f"{shown(snapshot.scheduler)} scheduler, {shown(len(snapshot.pcpus) or None)} pcpus "
        f"{shown(snapshot.cpu_type)} at {shown(snapshot.mhz)} MHz; {elapsed:g} s",
        "",
        *_table(
            (*head, *["Cap %"] * has_caps),
            [(*_row(domain, elapsed), *[_cap(domain)] * has_caps) for domain in snapshot.domains],
        ),
    ]
    workloads = [
        (domain.name, workload["kind"], _amounts(workload))
        for domain in snapshot.domains
        for workload in domain.workloads
    ]
    if workloads:
        lines += ["", *_table(("Domain", "Workload", "Result"), workloads)]
    counts = _counts(xenoprof)
    if counts["total"]:
        lines += ["", "Samples: " + ", ".join(f"{counts[n]} {n}" for n in XENOPROF_COUNTERS)]
    return "\n".join(lines)


def _cap(domain: DomainSnapshot) -> object:
    return "none" if domain.cap_percent == 0 else shown(domain.cap_percent)


def _row(domain: DomainSnapshot, elapsed: float) -> Sequence[object]:
    return (
        domain.name,
        domain.domid,
        shown(domain.kind),
        shown(_state(domain)),
        shown(len(domain.vcpus) or None),
        _share(domain.cpu_ns, elapsed),
        _share(waited_ns(domain), elapsed),
        shown(whole(domain.memory_kib, 1024)),
    )


def _share(spent_ns: int | None, elapsed: float) -> str:
    """Return a time in percent of one pcpu's, as text."""
    return UNKNOWN if spent_ns is None else f"{100 * (spent_ns / 1e9) / elapsed:.1f}"


def _amounts(workload: Mapping[str, object]) -> str:
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, int | float) else f"{name} {value}"
        for name, value in workload.items()
        if name != "kind" and not isinstance(value, Mapping)
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return the rows aligned: numbers to the right, text to the left."""
    cells = [tuple(head), *[tuple(str(cell) for cell in row) for row in rows]]
    is_number = [
        len(cells) > 1 and all(_is_number(row[column]) for row in cells[1:])
        for column in range(len(head))
    ]
    return list(aligned(cells, is_number))


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()
