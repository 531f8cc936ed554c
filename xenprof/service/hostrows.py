"""Makes rows of `xm info` of a host that has no toolstack, from what its state tells."""

from collections.abc import Mapping

from hypervisor.telemetry import HostSnapshot
from hypervisor.telemetry.unknown import whole


def told_rows(host: HostSnapshot) -> Mapping[str, str]:
    """Return the rows that are known, by their names and in the order of `xl info`.

    Memory is in MiB, rounded down. Source: tools/xl/xl_info.c (4.17).
    """
    rows: Mapping[str, str | int | None] = {
        "host": host.host,
        "machine": next((one.arch for one in host.domains if one.arch is not None), None),
        "nr_cpus": len(host.pcpus) or None,
        "cores_per_socket": host.cores_per_socket,
        "threads_per_core": host.threads_per_core,
        "cpu_mhz": host.mhz,
        "total_memory": whole(host.memory_kib, 1024),
        "free_memory": whole(host.free_kib, 1024),
        "xen_major": host.xen_major,
        "xen_minor": host.xen_minor,
        "xen_extra": host.xen_extra,
        "xen_version": host.xen_version,
        "xen_scheduler": host.scheduler,
    }
    return {name: str(value) for name, value in rows.items() if value is not None}
