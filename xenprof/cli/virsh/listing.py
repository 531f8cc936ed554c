"""virsh list, domid, domname, domuuid, domstate, dominfo and vcpuinfo."""

from collections.abc import Iterator, Mapping, Sequence

from hypervisor.telemetry import DomainSnapshot, VcpuSnapshot
from xenprof.cli.virsh.connection import Connection
from xenprof.cli.virsh.grammar import Command, Option
from xenprof.home import DOMAIN_0_ID

Words = Mapping[str, str]

DOMAIN = Option("domain", "domain name, id or uuid")


def state_text(domain: DomainSnapshot) -> str:
    """Return a domain's state; a domain that waits for a processor has `no state`.

    Domain 0 always runs, because virsh runs in it. Source: libvirt, src/xen_internal.c.
    """
    if domain.domid == DOMAIN_0_ID:
        return "running"
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
    maximum = domain.maximum_kib
    yield _row("Id", domain.domid)
    yield _row("Name", domain.name)
    yield _row("UUID", domain.uuid)
    yield _row("OS Type", "hvm" if domain.kind == "hvm" else "linux")
    yield _row("State", state_text(domain))
    yield _row("CPU(s)", len(_online(domain)))
    if domain.cpu_ns:
        yield _row("CPU time", f"{domain.cpu_ns / 1e9:.1f}s")
    yield _row("Max memory", "no limit" if maximum is None else f"{maximum} kB")
    yield _row("Used memory", f"{domain.memory_kib} kB")


def vcpu_rows(domain: DomainSnapshot, pcpus: int) -> Iterator[str]:
    """Yield the lines of `virsh vcpuinfo`: the first vcpus, as many as are online."""
    for number, vcpu in enumerate(domain.vcpus[: len(_online(domain))]):
        if number:
            yield ""
        yield _row("VCPU", vcpu.vcpu)
        yield _row("CPU", -1 if vcpu.pcpu is None else vcpu.pcpu)
        runstate = vcpu.runstate if vcpu.online else "offline"
        yield _row("State", "no state" if runstate == "runnable" else runstate)
        if vcpu.running_ns:
            yield _row("CPU time", f"{vcpu.running_ns / 1e9:.1f}s")
        usable = range(pcpus) if vcpu.affinity is None else vcpu.affinity
        yield _row("CPU Affinity", "".join("y" if p in usable else "-" for p in range(pcpus)))


def _row(name: str, value: object) -> str:
    return f"{name + ':':<15} {value}"


def _domid(domain: DomainSnapshot) -> int:
    return domain.domid


def _online(domain: DomainSnapshot) -> list[VcpuSnapshot]:
    return [vcpu for vcpu in domain.vcpus if vcpu.online]


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
    print(connection.domain(words["domain"], ("id", "name")).uuid)


def _domstate(connection: Connection, words: Words) -> None:
    print(state_text(connection.domain(words["domain"])))


def _dominfo(connection: Connection, words: Words) -> None:
    print("\n".join(domain_rows(connection.domain(words["domain"]))))


def _vcpuinfo(connection: Connection, words: Words) -> None:
    domain = connection.domain(words["domain"])
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
