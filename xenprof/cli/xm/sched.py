"""xm sched-credit, as tools 3.0.3 and 3.1 have it."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xenprof.cli.xm.command import (
    Command,
    Option,
    Words,
    XmError,
    domain_path,
    find_domains,
    integer,
    snapshot_of,
)
from xenprof.client import Client


def credit_table(domains: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines that tools 3.1 print."""
    yield f"{'Name':<33} {'ID':<2} {'Weight':<6} {'Cap':<4}"
    for domain in domains:
        yield (
            f"{domain['name']:<32} {domain['domid']:>3} {domain['weight']:>6} "
            f"{domain['cap_percent']:>4}"
        )


def _sched_credit(client: Client, words: Words) -> int:
    snapshot = snapshot_of(client)
    if snapshot["tools"] == "3.0.3":
        return _old(client, words)
    if snapshot["scheduler"] != "credit":
        raise XmError(f"Xen is running with the {snapshot['scheduler']} scheduler")
    domain, weight, cap = (words.value(short) for short in "dwc")
    if weight is None and cap is None:
        domains = find_domains(snapshot, [] if domain is None else [domain])
        print("\n".join(credit_table(domains)))
        return 0
    return _set(client, domain, weight, cap)


def _old(client: Client, words: Words) -> int:
    """Do it as 3.0.3, which accepts the long options and then ignores them."""
    for name in ("domain", "weight", "cap"):
        if name in words.given:
            print(f"xm: --{name} has no effect in Xen 3.0.3; use -{name[0]}", file=sys.stderr)
    domain, weight, cap = (words.given.get(short) for short in "dwc")
    if domain is not None and weight is None and cap is None:
        credit = client.get(domain_path(domain, "sched-credit"))
        print({"cap": credit["cap_percent"], "weight": credit["weight"]})
        return 0
    return _set(client, domain, weight, cap)


def _set(client: Client, domain: str | None, weight: str | None, cap: str | None) -> int:
    if domain is None:
        raise XmError("No domain given.")
    body: dict[str, object] = {}
    if weight is not None:
        body["weight"] = integer(weight)
    if cap is not None:
        body["cap_percent"] = integer(cap)
    client.post(domain_path(domain, "sched-credit"), body)
    return 0


SCHED_CREDIT = Command(
    "sched-credit",
    "-d <Domain> [-w[=WEIGHT]|-c[=CAP]]",
    "Get/set credit scheduler parameters.",
    _sched_credit,
    options=(
        Option("d", "domain", "Domain to modify", "DOMAIN"),
        Option("w", "weight", "Weight (int)", "WEIGHT"),
        Option("c", "cap", "Cap (int)", "CAP"),
    ),
)
