"""Says which functions a domain spends its time in, from the paths that it has executed."""

from hypervisor.model.codebook.costs import CHECK_CTRS
from hypervisor.model.machine import Machine


def shares(host: Machine, name: str) -> dict[tuple[str, str], float]:
    """Return the share of a domain's time of each function, by image and name, largest first."""
    resident = host.hypercalls.find(name)
    assert resident is not None
    host.execution.accounting.settle_all()
    costs = host.code.costs
    found: dict[tuple[str, str], float] = {}
    rows = list(costs.paths.values())
    for times in resident.domain.path_ns.values():
        for row, spent_ns in zip(rows, times.by_path(), strict=True):
            cycles = {op: float(count) * costs.ops[op].cycles for op, count in row.ops.items()}
            for op, part in cycles.items():
                symbols = costs.ops[op].symbols
                for symbol, share in symbols.items():
                    key = (costs.ops[op].image.key, symbol.replace(CHECK_CTRS, "p4_check_ctrs"))
                    part_ns = spent_ns * part / sum(cycles.values())
                    found[key] = found.get(key, 0.0) + part_ns * share / sum(symbols.values())
    total = sum(found.values())
    ranked = sorted(found.items(), key=lambda item: -item[1])
    return {key: spent / total for key, spent in ranked}


def images(host: Machine, name: str) -> dict[str, float]:
    """Return the share of a domain's time of each image, largest first."""
    found: dict[str, float] = {}
    for (image, _), share in shares(host, name).items():
        found[image] = found.get(image, 0.0) + share
    return dict(sorted(found.items(), key=lambda item: -item[1]))
