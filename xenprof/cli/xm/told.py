"""What xm tells besides the original: what memory a domain can really have."""

import re
from pathlib import Path

from hypervisor.telemetry import DomainSnapshot, HostSnapshot
from hypervisor.telemetry.unknown import shown, whole
from xenprof.cli.notes import note, note_what_was_meant

_TOP_ARGUMENTS = "'xm top' requires 0 arguments."
_DEFAULT_CREDIT = (256, 0)  # weight, cap in percent


def tell_more(home: Path, message: str) -> None:
    """Say more about an error: the nearest domain, or the option meant."""
    note_what_was_meant(message, home)
    if message == _TOP_ARGUMENTS:
        from xenprof.cli.xm.top import ITERATIONS

        note(ITERATIONS)


def memory_note(host: HostSnapshot, name: str, mib: int) -> str:
    """Return why a domain will not have the memory that its balloon was told, "" if it may."""
    domain = _find(host, name)
    if domain is None:
        return ""
    if domain.kind == "hvm":
        return f"{domain.name} is fully virtualized and has no balloon: its memory stays as it is"
    wanted_kib = mib * 1024
    if text := _beyond_a_limit(host, domain, wanted_kib):
        return text
    if domain.paused or domain.shutdown or domain.crashed:
        return f"{domain.name} does not run: its balloon does not follow until it does"
    if domain.demand_kib is not None and wanted_kib < domain.demand_kib:
        return (
            f"{domain.name} needs {domain.demand_kib // 1024} MiB: it swaps what is missing, "
            "and its balloon may not get there"
        )
    return ""


def _beyond_a_limit(host: HostSnapshot, domain: DomainSnapshot, wanted_kib: int) -> str:
    """Return which limit keeps a domain from growing, "" if none that the host knows."""
    mib, name = wanted_kib // 1024, domain.name
    is_free = domain.is_memory_unlimited
    limit_kib = domain.configured_memory_kib if is_free else domain.maximum_kib
    is_beyond_host = host.memory_kib is not None and wanted_kib > host.memory_kib
    machine = f"this machine has {shown(whole(host.memory_kib, 1024))} MiB"
    if limit_kib is not None and wanted_kib > limit_kib:
        most = f"{name} may have {limit_kib // 1024} MiB at most: its balloon stops there"
        if is_beyond_host:
            return f"{most}; {machine}"
        return most if domain.kind == "dom0" else f"{most}; first: xm mem-max {name} {mib}"
    if is_beyond_host:
        return f"{machine}: {name} cannot get {mib}"
    if domain.memory_kib is None or host.free_kib is None:
        return ""
    reach_kib = domain.memory_kib + host.free_kib
    if wanted_kib <= reach_kib:
        return ""
    return f"{host.free_kib // 1024} MiB are free: {name} gets to {reach_kib // 1024} MiB at most"


def vcpus_note(host: HostSnapshot, name: str, count: int) -> str:
    """Return how many vcpus a domain uses that was told a number it cannot have, "" if it can."""
    domain = _find(host, name)
    if domain is None or not domain.vcpus or 1 <= count <= len(domain.vcpus):
        return ""
    has = len(domain.vcpus)
    used = has if count > has else "1, the least"
    return f"{domain.name} has {has} VCPU{'s' * (has != 1)} and uses {used}"


def credit_note(host: HostSnapshot, name: str, config: str) -> str:
    """Return which settings of the scheduler a saved domain loses, "" if none.

    `config` is the configuration in its file, of which tools 3.0.3 restore no weight and cap.
    """
    domain = _find(host, name)
    if domain is None or domain.weight is None:
        return ""
    kept = _credit(config) if host.tools != "3.0.3" else _DEFAULT_CREDIT
    has = domain.weight, domain.cap_percent or 0
    if has == kept:
        return ""
    return (
        f"{domain.name} had weight {has[0]} and cap {has[1]}, which its file does not keep; "
        f"after xm restore: {_command(domain.name, *has)}"
    )


def restored_note(host: HostSnapshot, config: str) -> str:
    """Return what a domain that was restored from `config` has lost of it, "" if nothing."""
    name = re.search(r"\(name ([^()\s]+)\)", config)
    domain = _find(host, name[1]) if name else None
    if domain is None or domain.weight is None:
        return ""
    wanted = _credit(config)
    if wanted == (domain.weight, domain.cap_percent or 0):
        return ""
    return (
        f"{domain.name} had weight {wanted[0]} and cap {wanted[1]}, which these tools do not "
        f"restore: {_command(domain.name, *wanted)}"
    )


def _find(host: HostSnapshot, name: str) -> DomainSnapshot | None:
    """Return the domain of this name or id, None if it is gone."""
    found = (one for one in host.domains if name in (one.name, str(one.domid)))
    return next(found, None)


def _credit(config: str) -> tuple[int, int]:
    """Return the weight and cap of a configuration."""
    weight, cap = (
        re.search(rf"\({key} (\d{{1,9}})\)", config) for key in ("cpu_weight", "cpu_cap")
    )
    default_weight, default_cap = _DEFAULT_CREDIT
    return int(weight[1]) if weight else default_weight, int(cap[1]) if cap else default_cap


def _command(name: str, weight: int, cap: int) -> str:
    return f"xm sched-credit -d {name} -w {weight} -c {cap}"
