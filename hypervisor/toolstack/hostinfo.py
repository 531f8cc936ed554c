"""Makes the rows of `xm info` for a RHEL 5 host."""

from collections.abc import Mapping

from hypervisor.toolstack.hypercalls import PhysicalInfo

# Feature words as such processors report them, without trailing zero words; judgement.
_HW_CAPS = {
    "p4": "bfebfbff:20100800:00000000:00000180:0000641d",
    "p4-ht": "bfebfbff:20100800:00000000:00000180:0000641d",
    "core_2": "bfebfbff:20100800:00000000:00000140:0004e3bd:00000000:00000001",
    "hammer": "178bfbff:ebd3fbff:00000000:00000010:00002001:00000000:0000001f",
}

_VIRT_START = {"x86_64": "0xffff800000000000", "i386": "0xf5800000"}  # i386: the PAE build


def info_rows(info: PhysicalInfo, tools: str) -> Mapping[str, str]:
    """Return the rows of `xm info` in order; memory in MiB, rounded down.

    Source: tools/python/xen/xend/XendNode.py (3.0.3).
    """
    rows = {
        "host": info.host,
        "release": "2.6.18-8.el5xen",
        "version": "#1 SMP Fri Jan 26 14:29:35 EST 2007",
        "machine": "x86_64" if info.arch == "x86_64" else "i686",
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
        "xen_caps": _capabilities(info),
    }
    if tools != "3.0.3":
        rows["xen_scheduler"] = info.scheduler
    return rows | {
        "xen_pagesize": "4096",
        "platform_params": f"virt_start={_VIRT_START[info.arch]}",
        "xen_changeset": "unavailable",
        "cc_compiler": "gcc version 4.1.1 20070105 (Red Hat 4.1.1-52)",
        "cc_compile_by": "brewbuilder",
        "cc_compile_domain": "build.redhat.com",
        "cc_compile_date": "Fri Jan 26 14:13:37 EST 2007",
        "xend_config_format": "2" if tools == "3.0.3" else "4",
    }


def _capabilities(info: PhysicalInfo) -> str:
    """Return the kinds of guest that this Xen can run; as in the original, a blank ends it."""
    words = ["xen-3.0-x86_64" if info.arch == "x86_64" else "xen-3.0-x86_32p"]
    if info.has_hvm:
        words += ["hvm-3.0-x86_32", "hvm-3.0-x86_32p"]
        words += ["hvm-3.0-x86_64"] if info.arch == "x86_64" else []
    return "".join(f"{word} " for word in words)
