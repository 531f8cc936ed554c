"""Finds out what domains have executed: the times of ops and functions, and the exits of guests."""

from collections import Counter

from hypervisor.model.codebook.parts import parts_of
from hypervisor.model.machine import Machine


def path_ns(host: Machine, domid: int) -> Counter[str]:
    """Return the time of a domain by the name of the path."""
    host.execution.accounting.settle_all()
    spent: Counter[str] = Counter()
    for times in host.hypercalls.residents[domid].domain.path_ns.values():
        lists = [times.spent]
        if times.behalf is not None:
            lists = [share.spent for share in times.behalf.shares.values()]
        for one in lists:
            for path in host.code.paths:
                spent[path.name] += one.of(path.index)
    return spent


def symbol_ns(host: Machine, domid: int) -> Counter[tuple[str, str]]:
    """Return the time of a domain by image and function, on the host's cpu."""
    cpu = host.code.costs.cpus[host.code.cpu_type]
    spent: Counter[tuple[str, str]] = Counter()
    for name, ns in path_ns(host, domid).items():
        parts = parts_of(host.code.costs.paths[name], host.code.costs, cpu, "x86_64")
        weight = sum(part.weight for part in parts)
        for part in parts:
            for symbol, share in part.symbols:
                spent[part.image, symbol.name] += ns * part.weight * share // (weight * part.shares)
    return spent


def exits(host: Machine, domid: int, *reasons: str) -> float:
    """Return the exits of a guest; those with one of the ops `reasons`, if any are given."""
    mhz = host.scenario.host.mhz
    total = 0.0
    for name, ns in path_ns(host, domid).items():
        row = host.code.costs.paths[name]
        each = sum(row.ops.get(op, 0) for op in reasons) if reasons else row.ops.get("hvm_exit", 0)
        total += float(each) * ns * mhz / 1000 / host.code.cycles[host.code.index[name]]
    return total
