"""Reports of real hosts as tests make them."""

from typing import Any

from hypervisor.live.agent.report.fields import (
    FORMAT,
    DomainReport,
    HostReport,
    PcpuReport,
    VbdReport,
    VcpuReport,
    VifReport,
)

SECOND = 1_000_000_000
BOOT_UNIX_NS = 1_790_000_000 * SECOND
SOURCES = {
    "vcpu_time": "hypercall",
    "scheduler": "hypercall",
    "memory": "hypercall",
    "vif": "sysfs",
    "vbd": "sysfs",
}


def report(
    seconds: float = 10,
    *,
    serial: int = 1,
    host: str = "dom0",
    domains: tuple[DomainReport, ...] | None = None,
    **fields: Any,
) -> HostReport:
    """Return a host with two pcpus so many seconds after its boot: Domain-0 and web, by default."""
    now_ns = round(seconds * SECOND)
    given = (domain0(now_ns), guest(1, "web", now_ns)) if domains is None else domains
    made = HostReport(
        format=FORMAT,
        serial=serial,
        boot="6c1c7d9e-8f4a-4d7e-9f43-0e7f8d1f6a10",
        time_ns=now_ns,
        unix_ns=BOOT_UNIX_NS + now_ns,
        read_ns=4_000_000,
        cpu_ns=3_000_000,
        hypercalls=14,
        host=host,
        xen_major=4,
        xen_minor=17,
        xen_extra=".7",
        tools="xl",
        scheduler="credit",
        cpu_type="GenuineIntel family 6 model 85",
        arch="x86_64",
        mhz=2400,
        sockets=1,
        cores_per_socket=2,
        threads_per_core=1,
        memory_kib=4_194_304,
        free_kib=1_048_576,
        scrub_kib=0,
        domains=given,
        pcpus=tuple(PcpuReport(pcpu, 0, pcpu, 0, now_ns // 2) for pcpu in range(2)),
        sources=SOURCES,
    )
    return made._replace(**fields)


def domain0(now_ns: int) -> DomainReport:
    """Return domain 0, which has run for a tenth of the time."""
    return DomainReport(
        0,
        "00000000-0000-0000-0000-000000000000",
        name="Domain-0",
        kind="dom0",
        running=True,
        cpu_ns=now_ns // 10,
        memory_kib=524_288,
        is_memory_unlimited=True,
        target_kib=524_288,
        weight=256,
        cap_percent=0,
        vcpus=(vcpu(0, now_ns // 10, running=True), vcpu(1, 0, blocked=True)),
    )


def guest(domid: int, name: str | None, now_ns: int, vcpus: int = 1, **fields: Any) -> DomainReport:
    """Return a guest that has run for a quarter of the time on each vcpu."""
    made = DomainReport(
        domid,
        f"00000000-0000-0000-0000-{domid:012x}",
        name=name,
        kind="pv",
        blocked=True,
        created_unix_ns=BOOT_UNIX_NS + 2 * SECOND,
        cpu_ns=vcpus * now_ns // 4,
        memory_kib=262_144,
        maximum_kib=263_168,
        target_kib=262_144,
        configured_kib=262_144,
        weight=256,
        cap_percent=0,
        vcpus=tuple(vcpu(number, now_ns // 4, blocked=True) for number in range(vcpus)),
        vifs=(
            VifReport(
                0, f"vif{domid}.0", "00:16:3e:00:00:01", "xenbr0",
                now_ns // 1000, now_ns // 10**6, 0, 0, now_ns // 2000, now_ns // 10**6, 0, 0,
            ),
        ),
        vbds=(
            VbdReport(
                51712, "xvda", "phy:/dev/vg0/web", "w", "vbd",
                now_ns // 10**7, now_ns // 10**7, now_ns // 1000, now_ns // 1000, 0,
            ),
        ),
    )  # fmt: skip
    return made._replace(**fields)


def vcpu(number: int, cpu_ns: int, *, running: bool = False, blocked: bool = False) -> VcpuReport:
    """Return a vcpu that is online."""
    return VcpuReport(number, True, blocked, running, cpu_ns, number % 2, (0, 1))
