"""xm list, xm vcpu-list and xm info: the tables of the host, exactly as xm lays them out."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hypervisor.cpus import affinity_text
from xenprof.cli.xm.command import Command, Option, Words, find_domains, snapshot_of
from xenprof.cli.xm.sxp import domain_sxp
from xenprof.client import Client

Domain = Mapping[str, Any]
Snapshot = Mapping[str, Any]


def list_table(snapshot: Snapshot, domains: Sequence[Domain]) -> Iterator[str]:
    """Yield the lines of `xm list`. Memory is the target, VCPUs those online."""
    is_old = snapshot["tools"] == "3.0.3"
    memory, width = ("Mem(MiB)", 5) if is_old else ("Mem", 10)
    memory_width = 8 if is_old else 5
    yield (
        f"{'Name':<40} {'ID':>3} {memory:>{memory_width}} {'VCPUs':>5} "
        f"{'State':>{width}} {'Time(s)':>9}"
    )
    for domain in domains:
        online = sum(vcpu["online"] for vcpu in domain["vcpus"])
        yield (
            f"{domain['name']:<40} {domain['domid']:>3} "
            f"{domain['target_kib'] // 1024:>{memory_width}} {online:>5} "
            f"{state_letters(domain):>{width}} {domain['cpu_ns'] / 1e9:8.1f}"
        )


def state_letters(domain: Domain) -> str:
    """Return the six letters; Domain-0 runs, for the one who asks runs in it."""
    if domain["domid"] == 0:
        return "r-----"
    shown = (
        ("r", domain["running"]),
        ("b", domain["blocked"]),
        ("p", domain["paused"]),
        ("s", domain["shutdown"] and not domain["crashed"]),
        ("c", domain["crashed"]),
        ("d", domain["dying"]),
    )
    return "".join(letter if holds else "-" for letter, holds in shown)


def vcpu_table(snapshot: Snapshot, domains: Sequence[Domain]) -> Iterator[str]:
    """Yield the lines of `xm vcpu-list`; one for each vcpu, those offline too."""
    number = "VCPUs" if snapshot["tools"] == "3.0.3" else "VCPU"
    pcpus = len(snapshot["pcpus"])
    yield (
        f"{'Name':<32} {'ID':>3} {number:>5} {'CPU':>5} {'State':>5} {'Time(s)':>9} CPU Affinity"
    )
    for domain in domains:
        for vcpu in domain["vcpus"]:
            yield (
                f"{domain['name']:<32} {domain['domid']:>3} {vcpu['vcpu']:>5} "
                f"{vcpu['pcpu'] if vcpu['online'] else '-':>5} {_vcpu_state(vcpu):>5}  "
                f"{vcpu['running_ns'] / 1e9:8.1f} {affinity_text(vcpu['affinity'], pcpus)}"
            )


def _vcpu_state(vcpu: Mapping[str, Any]) -> str:
    if not vcpu["online"]:
        return "--p"
    return {"running": "r--", "blocked": "-b-"}.get(vcpu["runstate"], "---")


def info_table(rows: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of `xm info`."""
    for key, value in rows.items():
        yield f"{key:<23}: {value}"


def _list(client: Client, words: Words) -> int:
    if words.has("v"):
        print("'xm list -v' is now 'xm vcpu-list'.", file=sys.stderr)
        return _vcpu_list(client, words)
    snapshot = snapshot_of(client)
    domains = find_domains(snapshot, words.arguments)
    if words.has("l"):
        print("\n".join(domain_sxp(domain, snapshot, state_letters(domain)) for domain in domains))
    else:
        print("\n".join(list_table(snapshot, domains)))
    return 0


def _vcpu_list(client: Client, words: Words) -> int:
    snapshot = snapshot_of(client)
    print("\n".join(vcpu_table(snapshot, find_domains(snapshot, words.arguments))))
    return 0


def _info(client: Client, words: Words) -> int:
    print("\n".join(info_table(client.get("/api/v1/info"))))
    return 0


LIST = Command(
    "list",
    "[options] [Domain, ...]",
    "List information about all/some domains.",
    _list,
    maximum=None,
    options=(
        Option("l", "long", "Output all VM details in SXP"),
        Option("v", "vcpus", "Deprecated: use xm vcpu-list"),
    ),
)
VCPU_LIST = Command(
    "vcpu-list",
    "[Domain, ...]",
    "List the VCPUs for all/some domains.",
    _vcpu_list,
    maximum=None,
)
INFO = Command("info", "", "Get information about the Xen host.", _info)
