"""The rows of `xm info` for a RHEL 5 host."""

from collections.abc import Mapping

from hypervisor.toolstack.hypercalls import PhysicalInfo

# Feature words as such processors report them, trailing zero words cut; judgement.
_HW_CAPS = {
    "p4": "bfebfbff:20100800:00000000:00000180:0000641d",
    "p4-ht": "bfebfbff:20100800:00000000:00000180:0000641d",
    "core_2": "bfebfbff:20100800:00000000:00000140:0004e3bd:00000000:00000001",
    "hammer": "178bfbff:ebd3fbff:00000000:00000010:00002001:00000000:0000001f",
}


def info_rows(info: PhysicalInfo, tools: str) -> Mapping[str, str]:
    """Return the rows in order; memory in MiB, rounded down.

    Source: tools/python/xen/xend/XendNode.py (3.0.3).
    """
    rows = {
        "host": info.host,
        "release": "2.6.18-8.el5xen",
        "version": "#1 SMP Fri Jan 26 14:29:35 EST 2007",
        "machine": "x86_64",
        "nr_cpus": str(info.pcpus),
        "nr_nodes": "1",
        "sockets_per_node": str(info.sockets),
        "cores_per_socket": str(info.cores_per_socket),
        "threads_per_core": str(info.threads_per_core),
        "cpu_mhz": str(info.mhz),
        "hw_caps": _HW_CAPS.get(info.cpu_type, "bfebfbff"),
        "total_memory": str(info.memory_kib // 1024),
        "free_memory": str(info.free_kib // 1024),
        "xen_major": str(info.xen_major),
        "xen_minor": str(info.xen_minor),
        "xen_extra": info.xen_extra,
        "xen_caps": "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ",
    }
    if tools != "3.0.3":
        rows["xen_scheduler"] = info.scheduler
    return rows | {
        "xen_pagesize": "4096",
        "platform_params": "virt_start=0xffff800000000000",
        "xen_changeset": "unavailable",
        "cc_compiler": "gcc version 4.1.1 20070105 (Red Hat 4.1.1-52)",
        "cc_compile_by": "brewbuilder",
        "cc_compile_domain": "build.redhat.com",
        "cc_compile_date": "Fri Jan 26 14:13:37 EST 2007",
        "xend_config_format": "2" if tools == "3.0.3" else "4",
    }
