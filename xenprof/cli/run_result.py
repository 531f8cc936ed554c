"""Makes the output of `xenprof run`: one JSON object, or tables."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

from hypervisor.telemetry import (
    DomainSnapshot,
    HostSnapshot,
    PcpuSnapshot,
    VbdSnapshot,
    VifSnapshot,
    XenoprofSnapshot,
)
from xenprof.profile.losses import lost_text

XENOPROF_COUNTERS = ("total", "active", "passive", "others", "lost", "invalid", "corrupted")
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


def _counts(xenoprof: XenoprofSnapshot | None) -> dict[str, int]:
    """Return the counters by name, all 0 on a host that cannot sample."""
    return {name: getattr(xenoprof, name, 0) for name in XENOPROF_COUNTERS}


def _version(snapshot: HostSnapshot) -> str:
    return f"{snapshot.xen_major}.{snapshot.xen_minor}{snapshot.xen_extra}"


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
        "hypervisor": _version(snapshot),
        "tools": snapshot.tools,
        "scheduler": snapshot.scheduler,
        "pcpus": [_pcpu(pcpu) for pcpu in snapshot.pcpus],
        "counters": dict(snapshot.counters),
    }


def _pcpu(pcpu: PcpuSnapshot) -> dict[str, object]:
    return {
        "pcpu": pcpu.pcpu,
        "user_seconds": pcpu.user_ns / 1e9,
        "kernel_seconds": pcpu.kernel_ns / 1e9,
        "hypervisor_seconds": pcpu.hypervisor_ns / 1e9,
        "idle_seconds": pcpu.idle_ns / 1e9,
    }


def _domain(domain: DomainSnapshot) -> dict[str, object]:
    return {
        "id": domain.domid,
        "name": domain.name,
        "kind": domain.kind,
        "state": _state(domain),
        "cpu_seconds": domain.cpu_ns / 1e9,
        "memory_kib": domain.memory_kib,
        "target_kib": domain.target_kib,
        "vcpus": [
            {
                "vcpu": vcpu.vcpu,
                "pcpu": vcpu.pcpu,
                "running_seconds": vcpu.running_ns / 1e9,
                "runnable_seconds": vcpu.runnable_ns / 1e9,
                "blocked_seconds": vcpu.blocked_ns / 1e9,
                "offline_seconds": vcpu.offline_ns / 1e9,
                "capped_seconds": vcpu.capped_ns / 1e9,
            }
            for vcpu in domain.vcpus
        ],
        "vifs": [_fields(vif) for vif in domain.vifs],
        "vbds": [_fields(vbd) for vbd in domain.vbds],
        "workloads": [dict(workload) for workload in domain.workloads],
    }


def _fields(record: VifSnapshot | VbdSnapshot) -> dict[str, object]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _state(domain: DomainSnapshot) -> str:
    """Return a domain's state as the six letters of `xm list`."""
    return "".join(letter if getattr(domain, name) else "-" for name, letter in _STATE_LETTERS)


def lost_line(snapshot: HostSnapshot) -> str:
    """Return a line about all samples lost, in Xen and above it; "" if there are none."""
    lost: Counter[str] = Counter()
    for one in snapshot.lost:
        lost[one.reason] += one.samples
    return lost_text(lost)


def as_text(snapshot: HostSnapshot, xenoprof: XenoprofSnapshot | None) -> str:
    """Return the result as tables to read."""
    seconds = snapshot.time_ns / 1e9
    has_caps = any(domain.cap_percent for domain in snapshot.domains)
    head = ("Domain", "ID", "Kind", "State", "VCPUs", "CPU %", "Steal %", "Mem(MiB)")
    lines = [
        f"{snapshot.host}: Xen {_version(snapshot)}, {snapshot.scheduler} scheduler, "
        f"{len(snapshot.pcpus)} pcpus {snapshot.cpu_type} at {snapshot.mhz} MHz; {seconds:g} s",
        "",
        *_table(
            (*head, *["Cap %"] * has_caps),
            [
                (*_row(domain, seconds), *[domain.cap_percent or "none"] * has_caps)
                for domain in snapshot.domains
            ],
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


def _row(domain: DomainSnapshot, seconds: float) -> Sequence[object]:
    steal = sum(vcpu.runnable_ns / 1e9 for vcpu in domain.vcpus)
    return (
        domain.name,
        domain.domid,
        domain.kind,
        _state(domain),
        len(domain.vcpus),
        f"{100 * (domain.cpu_ns / 1e9) / seconds:.1f}",
        f"{100 * steal / seconds:.1f}",
        domain.memory_kib // 1024,
    )


def _amounts(workload: Mapping[str, object]) -> str:
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, int | float) else f"{name} {value}"
        for name, value in workload.items()
        if name != "kind" and not isinstance(value, Mapping)
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return the rows aligned: numbers to the right, text to the left."""
    cells = [tuple(head), *[tuple(str(cell) for cell in row) for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    is_number = [
        len(cells) > 1 and all(_is_number(row[column]) for row in cells[1:])
        for column in range(len(head))
    ]
    return [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, is_number, strict=True)
        ).rstrip()
        for row in cells
    ]


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()
