"""xm domid, domname, rename and uptime."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from hypervisor.telemetry import DomainSnapshot, HostSnapshot
from hypervisor.telemetry.unknown import UNKNOWN, minus
from xenprof.cli.xm.command import Command, Option, Words
from xenprof.cli.xm.looking import find_domains, shown_name, snapshot_of
from xenprof.client import Client
from xenprof.home import DOMAIN_0_ID
from xenprof.wire.domain_requests import Rename

_SECOND_NS = 10**9


def _domid(client: Client, words: Words) -> int:
    print(find_domains(snapshot_of(client), words.arguments)[0].domid)
    return 0


def _domname(client: Client, words: Words) -> int:
    print(shown_name(find_domains(snapshot_of(client), words.arguments)[0]))
    return 0


def _rename(client: Client, words: Words) -> int:
    domain, name = words.arguments
    client.do(Rename(name), domain)
    return 0


def _uptime(client: Client, words: Words) -> int:
    snapshot = snapshot_of(client)
    domains = find_domains(snapshot, words.arguments)
    lines = short_uptimes(snapshot, domains) if words.has("s") else uptimes(snapshot, domains)
    print("\n".join(lines))
    return 0


def uptimes(snapshot: HostSnapshot, domains: Sequence[DomainSnapshot]) -> Iterator[str]:
    """Yield the lines of `xm uptime`."""
    yield f"{'Name':<33} ID Uptime"
    for domain in domains:
        seconds = _up_seconds(snapshot, domain)
        clock = _days_and_minutes(seconds)
        if seconds is not None:
            clock += f":{seconds % 60:02}"
        yield f"{shown_name(domain):<32} {domain.domid:>3} {clock}"


def short_uptimes(snapshot: HostSnapshot, domains: Sequence[DomainSnapshot]) -> Iterator[str]:
    """Yield the lines of `xm uptime -s`; the time of day is domain 0's, which keeps UTC."""
    now = datetime.fromtimestamp(snapshot.unix_ns // _SECOND_NS, UTC)
    for domain in domains:
        up = _days_and_minutes(_up_seconds(snapshot, domain))
        yield f"{now: %H:%M:%S} up {up}, {shown_name(domain)} ({domain.domid})"


def _up_seconds(snapshot: HostSnapshot, domain: DomainSnapshot) -> int | None:
    """Return how long a domain has been up; domain 0 since time 0, as in its /proc/uptime."""
    since_ns = 0 if domain.domid == DOMAIN_0_ID else domain.created_ns
    up_ns = minus(snapshot.time_ns, since_ns)
    return None if up_ns is None else round(up_ns / _SECOND_NS)


def _days_and_minutes(seconds: int | None) -> str:
    if seconds is None:
        return UNKNOWN
    days, minutes = seconds // 86400, seconds // 60 % 1440
    prefix = f"{days} day{'s' * (days > 1)}, " if days else ""
    return f"{prefix}{minutes // 60:2}:{minutes % 60:02}"


DOMID = Command(
    "domid", "<DomainName>", "Show the id of a domain by its name.", _domid, minimum=1, maximum=1
)
DOMNAME = Command(
    "domname", "<DomId>", "Show the name of a domain by its id.", _domname, minimum=1, maximum=1
)
RENAME = Command(
    "rename", "<Domain> <NewDomainName>", "Give a domain another name.",
    _rename, minimum=2, maximum=2,
)  # fmt: skip
UPTIME = Command(
    "uptime", "[-s] [Domain, ...]",
    "Show how long all/some domains have been up.",
    _uptime, maximum=None,
    options=(Option("s", "short", "In one line, with the time of day"),),
)  # fmt: skip
