"""Domains as the nested lists of `xm list --long`."""

from collections.abc import Mapping
from typing import Any

_WIDTH = 80


def domain_sxp(domain: Mapping[str, Any], snapshot: Mapping[str, Any], state: str) -> str:
    """Return one domain; `state` are its six letters; keys without a value are left out.

    `cpu_weight` is the legacy float that means nothing, not the credit weight.
    """
    up_seconds = (snapshot["time_ns"] - domain["created_ns"]) / 1e9
    start_time = snapshot["unix_ns"] / 1e9 - up_seconds
    maximum = domain["maximum_kib"]
    tree: list[Any] = [
        "domain",
        ["domid", domain["domid"]],
        ["uuid", domain["uuid"]],
        ["vcpus", len(domain["vcpus"])],
        ["cpu_weight", 1.0],
        ["memory", domain["target_kib"] // 1024],
        ["shadow_memory", 0],
        ["maxmem", (domain["target_kib"] if maximum is None else maximum) // 1024],
        ["name", domain["name"]],
    ]
    for vif in domain["vifs"]:
        keys = [["backend", 0], ["bridge", vif["bridge"]], ["mac", vif["mac"]]]
        tree.append(["device", ["vif", *(key for key in keys if key[1] != "")]])
    tree += [
        [
            "device",
            [
                "vbd",
                ["backend", 0],
                ["dev", f"{vbd['name']}:disk"],
                ["uname", vbd["backend"]],
                ["mode", vbd["mode"]],
            ],
        ]
        for vbd in domain["vbds"]
    ]
    tree += [
        ["state", state],
        ["shutdown_reason", _REASONS[domain["shutdown_reason"] or 0]],
        ["cpu_time", domain["cpu_ns"] / 1e9],
        ["online_vcpus", sum(vcpu["online"] for vcpu in domain["vcpus"])],
        ["up_time", up_seconds],
        ["start_time", start_time],
    ]
    return format_sxp(tree)


_REASONS = ("poweroff", "reboot", "suspend", "crash", "halt")


def format_sxp(tree: list[Any], indent: int = 0) -> str:
    """Return a nested list: on one line if it fits, else one item a line, 4 columns deeper."""
    flat = _flat(tree)
    if indent + len(flat) <= _WIDTH or not any(isinstance(item, list) for item in tree):
        return " " * indent + flat
    lines = [" " * indent + f"({tree[0]}"]
    lines += [
        format_sxp(item, indent + 4) if isinstance(item, list) else " " * (indent + 4) + str(item)
        for item in tree[1:]
    ]
    return "\n".join([*lines, " " * indent + ")"])


def _flat(item: Any) -> str:
    return f"({' '.join(map(_flat, item))})" if isinstance(item, list) else str(item)
