"""virsh list, domid, domname, domuuid, domstate, dominfo and vcpuinfo."""

from collections.abc import Iterator, Mapping, Sequence

from hypervisor.telemetry import DomainSnapshot, VcpuSnapshot
from hypervisor.telemetry.unknown import UNKNOWN, seconds, shown, total
from xenprof.cli.virsh.connection import Connection
from xenprof.cli.virsh.errors import VirshError
from xenprof.cli.virsh.grammar import Command, Option
from xenprof.home import DOMAIN_0_ID

Words = Mapping[str, str]

_OS_TYPES: Mapping[str | None, str] = {"hvm": "hvm", "pv": "linux", "dom0": "linux"}
DOMAIN = Option("domain", "domain name, id or uuid")


def state_text(domain: DomainSnapshot) -> str:
    """Return a domain's state; a domain that waits for a processor has `no state`.

    Domain 0 always runs, because virsh runs in it. Source: libvirt, src/xen_internal.c.
    """
    if domain.domid == DOMAIN_0_ID:
        return "running"
    if domain.running is None and domain.blocked is None and domain.paused is None:
        return UNKNOWN
    if domain.crashed:
        return "crashed"
    if domain.shutdown:
        return "shut off"
    if domain.dying:
        return "in shutdown"
    if domain.paused:
        return "paused"
    if domain.blocked:
        return "blocked"
    return "running" if domain.running else "no state"


def domain_table(domains: Sequence[DomainSnapshot]) -> Iterator[str]:
    """Yield the rows of `virsh list`, ordered by id."""
    for domain in sorted(domains, key=_domid):
        yield f"{domain.domid:>3} {domain.name:<20} {state_text(domain)}"


def domain_rows(domain: DomainSnapshot) -> Iterator[str]:
    """Yield the lines of `virsh dominfo`; memory is what the domain has, not its target."""
    maximum = "no limit" if domain.is_memory_unlimited else _kilobytes(domain.maximum_kib)
    yield _row("Id", domain.domid)
    yield _row("Name", domain.name)
    yield _row("UUID", shown(domain.uuid))
    yield _row("OS Type", _OS_TYPES.get(domain.kind, UNKNOWN))
    yield _row("State", state_text(domain))
    yield _row("CPU(s)", shown(_online(domain)))
    if domain.cpu_ns != 0:
        yield _row("CPU time", _seconds(domain.cpu_ns))
    yield _row("Max memory", maximum)
    yield _row("Used memory", _kilobytes(domain.memory_kib))


def vcpu_rows(domain: DomainSnapshot, pcpus: int) -> Iterator[str]:
    """Yield the lines of `virsh vcpuinfo`: the first vcpus, as many as are online."""
    for number, vcpu in enumerate(domain.vcpus[: _online(domain)]):
        if number:
            yield ""
        yield _row("VCPU", vcpu.vcpu)
        yield _row("CPU", _pcpu(vcpu))
        yield _row("State", _vcpu_state(vcpu))
        if vcpu.running_ns != 0:
            yield _row("CPU time", _seconds(vcpu.running_ns))
        yield _row("CPU Affinity", _affinity(vcpu, pcpus))


def _pcpu(vcpu: VcpuSnapshot) -> object:
    if vcpu.pcpu is None:
        return UNKNOWN if vcpu.online is None else -1
    return vcpu.pcpu


def _vcpu_state(vcpu: VcpuSnapshot) -> str:
    if vcpu.online is False:
        return "offline"
    return "no state" if vcpu.runstate == "runnable" else shown(vcpu.runstate)


def _affinity(vcpu: VcpuSnapshot, pcpus: int) -> str:
    """Return y or - for each pcpu; one - if it is unknown."""
    if vcpu.affinity is None or not pcpus:
        return UNKNOWN
    return "".join("y" if pcpu in vcpu.affinity else "-" for pcpu in range(pcpus))


def _kilobytes(kib: int | None) -> str:
    return UNKNOWN if kib is None else f"{kib} kB"


def _seconds(spent_ns: int | None) -> str:
    return UNKNOWN if spent_ns is None else f"{seconds(spent_ns):.1f}s"


def _row(name: str, value: object) -> str:
    return f"{name + ':':<15} {value}"


def _domid(domain: DomainSnapshot) -> int:
    return domain.domid


def _online(domain: DomainSnapshot) -> int | None:
    """Return the number of vcpus that are online, None if it is unknown."""
    return total(vcpu.online for vcpu in domain.vcpus) if domain.vcpus else None


def _list(connection: Connection, words: Words) -> None:
    domains = connection.snapshot().domains
    if "inactive" in words and "all" not in words:
        domains = ()  # a domain of this host exists only while it runs
    connection.extra(f"{'Id':>3} {'Name':<20} State")
    connection.extra("-" * 34)
    for line in domain_table(domains):
        print(line)


def _domid_of(connection: Connection, words: Words) -> None:
    print(connection.domain(words["domain"], ("uuid", "name")).domid)


def _domname(connection: Connection, words: Words) -> None:
    print(connection.domain(words["domain"], ("id", "uuid")).name)


def _domuuid(connection: Connection, words: Words) -> None:
    uuid = connection.domain(words["domain"], ("id", "name")).uuid
    if uuid is None:
        raise VirshError("this host does not know the uuids of its domains")
    print(uuid)


def _domstate(connection: Connection, words: Words) -> None:
    print(state_text(connection.domain(words["domain"])))


def _dominfo(connection: Connection, words: Words) -> None:
    print("\n".join(domain_rows(connection.domain(words["domain"]))))


def _vcpuinfo(connection: Connection, words: Words) -> None:
    domain = connection.domain(words["domain"])
    if not domain.vcpus:
        raise VirshError("this host does not know the vcpus of its domains")
    pcpus = len(connection.snapshot().pcpus)
    print("\n".join(vcpu_rows(domain, pcpus)))


COMMANDS = (
    Command(
        "domid",
        "convert a domain name or UUID to domain id",
        _domid_of,
        (Option("domain", "domain name or uuid"),),
    ),
    Command(
        "domuuid",
        "convert a domain name or id to domain UUID",
        _domuuid,
        (Option("domain", "domain id or name"),),
    ),
    Command("dominfo", "domain information", _dominfo, (DOMAIN,),
            "Returns basic information about the domain."),
    Command(
        "domname",
        "convert a domain id or UUID to domain name",
        _domname,
        (Option("domain", "domain id or uuid"),),
    ),
    Command("domstate", "domain state", _domstate, (DOMAIN,),
            "Returns state about a running domain."),
    Command(
        "list",
        "list domains",
        _list,
        (
            Option("inactive", "list inactive domains", is_flag=True, is_required=False),
            Option("all", "list inactive & active domains", is_flag=True, is_required=False),
        ),
        "Returns list of domains.",
        "list [--inactive | --all]",
    ),
    Command("vcpuinfo", "domain vcpu information", _vcpuinfo, (DOMAIN,),
            "Returns basic information about the domain virtual CPUs."),
)  # fmt: skip
