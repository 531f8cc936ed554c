"""xm list and xm vcpu-list: the tables of the domains, exactly as xm lays them out."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypervisor.cpus import affinity_text
from hypervisor.telemetry import DomainSnapshot, HostSnapshot, VcpuSnapshot
from hypervisor.telemetry.unknown import UNKNOWN, seconds, shown, total, whole
from xenprof.cli.xm.command import OLDEST, Command, Option, Words, XmError
from xenprof.cli.xm.looking import (
    find_domains,
    managed_domains,
    shown_name,
    snapshot_of,
    unknown_domain,
)
from xenprof.client import Client
from xenprof.home import DOMAIN_0_ID
from xenprof.wire.paths import domain_path

_LABEL = "INACTIVE"  # judgement: what xm writes while no access control policy is active
_STATES = ("all", "running", "paused", "halted", "suspended", "crashed")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of `xm list`. Domains that xend manages but does not run have no id and no state.

    None is shown as `-`: the host does not know it.
    """

    name: str
    domid: str
    memory_mib: int | None
    vcpus: int | None
    state: str = ""
    cpu_seconds: float | None = 0.0


def row(domain: DomainSnapshot) -> Row:
    """Return the line of a domain.

    Memory is the target, or what it has where no target is known; VCPUs are those online.
    """
    memory_kib = domain.memory_kib if domain.target_kib is None else domain.target_kib
    return Row(
        name=shown_name(domain),
        domid=str(domain.domid),
        memory_mib=whole(memory_kib, 1024),
        vcpus=total(vcpu.online for vcpu in domain.vcpus) if domain.vcpus else None,
        state=state_letters(domain),
        cpu_seconds=seconds(domain.cpu_ns),
    )


def state_letters(domain: DomainSnapshot) -> str:
    """Return the six letters; Domain-0 always runs, because xm runs in it."""
    if domain.domid == DOMAIN_0_ID:
        return "r-----"
    letters = (
        ("r", domain.running),
        ("b", domain.blocked),
        ("p", domain.paused),
        ("s", domain.shutdown and not domain.crashed),
        ("c", domain.crashed),
        ("d", domain.dying),
    )
    if all(holds is None for _, holds in letters):
        return UNKNOWN
    return "".join(letter if holds else "-" for letter, holds in letters)


def list_table(rows: Sequence[Row], tools: str | None, label: str | None = None) -> Iterator[str]:
    """Yield the lines of `xm list`, or of `xm list --label`."""
    memory, memory_width, state_width = ("Mem(MiB)", 8, 5) if tools == OLDEST else ("Mem", 5, 10)
    name_width = 40 if label is None else 32
    end = "" if label is None else " Label"
    yield (
        f"{'Name':<{name_width}} {'ID':>3} {memory:>{memory_width}} {'VCPUs':>5} "
        f"{'State':>{state_width}} {'Time(s)':>9}{end}"
    )
    for row in rows:
        yield (
            f"{row.name:<{name_width}} {row.domid:>3} {shown(row.memory_mib):>{memory_width}} "
            f"{shown(row.vcpus):>5} {row.state:>{state_width}} "
            f"{shown(row.cpu_seconds, '.1f'):>8}" + ("" if label is None else f" {label}")
        )


def vcpu_table(snapshot: HostSnapshot, domains: Sequence[DomainSnapshot]) -> Iterator[str]:
    """Yield the lines of `xm vcpu-list`: one for each vcpu, including those offline."""
    number = "VCPUs" if snapshot.tools == OLDEST else "VCPU"
    pcpus = len(snapshot.pcpus)
    yield (
        f"{'Name':<32} {'ID':>3} {number:>5} {'CPU':>5} {'State':>5} {'Time(s)':>9} CPU Affinity"
    )
    for domain in domains:
        for vcpu in domain.vcpus:
            yield (
                f"{shown_name(domain):<32} {domain.domid:>3} {vcpu.vcpu:>5} "
                f"{_pcpu(vcpu):>5} {_vcpu_state(vcpu):>5}  "
                f"{shown(seconds(vcpu.running_ns), '.1f'):>8} {affinity_text(vcpu.affinity, pcpus)}"
            )


def _pcpu(vcpu: VcpuSnapshot) -> str:
    return UNKNOWN if vcpu.online is False else shown(vcpu.pcpu)


def _vcpu_state(vcpu: VcpuSnapshot) -> str:
    if vcpu.online is False:
        return "--p"
    if vcpu.runstate is None:
        return UNKNOWN
    return {"running": "r--", "blocked": "-b-"}.get(vcpu.runstate, "---")


def _list(client: Client, words: Words) -> int:
    if words.has("v"):
        print("xm list -v is deprecated.  Please use xm vcpu-list.", file=sys.stderr)
        return _vcpu_list(client, words)
    snapshot = snapshot_of(client)
    if words.has("l"):
        return _list_long(client, find_domains(snapshot, words.arguments))
    state = words.value("state") or "all"
    if snapshot.tools == OLDEST:
        rows = [row(domain) for domain in find_domains(snapshot, words.arguments)]
    else:
        rows = _rows_of_3_1(client, snapshot, words.arguments, state)
    label = _LABEL if words.has("label") else None
    print("\n".join(list_table(rows, snapshot.tools, label)))
    return 0


def _rows_of_3_1(
    client: Client, snapshot: HostSnapshot, names: Sequence[str], state: str
) -> list[Row]:
    """Return the lines, including those of managed domains that do not run. Raises: XmError."""
    if state not in _STATES:
        raise XmError(f"'{state}' is no state of a domain; use one of {', '.join(_STATES)}")
    if state != "all" and names:
        raise XmError("You may specify either a state or a particular VM, but not both")
    running = find_domains(snapshot, [])
    rows = [row(domain) for domain in running if _is_in(domain, state)]
    if state in ("all", "halted"):
        live = {domain.name for domain in running}
        rows += [
            Row(managed.name, "", managed.memory_mib, managed.vcpus)
            for managed in managed_domains(client)
            if managed.name not in live
        ]
    if not names:
        return sorted(rows, key=_name)
    by_word = {row.domid: row for row in rows if row.domid} | {row.name: row for row in rows}
    for name in names:
        if name not in by_word:
            raise unknown_domain(name)
    return [by_word[name] for name in names]


def _name(row: Row) -> str:
    return row.name


def _is_in(domain: DomainSnapshot, state: str) -> bool:
    """Return whether a running domain is in a state of `xm list --state`."""
    if domain.crashed:
        actual = "crashed"
    elif domain.shutdown or domain.dying:
        actual = "halted"
    else:
        actual = "paused" if domain.paused else "running"
    return state in ("all", actual)


def _list_long(client: Client, domains: Sequence[DomainSnapshot]) -> int:
    from xenprof.cli.xm.sxp import format_sxp
    from xenprof.wire.answers import SxpAnswer

    for domain in domains:
        print(format_sxp(client.get(domain_path(str(domain.domid), "sxp"), SxpAnswer).sxp))
    return 0


def _vcpu_list(client: Client, words: Words) -> int:
    snapshot = snapshot_of(client)
    print("\n".join(vcpu_table(snapshot, find_domains(snapshot, words.arguments))))
    return 0


LIST = Command(
    "list", "[options] [Domain, ...]",
    "List all/some domains.",
    _list, maximum=None,
    options=(
        Option("l", "long", "Show everything about them, as SXP"),
        Option("", "label", "Show their security labels too"),
        Option("", "state", "Only domains in this state", "STATE", since="3.1"),
        Option("v", "vcpus", "Deprecated: use xm vcpu-list"),
    ),
)  # fmt: skip
VCPU_LIST = Command(
    "vcpu-list", "[Domain, ...]",
    "List the VCPUs of all/some domains.",
    _vcpu_list, maximum=None,
)  # fmt: skip
