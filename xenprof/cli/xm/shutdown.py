"""xm shutdown and reboot: asks domains to end, and waits for them on request."""

from collections.abc import Sequence

from hypervisor.telemetry import DomainSnapshot
from xenprof.cli.xm.command import Command, Option, Words, XmError
from xenprof.cli.xm.looking import find_domains, shown_name, snapshot_of
from xenprof.client import Client, ServiceError
from xenprof.home import DOMAIN_0_ID
from xenprof.wire.domain_requests import ShutDownDomain
from xenprof.wire.host_requests import Wait

_POLL_SECONDS = 1  # Source: tools/python/xen/xm/shutdown.py (3.0.3), wait_shutdown
_POLLS_WITHOUT = 3  # judgement: after so many polls without a running domain a reboot has failed
_NOT_FOUND = 404


def _shutdown(client: Client, words: Words) -> int:
    if words.has("H") and words.has("R"):
        raise XmError("Can't specify halt and reboot", shows_usage=False)
    reason = "halt" if words.has("H") else "reboot" if words.has("R") else "poweroff"
    return _ask(client, words, reason)


def _reboot(client: Client, words: Words) -> int:
    return _ask(client, words, "reboot")


def _ask(client: Client, words: Words, reason: str) -> int:
    domains = _chosen(client, words)
    for domain in list(domains):
        try:
            client.do(ShutDownDomain(reason), domain.name)
        except ServiceError as error:
            if not (words.has("a") and error.http_status == _NOT_FOUND):
                raise
            domains.remove(domain)  # ended by itself since the snapshot
    if not words.has("w"):
        return 0
    return _await_reboot(client, domains) if reason == "reboot" else _await_end(client, domains)


def _chosen(client: Client, words: Words) -> list[DomainSnapshot]:
    """Return the domains that the words name. Raises: XmError."""
    if words.has("a"):
        domains = find_domains(snapshot_of(client), [])
        return [domain for domain in domains if domain.domid != DOMAIN_0_ID and not domain.dying]
    if len(words.arguments) != 1:
        problem = "No multiple domain parameters allowed"
        if not words.arguments:
            problem = "No domain parameter given"
        raise XmError(problem, shows_usage=False)
    return find_domains(snapshot_of(client), words.arguments)


def _await_end(client: Client, domains: Sequence[DomainSnapshot]) -> int:
    """Wait until all have ended; a domain that is kept after its end counts as ended."""
    waiting = list(domains)
    while waiting:
        running = {d.domid for d in snapshot_of(client).domains if _is_alive(d)}
        for domain in [domain for domain in waiting if domain.domid not in running]:
            print(f"Domain {shown_name(domain)} terminated", flush=True)
            waiting.remove(domain)
        client.do(Wait(_POLL_SECONDS))
    print("All domains terminated")
    return 0


def _await_reboot(client: Client, domains: Sequence[DomainSnapshot]) -> int:
    """Wait until each runs again, with its name and a new id; return 1 if one does not."""
    waiting = list(domains)
    without = dict.fromkeys((domain.domid for domain in waiting), 0)
    while waiting:
        ids = {d.name: d.domid for d in snapshot_of(client).domains if _is_alive(d)}
        for domain in list(waiting):
            domid = ids.get(domain.name)
            if domid is None:
                without[domain.domid] += 1
                if without[domain.domid] < _POLLS_WITHOUT:
                    continue
                print(f"Domain {domain.name} destroyed for failed in rebooting", flush=True)
            elif domid == domain.domid:
                continue
            else:
                print(f"Domain {domain.name} rebooted", flush=True)
            waiting.remove(domain)
        client.do(Wait(_POLL_SECONDS))
    if _POLLS_WITHOUT in without.values():
        return 1
    print("All domains rebooted")
    return 0


def _is_alive(domain: DomainSnapshot) -> bool:
    return not (domain.shutdown or domain.crashed or domain.dying)


_ALL = Option("a", "all", "All domains but Domain-0")
_WAIT = Option("w", "wait", "Wait until it has been done")

SHUTDOWN = Command(
    "shutdown", "<Domain> [-waRH]",
    "Ask a domain to shut down.",
    _shutdown, minimum=1, maximum=4, counts_options=True,
    options=(
        _ALL,
        _WAIT,
        Option("H", "halt", "Shut down without a restart, whatever on_poweroff says"),
        Option("R", "reboot", "Shut down and start again"),
    ),
)  # fmt: skip
REBOOT = Command(
    "reboot", "<Domain> [-wa]",
    "Ask a domain to shut down and start again.",
    _reboot, minimum=1, maximum=3, counts_options=True, options=(_ALL, _WAIT),
)  # fmt: skip
