"""xm sched-credit and sched-sedf, as tools 3.0.3 and 3.1 have them."""

import math
import sys
from collections.abc import Iterator, Sequence

from hypervisor.domainsettings import SedfParameters
from hypervisor.telemetry import DomainSnapshot, HostSnapshot
from hypervisor.telemetry.unknown import shown
from xenprof.cli.xm.command import OLDEST, Command, Option, Words, XmError, integer
from xenprof.cli.xm.looking import find_domains, shown_name, snapshot_of
from xenprof.client import Client
from xenprof.wire.answers import Credit
from xenprof.wire.domain_requests import SetCredit, SetSedf
from xenprof.wire.paths import domain_path

_MILLISECOND_NS = 1_000_000


def _require(scheduler: str, snapshot: HostSnapshot) -> None:
    """Refuse if Xen runs with another scheduler. Raises: XmError."""
    if snapshot.scheduler is None:
        raise XmError("This host does not know its scheduler", shows_usage=False)
    if snapshot.scheduler != scheduler:
        raise XmError(f"Xen is running with the {snapshot.scheduler} scheduler", shows_usage=False)


def credit_table(domains: Sequence[DomainSnapshot]) -> Iterator[str]:
    """Yield the lines that tools 3.1 print."""
    yield f"{'Name':<33} {'ID':<2} {'Weight':<6} {'Cap':<4}"
    for domain in domains:
        yield (
            f"{shown_name(domain):<32} {domain.domid:>3} {shown(domain.weight):>6} "
            f"{shown(domain.cap_percent):>4}"
        )


def _sched_credit(client: Client, words: Words) -> int:
    snapshot = snapshot_of(client)
    if snapshot.tools == OLDEST:
        return _old_credit(client, words)
    _require("credit", snapshot)
    domain, weight, cap = (words.value(short) for short in "dwc")
    if weight is None and cap is None:
        domains = find_domains(snapshot, [] if domain is None else [domain])
        print("\n".join(credit_table(domains)))
        return 0
    return _set_credit(client, domain, weight, cap)


def _old_credit(client: Client, words: Words) -> int:
    """Run sched-credit as 3.0.3 does, which accepts the long options and then ignores them."""
    for name in ("domain", "weight", "cap"):
        if name in words.given:
            print(f"xm: --{name} has no effect in Xen 3.0.3; use -{name[0]}", file=sys.stderr)
    domain, weight, cap = (words.given.get(short) for short in "dwc")
    if domain is not None and weight is None and cap is None:
        credit = client.get(domain_path(domain, "sched-credit"), Credit)
        print({"cap": credit.cap_percent, "weight": credit.weight})
        return 0
    return _set_credit(client, domain, weight, cap)


def _set_credit(client: Client, domain: str | None, weight: str | None, cap: str | None) -> int:
    if domain is None:
        raise XmError("No domain given.")
    client.do(SetCredit(_integer(weight), _integer(cap)), domain)
    return 0


def _integer(text: str | None) -> int | None:
    return None if text is None else integer(text)


def sedf_table(rows: Sequence[tuple[DomainSnapshot, SedfParameters]]) -> Iterator[str]:
    """Yield the lines of `xm sched-sedf` for pairs (domain, its settings from the API)."""
    yield (
        f"{'Name':<33} {'ID':<2} {'Period(ms)':<4} {'Slice(ms)':<4} "
        f"{'Lat(ms)':<7} {'Extra':<5} {'Weight':<6}"
    )
    for domain, sedf in rows:
        period, slice_, latency = (
            ns / _MILLISECOND_NS for ns in (sedf.period_ns, sedf.slice_ns, sedf.latency_ns)
        )
        yield (
            f"{shown_name(domain):<32} {domain.domid:>3} {period:9.1f} {slice_:9.1f} "
            f"{latency:7.1f} {int(sedf.extratime):6} {sedf.weight:6}"
        )


def _sched_sedf(client: Client, words: Words) -> int:
    snapshot = snapshot_of(client)
    _require("sedf", snapshot)
    domains = find_domains(snapshot, words.arguments)
    asked = SetSedf(
        _nanoseconds(words.value("period")),
        _nanoseconds(words.value("slice")),
        _nanoseconds(words.value("latency")),
        _integer(words.value("extratime")),
        _integer(words.value("weight")),
    )
    if asked != SetSedf():
        if not words.arguments:
            raise XmError("No domain given.")
        client.do(asked, domains[0].name)
        return 0
    rows = [
        (domain, client.get(domain_path(domain.name, "sched-sedf"), SedfParameters))
        for domain in domains
    ]
    print("\n".join(sedf_table(rows)))
    return 0


def _nanoseconds(text: str | None) -> int | None:
    """Return a text of milliseconds, which may have decimals, in ns. Raises: XmError."""
    if text is None:
        return None
    try:
        milliseconds = float(text)
    except ValueError:
        milliseconds = math.nan
    if not math.isfinite(milliseconds):
        raise XmError("Invalid argument.")
    return round(milliseconds * _MILLISECOND_NS)


SCHED_CREDIT = Command(
    "sched-credit",
    "-d <Domain> [-w[=WEIGHT]|-c[=CAP]]",
    "Show or set the credit scheduler's weight and cap of a domain.",
    _sched_credit,
    options=(
        Option("d", "domain", "The domain", "DOMAIN"),
        Option("w", "weight", "Weight, 1 to 65535", "WEIGHT"),
        Option("c", "cap", "Cap in percent of one CPU, 0 = none", "CAP"),
    ),
    arguments_3_1="[-d <Domain> [-w[=WEIGHT]|-c[=CAP]]]",
)
SCHED_SEDF = Command(
    "sched-sedf",
    "<Domain> [options]",
    "Show or set the EDF scheduler's parameters of a domain.",
    _sched_sedf,
    maximum=1,
    options=(
        Option("p", "period", "Period in ms", "MS"),
        Option("s", "slice", "Time in each period in ms, less than the period", "MS"),
        Option("l", "latency", "Scaled period in ms for a domain with much I/O", "MS"),
        Option("e", "extratime", "1: may run in extra time, 0: may not", "FLAG"),
        Option("w", "weight", "Share, instead of period and slice", "FLOAT"),
    ),
)
